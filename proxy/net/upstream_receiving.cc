// How an upstream connection reads the answer: its head, then its body a piece at a time in the
// client's pace.

#include <algorithm>
#include <cstring>
#include <utility>

#include "proxy/net/upstream_connection.h"

namespace paravent::proxy::net {
namespace {

// More interim answers than this before the final one are a flood.
constexpr unsigned kMostInterim = 8;
// Reads in one go; a long answer that both sides move quickly shares the worker.
constexpr int kReadsPerTurn = 16;

}  // namespace

void UpstreamConnection::begin_answer() {
  if (!block_) {
    block_ = pool_.blocks().take(ReadBlockPool::kUsualBytes, ReadBlockPool::kUsualLines);
  }
  parser_.begin(block_->lines(), limits_->response_head_bytes, request_->is_head_request());
  chunks_.reset();
  begin_ = end_ = 0;
  ahead_.reset();
  body_left_ = 0;
  interim_ = 0;
  streaming_ = piece_sent_ = false;
  has_head_ = head_told_ = received_ = paused_ = peer_closed_ = readable_ = false;
  reusable_ = true;
}

void UpstreamConnection::read_ahead(std::uint32_t events) {
  if (state_ != State::busy || tls_ || paused_ || ahead_ || (events & EPOLLIN) == 0) return;
  if (!block_ || end_ == block_->bytes().size()) return;
  const IoResult got = receive(fd_.get(), block_->bytes().subspan(end_));
  if (!got.would_block) ahead_ = got;
}

void UpstreamConnection::read_answer() {
  for (int reads = 0; state_ == State::busy && readable_ && !paused_; ++reads) {
    if (reads == kReadsPerTurn) {
      pool_.loop().defer(*this);
      return;
    }
    if (!make_room()) {
      fail(UpstreamFailure::bad_answer);
      return;
    }
    const std::span<char> room = block_->bytes().subspan(end_);
    const IoResult got = read(room);
    if (got.would_block) return;
    // Before a byte of the request has left there is no answer: whose bytes are these?
    if (got.bytes == 0 || !wrote_) {
      on_broken(got.end);
      return;
    }
    end_ += got.bytes;
    received_ = true;
    take_bytes();
  }
}

// Reads once and says in readable_ whether there may be more: a short read has emptied the socket;
// the end of the stream is still to be read where it was told.
IoResult UpstreamConnection::read(std::span<char> into) {
  if (!tls_) {
    const IoResult got = ahead_ ? *std::exchange(ahead_, std::nullopt) : receive(fd_.get(), into);
    readable_ = !got.would_block && (got.bytes == into.size() || peer_closed_);
    return got;
  }
  const tls::TlsResult got = tls_->receive(into);
  readable_ =
      !got.would_block && (got.bytes == into.size() || peer_closed_ || tls_->more_to_read());
  return {.bytes = got.bytes, .would_block = got.would_block, .end = got.end, .failed = got.failed};
}

bool UpstreamConnection::make_room() {
  if (end_ < block_->bytes().size()) return true;
  if (has_head_) return false;  // all of the block was handed over; resume() makes it empty
  // A head larger than the block: a larger block, and the head once more from its first byte.
  const std::size_t have = end_ - begin_;
  auto larger =
      pool_.blocks().take(std::min(block_->bytes().size() * 2, limits_->response_head_bytes + 1),
                          ReadBlockPool::kUsualLines);
  if (larger->bytes().size() <= have) return false;
  std::memcpy(larger->bytes().data(), block_->bytes().data() + begin_, have);
  pool_.blocks().give(std::exchange(block_, std::move(larger)));
  parser_.begin(block_->lines(), limits_->response_head_bytes, request_->is_head_request());
  begin_ = 0;
  end_ = have;
  return true;
}

void UpstreamConnection::take_bytes() {
  if (!has_head_ && !take_head()) return;
  take_body();
}

// True when the final answer's head has been read.
bool UpstreamConnection::take_head() {
  for (;;) {
    const std::string_view bytes(block_->bytes().data() + begin_, end_ - begin_);
    switch (parser_.parse(bytes)) {
      case http1::ResponseStatus::need_more:
        return false;
      case http1::ResponseStatus::bad:
        fail(UpstreamFailure::bad_answer);
        return false;
      case http1::ResponseStatus::done:
        break;
    }
    begin_ += parser_.size();
    if (parser_.head().status >= 200) break;
    // 101 answers an Upgrade that was never forwarded.
    if (parser_.head().status == 101 || ++interim_ > kMostInterim) {
      fail(UpstreamFailure::bad_answer);
      return false;
    }
    parser_.begin(block_->lines(), limits_->response_head_bytes, request_->is_head_request());
  }
  // That the whole request was sent is told before what it was answered.
  if (!streaming_ && std::exchange(piece_sent_, false)) piece_sent();
  if (state_ != State::busy) return false;
  has_head_ = true;
  host_->circuit().answered();
  body_left_ = parser_.head().content_length;
  if (sending_ || streaming_) {
    // An answer before the whole request was read: nothing more is sent, and the rest of the
    // request must never be taken for another one.
    left_ = {};
    sending_ = streaming_ = piece_sent_ = false;
    reusable_ = false;
    pool_.loop().deadlines().set(deadline_, limits_->upstream_ms);
  }
  return true;
}

void UpstreamConnection::take_body() {
  bool complete = false;
  bool bad = false;
  const std::string_view piece = next_piece(complete, bad);
  if (bad) {
    fail(UpstreamFailure::bad_answer);
    return;
  }
  if (!complete && piece.empty() && head_told_) {
    begin_ = end_ = 0;  // only framing arrived
    return;
  }
  if (complete && begin_ != end_) reusable_ = false;  // bytes that belong to no answer of ours
  deliver(piece, complete);
}

std::string_view UpstreamConnection::next_piece(bool& complete, bool& bad) {
  const std::string_view bytes(block_->bytes().data() + begin_, end_ - begin_);
  switch (parser_.head().framing) {
    case BodyFraming::none:
      complete = true;
      return {};
    case BodyFraming::length: {
      const std::string_view piece = bytes.substr(
          0, static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), body_left_)));
      body_left_ -= piece.size();
      begin_ += piece.size();
      complete = body_left_ == 0;
      return piece;
    }
    case BodyFraming::chunked:
      return decode_chunks(complete, bad);
    case BodyFraming::close:
      begin_ = end_;
      return bytes;
  }
  return {};
}

