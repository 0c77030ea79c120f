// The session's exchanges: the head into its place, a transaction from the pool, and back again.

#include <algorithm>
#include <cstring>
#include <utility>

#include "proxy/net/session.h"

namespace paravent::proxy::net {

void Session::begin_head() {
  const Limits& limit = limits();
  // To the front, while no view of these bytes is held: a head and what reads its body then always
  // have the room that they need.
  const std::size_t have = end_ - begin_;
  const char* const from = block_->bytes().data() + begin_;
  const std::size_t need = limit.header_bytes + ReadBlockPool::kHeadroom;
  if (block_->bytes().size() < need || block_->lines().size() < limit.header_count) {
    auto larger = host_.blocks().take(std::max(need, block_->bytes().size()), limit.header_count);
    std::memcpy(larger->bytes().data(), from, have);
    host_.blocks().give(std::exchange(block_, std::move(larger)));
  } else if (begin_ > 0) {
    std::memmove(block_->bytes().data(), from, have);
  }
  begin_ = 0;
  end_ = have;
  parser_.begin(block_->lines().first(limit.header_count), limit.header_bytes,
                limit.header_line_bytes);
  state_ = State::head;
  loop_.deadlines().set(own_deadline_, limit.header_ms);
}

bool Session::enter_exchange() {
  // First, since there may be no memory for it.
  if (!transaction_) transaction_ = host_.transactions().take(*this, *this);
  state_ = State::exchange;
  loop_.deadlines().clear(own_deadline_);
  generation_ = host_.generation();
  ++serial_;
  ++requests_;
  finished_ = receiving_ = false;
  return !host_.draining() && !peer_closed_ && requests_ < limits().requests_per_connection &&
         host_.door().memory().level() == MemoryLevel::normal;
}

void Session::start_exchange() {
  head_ = parser_.head();
  const bool may_go_on = enter_exchange();
  head_.keep_alive = head_.keep_alive && may_go_on;
  body_.begin(head_, block_->bytes(), begin_ + parser_.size(), end_);
  if (const auto reason = refused_at_door()) {
    transaction_->refuse_at_door(head_, *reason, generation_->state);
  } else {
    transaction_->start(head_, generation_->state);
  }
}

void Session::refuse_head(Reason reason) {
  enter_exchange();
  // Framing without an end: whatever follows can be no request.
  head_ = RequestHead{};
  head_.framing = BodyFraming::close;
  head_.keep_alive = false;
  const std::span<char> bytes = block_->bytes();
  body_.begin(head_, bytes, end_, end_);
  transaction_->refuse_unread(reason, generation_->state);
}

void Session::finished(Ending ending) {
  finished_ = true;
  keep_alive_ = ending == Ending::keeps;
  broken_ = broken_ || ending == Ending::breaks;
  if (!running_) loop_.defer(*this);
}

// Whether the connection has another exchange behind this one.
bool Session::goes_on() noexcept { return body_.settled() && keep_alive_ && head_.keep_alive; }

void Session::finish_exchange() {
  finished_ = receiving_ = false;
  loop_.deadlines().clear(exchange_deadline_);
  loop_.deadlines().clear(own_deadline_);
  const bool next = goes_on();
  begin_ = body_.next();
  end_ = body_.filled();
  body_.end();
  generation_.reset();
  host_.transactions().give(std::move(transaction_));
  if (gone_ || send_pending_ || broken_) {
    close();
    return;
  }
  if (!next) {
    linger();
    return;
  }
  state_ = State::idle;
  loop_.deadlines().set(own_deadline_, limits().idle_ms);
}

std::function<void()> Session::resume_from_other_thread() {
  return [mailbox = loop_.mailbox(), this, serial = serial_] {
    // Sessions live as long as their loop, so `this` is good wherever the post arrives.
    mailbox->post([this, serial] {
      if (state_ != State::exchange || finished_ || serial != serial_) return;
      transaction_->on_resolved();
      run_task();
    });
  };
}

void Session::set_deadline(std::uint32_t milliseconds) {
  if (milliseconds == 0) {
    loop_.deadlines().clear(exchange_deadline_);
  } else {
    loop_.deadlines().set(exchange_deadline_, milliseconds);
  }
}

UpstreamExchange* Session::exchange(ProtectedRequest request, UpstreamHandler& handler) {
  UpstreamGroup& to = *generation_->upstreams[request.upstream()];
  return host_.upstreams().exchange(to, std::move(request), handler, limits(),
                                    *generation_->state->counters);
}

}  // namespace paravent::proxy::net
