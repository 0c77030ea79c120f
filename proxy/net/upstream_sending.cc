// How an upstream connection sends a request: in one gathered write where the socket takes it, or,
// where its body is streamed, a piece at a time.

#include <cstring>
#include <utility>

#include "proxy/net/upstream_connection.h"

namespace paravent::proxy::net {
namespace {

// Head and body up to this size are copied into one buffer: cheaper than a gather list of many
// fields.
constexpr std::size_t kSmallRequest = std::size_t{16} * 1024;

}  // namespace

void UpstreamConnection::begin_request() {
  state_ = State::busy;
  wrote_ = false;
  sending_ = true;
  gather_request();
  pool_.loop().deadlines().set(deadline_, limits_->upstream_ms);
  // What took long to make does not wait for others that take as long.
  if (left_.size() == 1 && left_.front().iov_len <= kSmallRequest) {
    pool_.loop().write_soon(*this);
  } else {
    write_request();
  }
}

void UpstreamConnection::gather_request() {
  const std::string_view head = request_->head();
  if (request_->is_streamed()) {
    const ProtectedPiece& piece = request_->piece();
    parts_.clear();
    parts_.push_back(to_iovec(head));
    for (const std::string_view part : piece.parts()) parts_.push_back(to_iovec(part));
    left_ = parts_;
    streaming_ = !piece.last();
    return;
  }
  const std::size_t body = request_->body().size();
  parts_.clear();
  if (head.size() + body <= kSmallRequest) {
    small_.resize(head.size() + body);
    char* to = small_.data();
    const auto put = [&to](std::string_view part) {
      std::memcpy(to, part.data(), part.size());
      to += part.size();
    };
    put(head);
    request_->body().for_each_segment(put);
    parts_.push_back(to_iovec(small_));
  } else {
    parts_.push_back(to_iovec(head));
    request_->body().for_each_segment(
        [this](std::string_view part) { parts_.push_back(to_iovec(part)); });
  }
  left_ = parts_;
}

void UpstreamConnection::write_request() {
  pool_.loop().forget_write(*this);  // an event may come before its turn
  if (!write_left() || !request_->is_streamed()) return;
  piece_sent_ = true;
  pool_.loop().defer(*this);
}

bool UpstreamConnection::send(const ProtectedPiece& piece) {
  if (state_ != State::busy || sending_ || has_head_ || peer_closed_) return false;
  parts_.clear();
  for (const std::string_view part : piece.parts()) parts_.push_back(to_iovec(part));
  left_ = parts_;
  streaming_ = !piece.last();
  sending_ = true;
  pool_.loop().deadlines().set(deadline_, limits_->upstream_ms);
  return write_left();
}

void UpstreamConnection::piece_sent() {
  if (state_ != State::busy || has_head_) return;
  in_handler_ = true;
  handler_->on_piece_sent();
  in_handler_ = false;
  if (!cancelled_) return;
  close();
  release();
}

// True when nothing is left.
bool UpstreamConnection::write_left() {
  while (!left_.empty()) {
    const IoResult sent = write(left_);
    if (sent.would_block) return false;
    if (sent.failed) {
      // The application may have answered and closed before it read everything; what it said, if
      // anything, is still to be read. The deadline and the reader decide.
      left_ = {};
      sending_ = false;
      reusable_ = false;
      peer_closed_ = readable_ = true;
      pool_.loop().defer(*this);
      return false;
    }
    wrote_ = wrote_ || sent.bytes > 0;
    left_ = consume(left_, sent.bytes);
    pool_.loop().deadlines().set(deadline_, limits_->upstream_ms);
  }
  sending_ = false;
  // The next piece comes in the client's pace, which is not the upstream's fault.
  if (streaming_) pool_.loop().deadlines().clear(deadline_);
  return true;
}

IoResult UpstreamConnection::write(std::span<iovec> parts) {
  if (!tls_) return send_gather(fd_.get(), parts);
  const tls::TlsResult sent = tls_->send(parts);
  return {.bytes = sent.bytes, .would_block = sent.would_block, .failed = sent.failed};
}

}  // namespace paravent::proxy::net