// Moves the data of all chunks that have arrived together, so that they are one piece.
std::string_view UpstreamConnection::decode_chunks(bool& complete, bool& bad) {
  char* const first = block_->bytes().data() + begin_;
  char* out = first;
  std::string_view in(first, end_ - begin_);
  for (;;) {
    std::string_view piece;
    switch (chunks_.next(in, piece)) {
      case http1::ChunkStatus::data:
        std::memmove(out, piece.data(), piece.size());
        out += piece.size();
        continue;
      case http1::ChunkStatus::bad:
        bad = true;
        return {};
      case http1::ChunkStatus::done:
        complete = true;
        break;
      case http1::ChunkStatus::need_more:
        break;
    }
    begin_ = end_ - in.size();
    return {first, static_cast<std::size_t>(out - first)};
  }
}

void UpstreamConnection::deliver(std::string_view piece, bool complete) {
  if (!complete) {
    paused_ = true;
    pool_.loop().deadlines().clear(deadline_);  // the client's pace is the session's business
  }
  UpstreamHandler& handler = *handler_;
  if (complete) handler_ = nullptr;
  in_handler_ = true;
  if (std::exchange(head_told_, true)) {
    handler.on_response_body(piece, complete);
  } else {
    handler.on_response(parser_.head(), piece, complete);
  }
  in_handler_ = false;
  if (cancelled_) {
    close();
    release();
  } else if (complete) {
    finish();
  }
}

void UpstreamConnection::resume() {
  if (!paused_) return;
  paused_ = false;
  begin_ = end_ = 0;
  pool_.loop().deadlines().set(deadline_, limits_->upstream_ms);
  if (readable_) pool_.loop().defer(*this);
}

}  // namespace paravent::proxy::net
