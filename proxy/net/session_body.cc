// The session as it receives the body of a request: whole, or piece by piece in the pace in which
// the pieces are asked for.

#include "proxy/net/session.h"

namespace paravent::proxy::net {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr std::uint32_t kPaceCheckMs = 1'000;

}  // namespace

bool Session::advance_body() {
  if (peer_closed_) {
    body_came(BodyStatus::gone);
    return true;
  }
  if (!readable_) return false;
  const std::span<char> room = body_.room();
  const IoResult got = read(room);
  if (got.would_block) return false;
  if (got.bytes == 0) {
    peer_closed_ = true;
    return true;
  }
  const BodyStatus status = body_.arrived(got.bytes);
  if (status != BodyStatus::pending) body_came(status);
  return true;
}

ReceivedBody Session::receive_body(std::size_t limit) {
  const BodyStatus status = body_.start(limit);
  if (status == BodyStatus::complete) return {status, body_.body()};
  if (status != BodyStatus::pending) return {status, {}};
  if (peer_closed_ || !ask_for_body()) return {BodyStatus::gone, {}};
  body_since_ms_ = body_paused_ms_ = loop_.deadlines().now_ms();
  await_body();
  return {BodyStatus::pending, {}};
}

ReceivedBody Session::read_body(std::size_t consumed, std::uint64_t limit) {
  const bool first = !body_.is_streamed();
  if (first) {
    if (!body_.start_stream(limit)) return {BodyStatus::too_large, {}};
    body_since_ms_ = body_paused_ms_ = loop_.deadlines().now_ms();
  } else {
    body_.consume(consumed);
  }
  const BodyStatus status = body_.fill_window();
  if (status != BodyStatus::pending) return {status, body_.window()};
  if (peer_closed_ || (first && !ask_for_body())) {
    gone_ = true;
    return {BodyStatus::gone, {}};
  }
  await_body();
  return {BodyStatus::pending, {}};
}

// Tells a client that waits for it to go on. False: it is gone.
bool Session::ask_for_body() {
  if (!head_.expect_continue || body_.taken() > 0) return true;
  iovec part = to_iovec(kContinue);
  // Nothing else is on its way to this client, so a socket that cannot take 25 bytes is dead.
  gone_ = write({&part, 1}).bytes != kContinue.size();
  return !gone_;
}

void Session::await_body() {
  receiving_ = true;
  body_since_ms_ += loop_.deadlines().now_ms() - body_paused_ms_;
  loop_.deadlines().set(own_deadline_, kPaceCheckMs);
  if (!running_) loop_.defer(*this);
}

void Session::body_came(BodyStatus status) {
  receiving_ = false;
  if (status == BodyStatus::gone) gone_ = true;
  loop_.deadlines().clear(own_deadline_);
  body_paused_ms_ = loop_.deadlines().now_ms();
  std::string_view bytes;
  if (status == BodyStatus::complete || status == BodyStatus::more) {
    bytes = body_.is_streamed() ? body_.window() : body_.body();
  }
  transaction_->on_body({status, bytes});
}

void Session::check_body_pace() {
  const Limits& limit = limits();
  const std::uint64_t elapsed = loop_.deadlines().now_ms() - body_since_ms_;
  const std::uint64_t paced =
      elapsed > limit.body_grace_ms ? (elapsed - limit.body_grace_ms) * limit.body_rate / 1000 : 0;
  // What is held is to be there in the end; what is streamed may go on as long as it is worth it.
  const bool too_long =
      elapsed > limit.body_total_ms &&
      (!body_.is_streamed() || body_.taken() < elapsed * limit.upload_rate / 1000);
  if (too_long || body_.taken() < paced) {
    body_came(BodyStatus::timeout);
    return;
  }
  loop_.deadlines().set(own_deadline_, kPaceCheckMs);
}

}  // namespace paravent::proxy::net
