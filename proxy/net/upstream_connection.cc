#include "proxy/net/upstream_connection.h"

#include <utility>

#include "crypto/base/out_of_memory.h"

namespace paravent::proxy::net {
namespace {

// Applications close idle connections after 5 s (Node, Apache) to 75 s. A connection that has
// rested longer than kFresh is looked at before a request that cannot be repeated is trusted to it.
constexpr std::uint32_t kIdleMs = 30'000;
constexpr std::uint64_t kFreshMs = 500;

}  // namespace

UpstreamConnection::UpstreamConnection(UpstreamPool& pool)
    : pool_(pool), deadline_(pool.loop().deadlines().add(*this)) {}

UpstreamConnection::~UpstreamConnection() {
  close();
  pool_.loop().forget(*this);
  pool_.loop().deadlines().remove(deadline_);
}

void UpstreamConnection::start(const UpstreamChoice& choice, ProtectedRequest request,
                               UpstreamHandler& handler, const Limits& limits,
                               telemetry::WorkerCounters& counters) {
  group_ = choice.group;
  tried_ = choice.tried;
  request_.emplace(std::move(request));
  handler_ = &handler;
  limits_ = &limits;
  counters_ = &counters;
  next_address_ = 0;
  failure_.reset();
  cancelled_ = wrote_ = false;
  reused_ = state_ == State::idle;
  begin_answer();
  if (choice.host == nullptr) {
    failure_ = group_->is_full(limits.upstream_requests) ? UpstreamFailure::overloaded
                                                         : UpstreamFailure::unreachable;
    pool_.loop().defer(*this);
    return;
  }
  attach(*choice.host);
  if (reused_) {
    begin_request();
  } else {
    connect_next();
  }
}

void UpstreamConnection::attach(UpstreamHost& host) noexcept {
  host_ = &host;
  attached_ = true;
  tries_ = host.begin(now_ms());
}

void UpstreamConnection::detach() noexcept {
  if (std::exchange(attached_, false)) host_->end(tries_);
}

// idle: nothing is there to be read, not even the end. Over TLS tickets may be, which are no
// answer.
bool UpstreamConnection::is_silent() noexcept {
  char byte = 0;
  if (!tls_) return receive(fd_.get(), {&byte, 1}).would_block;
  tls_->on_readable(false);
  return tls_->receive({&byte, 1}).would_block;
}

bool UpstreamConnection::fit_for(const ProtectedRequest& request) noexcept {
  // Something has come to it before this request: an end, or an answer to nothing.
  if (pool_.loop().has_event_for(*this)) return is_silent();
  if (request.may_retry()) return true;
  if (pool_.loop().deadlines().now_ms() - idle_since_ms_ < kFreshMs) return true;
  return is_silent();
}

void UpstreamConnection::discard() {
  pool_.leave(*this, *host_);
  close();
  release();
}

template <typename Step>
void UpstreamConnection::take_step(Step&& step) {
  if (crypto::with_memory(step)) return;
  if (state_ == State::idle) {
    discard();
  } else if (request_) {
    // What has left may have been acted on: nobody may take it for a request that can be repeated.
    give_up(wrote_ ? UpstreamFailure::bad_answer : UpstreamFailure::overloaded);
  }
}

void UpstreamConnection::on_ready(std::uint32_t events) {
  take_step([this, events] { take_events(events); });
}

void UpstreamConnection::on_deadline(DeadlineSlot) {
  take_step([this] { take_deadline(); });
}

void UpstreamConnection::run_task() {
  take_step([this] { go_on(); });
}

void UpstreamConnection::write_now() {
  take_step([this] { write_request(); });
}

void UpstreamConnection::take_events(std::uint32_t events) {
  switch (state_) {
    case State::closed:
      return;
    case State::connecting:
      on_connected(events);
      return;
    case State::handshake:
      tls_->on_readable((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
      shake_hands();
      return;
    case State::idle:
      if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) on_idle_event();
      return;
    case State::busy:
      break;
  }
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) peer_closed_ = true;
  if (tls_) {
    tls_->on_readable(peer_closed_);
    readable_ = true;  // also what waits to be written may be what reading waits for
  }
  // What was told before a byte of the request left is no answer to it, so it is read first.
  if (!wrote_) read_answer();
  if ((events & EPOLLOUT) != 0 && state_ == State::busy && sending_) write_request();
  read_answer();
}

void UpstreamConnection::on_idle_event() {
  // The edge may belong to bytes that were read before it was told; only silence is innocent.
  if (!is_silent()) discard();
}

void UpstreamConnection::take_deadline() {
  switch (state_) {
    case State::closed:
      return;
    case State::idle:
      discard();
      return;
    case State::connecting:
    case State::handshake:
      connect_next();
      if (failure_) go_on();
      return;
    case State::busy:
      fail(UpstreamFailure::timeout);
      return;
  }
}

void UpstreamConnection::go_on() {
  if (failure_) {
    fail(*failure_);
    return;
  }
  if (std::exchange(piece_sent_, false)) piece_sent();
  if (state_ == State::busy) {
    read_answer();
  }
}

void UpstreamConnection::cancel() {
  if (in_handler_) {
    cancelled_ = true;
    return;
  }
  close();
  release();
}

// The connection has ended or broken while an answer was due.
void UpstreamConnection::on_broken(bool clean_end) {
  if (has_head_) {
    if (clean_end && parser_.head().framing == BodyFraming::close) {
      reusable_ = false;
      begin_ = end_ = 0;
      deliver({}, true);
    } else {
      fail(UpstreamFailure::bad_answer);
    }
    return;
  }
  if (reused_ && !received_ && (request_->may_retry() || !wrote_)) {
    reused_ = false;
    host_->statistics->retries.add();
    begin_answer();
    connect_next();
    return;
  }
  fail(received_ ? UpstreamFailure::bad_answer : UpstreamFailure::unreachable);
}

void UpstreamConnection::fail(UpstreamFailure failure) {
  counters_->upstream_failures.add();
  if (attached_) host_->failed(now_ms());
  give_up(failure);
}

// Ends the exchange without an answer, and tells who waits for one.
void UpstreamConnection::give_up(UpstreamFailure failure) {
  detach();
  UpstreamHandler* const handler = std::exchange(handler_, nullptr);
  close();
  in_handler_ = true;  // a cancel from within the call must not release twice
  if (handler != nullptr) handler->on_failure(failure);
  in_handler_ = false;
  release();
}

void UpstreamConnection::finish() {
  host_->circuit().completed();
  detach();
  request_.reset();
  handler_ = nullptr;
  const bool keep = reusable_ && !readable_ && !peer_closed_ && parser_.head().keep_alive &&
                    moves_ == host_->moves;
  if (!keep || !pool_.keep(*this, *host_)) {
    close();
    release();
    return;
  }
  pool_.blocks().give(std::move(block_));
  state_ = State::idle;
  idle_since_ms_ = pool_.loop().deadlines().now_ms();
  pool_.loop().deadlines().set(deadline_, kIdleMs);
}

void UpstreamConnection::close() {
  if (fd_) {
    pool_.loop().drop(*this);
    if (state_ == State::busy && (sending_ || streaming_)) {
      reset_on_close(fd_.get());  // half a request must not look like a whole one
    } else if (tls_) {
      tls_->close_notify();
    }
    tls_.reset();
    fd_.reset();
  }
  pool_.loop().deadlines().clear(deadline_);
  pool_.loop().forget_write(*this);
  state_ = State::closed;
  ahead_.reset();
  left_ = {};
  sending_ = streaming_ = piece_sent_ = false;
}

void UpstreamConnection::release() {
  detach();
  request_.reset();
  handler_ = nullptr;
  failure_.reset();
  cancelled_ = false;
  paused_ = false;
  pool_.blocks().give(std::move(block_));
  pool_.loop().forget(*this);
  pool_.give_back(*this);
}

}  // namespace paravent::proxy::net
