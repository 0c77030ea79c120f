// The session as it sends an answer: short ones in the loop's turn, longer ones at once and the
// rest when the socket takes it, in the pace that a client must keep.

#include <array>
#include <cstdlib>
#include <utility>

#include "proxy/net/session.h"
#include "proxy/pipeline/append_all.h"

namespace paravent::proxy::net {
namespace {

// Answers up to this size are copied and leave in one piece, together with those of other clients.
constexpr std::size_t kSmallAnswer = std::size_t{4} * 1024;

}  // namespace

// `last_bytes`: what follows is the end of the connection, which may leave in the same packet.
IoResult Session::write(std::span<iovec> parts, bool last_bytes) {
  if (!tls_) return send_gather(fd_.get(), parts, last_bytes);
  const tls::TlsResult sent = tls_->send(parts);
  return {.bytes = sent.bytes, .would_block = sent.would_block, .failed = sent.failed};
}

SendStatus Session::send(std::string_view head, std::string_view body, bool last) {
  if (gone_) return SendStatus::gone;
  if (std::exchange(receiving_, false)) {  // answered before the body's end
    loop_.deadlines().clear(own_deadline_);
  }
  if (send_pending_ || write_waiting_) std::abort();  // one send at a time is the contract
  // A client that has sent more already is answered at once: its next request waits for this.
  if (last && head.size() + body.size() <= kSmallAnswer && body_.next() == body_.filled()) {
    unsent_.clear();
    append_all(unsent_, head, body);
    unsent_at_ = 0;
    write_waiting_ = true;
    loop_.write_soon(*this);
    return SendStatus::done;
  }
  std::array<iovec, 2> parts = {to_iovec(head), to_iovec(body)};
  std::span<iovec> left = consume(parts, 0);
  if (left.size() == 2 && body.empty()) left = left.first(1);
  if (left.empty()) return SendStatus::done;
  const IoResult sent = write(left);
  if (sent.failed) {
    gone_ = true;
    return SendStatus::gone;
  }
  left = consume(left, sent.bytes);
  if (left.empty()) return SendStatus::done;
  unsent_.clear();
  unsent_at_ = 0;
  for (const iovec& part : left)
    unsent_.append(static_cast<const char*>(part.iov_base), part.iov_len);
  send_pending_ = true;
  watch_write();
  return SendStatus::pending;
}

void Session::write_answer() {
  iovec part = to_iovec(unsent_);
  const IoResult sent = write({&part, 1}, finished_ && !goes_on());
  if (sent.failed) {
    on_gone();
  } else if (sent.bytes < unsent_.size()) {
    unsent_at_ = sent.bytes;
    send_pending_ = true;
    watch_write();
  } else {
    write_waiting_ = false;
  }
  run();
}

void Session::flush() {
  while (unsent_at_ < unsent_.size()) {
    iovec part = to_iovec(std::string_view(unsent_).substr(unsent_at_));
    const IoResult sent = write({&part, 1});
    if (sent.would_block) return;
    if (sent.failed) {
      on_gone();
      return;
    }
    unsent_at_ += sent.bytes;
    flushed_ += sent.bytes;
  }
  send_pending_ = false;
  loop_.deadlines().clear(own_deadline_);
  if (!std::exchange(write_waiting_, false) && !finished_) transaction_->on_sent(true);
}

void Session::watch_write() {
  queued_ = unacknowledged(fd_.get());
  flushed_ = 0;
  loop_.deadlines().set(own_deadline_, limits().write_ms);
}

// A socket is writable once a third of the kernel's buffer is free, for which a slow client may
// need minutes; so what counts is what it has acknowledged. It reads in the pace that a sender must
// keep, or it is gone.
void Session::check_write_progress() {
  const std::size_t least = std::size_t{limits().body_rate} * limits().write_ms / 1000;
  if (queued_ + flushed_ >= unacknowledged(fd_.get()) + least) {
    watch_write();
    return;
  }
  // With a reset: else what the kernel still has for this client would lie there, counted by
  // nobody, for as long as it pleases.
  broken_ = true;
  on_gone();
}

}  // namespace paravent::proxy::net
