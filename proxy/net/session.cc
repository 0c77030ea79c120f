#include "proxy/net/session.h"

#include <sys/socket.h>

#include <array>
#include <utility>

#include "crypto/base/out_of_memory.h"

namespace paravent::proxy::net {
namespace {

// How long a client may take to notice that we are done, so that its last answer is not lost to a
// reset.
constexpr std::uint32_t kLingerMs = 2'000;
// Steps in one go, about a dozen requests: a client that pipelines or uploads without pause must
// not keep the worker from the others.
constexpr int kStepsPerTurn = 64;

}  // namespace

Session::Session(SessionHost& host)
    : host_(host),
      loop_(host.loop()),
      own_deadline_(loop_.deadlines().add(*this)),
      exchange_deadline_(loop_.deadlines().add(*this)) {}

Session::~Session() {
  if (fd_) loop_.drop(*this);
  loop_.forget(*this);
  loop_.forget_write(*this);
  loop_.deadlines().remove(own_deadline_);
  loop_.deadlines().remove(exchange_deadline_);
}

const Limits& Session::limits() const noexcept {
  return (generation_ ? generation_ : host_.generation())->state->snapshot->limits;
}

bool Session::open(UniqueFd fd, const IpAddress& peer, const ListenerTraits& traits,
                   std::shared_ptr<const tls::ServerContext> tls) {
  fd_ = std::move(fd);
  bool entered = false;
  if (!crypto::with_memory([&] { entered = enter(peer, traits, std::move(tls)); }) || !entered) {
    if (counted_) host_.door().clients().close_connection(*counted_);
    counted_.reset();
    tls_.reset();
    fd_.reset();
    return false;
  }
  requests_ = 0;
  begin_ = end_ = 0;
  readable_ = peer_closing_ = peer_closed_ = false;
  receiving_ = finished_ = broken_ = gone_ = write_waiting_ = send_pending_ = false;
  if (traits.proxy_protocol) {
    peer_ = peer;
    state_ = State::preface;
    loop_.deadlines().set(own_deadline_, limits().header_ms);
  } else {
    begin_stream();
  }
  return true;
}

bool Session::enter(const IpAddress& peer, const ListenerTraits& traits,
                    std::shared_ptr<const tls::ServerContext> tls) {
  // Anybody could claim any address: a PROXY header is a trusted proxy's, or there is none.
  if (!(traits.proxy_protocol ? host_.door().trusts(peer) : admit_client(peer, !tls))) return false;
  if (tls) {
    tls_ = tls::TlsStream::accept(std::move(tls), fd_.get());
    if (!tls_) return false;
    tls_->keep_warm(host_.warm_streams());
  }
  return loop_.add(fd_.get(), *this);
}

void Session::shed() {
  if (state_ == State::idle && end_ == begin_ && !readable_ && !ahead_) close();
}

void Session::drain() {
  if (state_ == State::preface || state_ == State::handshake) {
    close();
    return;
  }
  if (state_ != State::idle) return;
  // What has arrived unnoticed is still served; silence ends the connection.
  readable_ = true;
  if (tls_) tls_->on_readable(false);
  take_step([this] { run(); });
}

void Session::abort() {
  if (state_ == State::closed) return;
  if (state_ == State::exchange && !finished_) on_gone();
  close();
}

// ---- events ----

template <typename Step>
void Session::take_step(Step&& step) {
  if (crypto::with_memory(step)) return;
  running_ = false;
  abort();
}

void Session::read_ahead(std::uint32_t events) {
  if (state_ != State::idle || tls_ || end_ != begin_ || ahead_ || (events & EPOLLIN) == 0) return;
  if (!crypto::with_memory([this] { make_room(); })) return;  // on_ready() tries again
  const IoResult got = receive(fd_.get(), block_->bytes().subspan(end_));
  if (!got.would_block) ahead_ = got;
}

void Session::on_ready(std::uint32_t events) {
  take_step([this, events] { take_events(events); });
}

void Session::on_deadline(DeadlineSlot slot) {
  take_step([this, slot] { take_deadline(slot); });
}

void Session::run_task() {
  take_step([this] { run(); });
}

void Session::write_now() {
  take_step([this] { write_answer(); });
}

void Session::take_events(std::uint32_t events) {
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) peer_closing_ = true;
  if (tls_) {
    tls_->on_readable(peer_closing_);
    readable_ = true;  // also what waits to be written may be what reading waits for
  }
  if ((events & (EPOLLHUP | EPOLLERR)) != 0 && state_ == State::exchange) {
    on_gone();
  } else if ((events & EPOLLOUT) != 0 && send_pending_) {
    flush();
  }
  run();
}

void Session::take_deadline(DeadlineSlot slot) {
  if (slot == exchange_deadline_) {
    if (state_ == State::exchange && !finished_) transaction_->on_deadline();
  } else if (state_ == State::head) {
    refuse_head(Reason::timeout);
  } else if (state_ == State::exchange) {
    if (receiving_) {
      check_body_pace();
    } else if (send_pending_) {
      check_write_progress();
    }
  } else if (state_ != State::closed) {
    close();
  }
  run();
}

void Session::run() {
  if (std::exchange(running_, true)) return;
  int steps = 0;
  while (steps < kStepsPerTurn && advance()) ++steps;
  if (steps == kStepsPerTurn) loop_.defer(*this);
  running_ = false;
}

// One step of the connection; false when nothing can be done before somebody calls.
bool Session::advance() {
  switch (state_) {
    case State::closed:
      return false;
    case State::preface:
      return advance_preface();
    case State::handshake:
      return advance_handshake();
    case State::idle:
      return advance_idle();
    case State::head:
      return advance_head();
    case State::exchange:
      if (finished_) {
        if (write_waiting_) return false;
        finish_exchange();
        return true;
      }
      return receiving_ && advance_body();
    case State::lingering:
      return advance_lingering();
  }
  return false;
}

// The connection's own first byte comes next.
void Session::begin_stream() {
  state_ = tls_ ? State::handshake : State::idle;
  loop_.deadlines().set(own_deadline_, tls_ ? limits().handshake_ms : limits().idle_ms);
}

bool Session::advance_handshake() {
  if (!std::exchange(readable_, false)) return false;
  auto& counters = *host_.generation()->state->counters;
  switch (tls_->handshake()) {
    case tls::HandshakeStatus::would_block:
      return false;
    case tls::HandshakeStatus::failed:
      counters.tls_failures.add();
      close();
      return true;
    case tls::HandshakeStatus::done:
      break;
  }
  counters.tls_handshakes.add();
  if (tls_->resumed()) counters.tls_resumptions.add();
  // Bytes behind the handshake may have been read with it.
  readable_ = true;
  state_ = State::idle;
  loop_.deadlines().set(own_deadline_, limits().idle_ms);
  return true;
}

bool Session::advance_idle() {
  if (end_ > begin_) {
    begin_head();
    return true;
  }
  if ((readable_ || ahead_) && !peer_closed_) return fill();
  host_.blocks().give(std::move(block_));
  if (!peer_closed_ && !host_.draining()) return false;
  close();
  return true;
}

bool Session::advance_head() {
  switch (parser_.parse(block_->bytes().subspan(begin_, end_ - begin_))) {
    case http1::ParseStatus::done:
      start_exchange();
      return true;
    case http1::ParseStatus::refused:
      refuse_head(parser_.reason());
      return true;
    case http1::ParseStatus::need_more:
      break;
  }
  if (peer_closed_) {  // half a head and no more: there is nobody to answer
    close();
    return true;
  }
  return readable_ && fill();
}

bool Session::advance_lingering() {
  if (!readable_) return false;
  std::array<char, 4096> waste;
  const IoResult got = read(waste);
  if (got.would_block) return false;
  if (got.bytes == 0) close();
  return true;
}

// Reads once and says in readable_ whether there may be more: a short read has emptied the socket,
// unless its end is still to be read.
IoResult Session::read(std::span<char> into) {
  if (!tls_) {
    const IoResult got = ahead_ ? *std::exchange(ahead_, std::nullopt) : receive(fd_.get(), into);
    readable_ = !got.would_block && (got.bytes == into.size() || peer_closing_);
    return got;
  }
  const tls::TlsResult got = tls_->receive(into);
  readable_ =
      !got.would_block && (got.bytes == into.size() || peer_closing_ || tls_->more_to_read());
  return {.bytes = got.bytes, .would_block = got.would_block, .end = got.end, .failed = got.failed};
}

// Reads once into the block. False when nothing came.
bool Session::fill() {
  make_room();
  const std::span<char> room = block_->bytes().subspan(end_);
  const IoResult got = read(room);
  if (got.would_block) return state_ == State::idle;  // so that the block goes back
  if (got.bytes == 0) {
    peer_closed_ = true;
    return true;
  }
  end_ += got.bytes;
  return true;
}

// Nobody holds a view of a block whose bytes are used up: it begins anew, or a head that filled it
// to its end would leave no room for the next one, and a read of nothing looks like the stream's
// end.
void Session::make_room() {
  if (block_) {
    if (begin_ == end_) begin_ = end_ = 0;
    return;
  }
  block_ =
      host_.blocks().take(limits().header_bytes + ReadBlockPool::kHeadroom, limits().header_count);
  begin_ = end_ = 0;
}

// ---- the end ----

// The client is gone in the middle of an exchange; the transaction ends it by finished().
void Session::on_gone() {
  if (std::exchange(write_waiting_, false)) {  // it has ended it, trusting in a write that failed
    gone_ = true;
    return;
  }
  if (finished_ || std::exchange(gone_, true)) return;
  if (std::exchange(send_pending_, false)) {
    transaction_->on_sent(false);
  } else if (std::exchange(receiving_, false)) {
    transaction_->on_body({BodyStatus::gone, {}});
  } else {
    transaction_->on_client_gone();
  }
}

// Closes so that the client can read its last answer: what it still sends is read and thrown away,
// because unread bytes at close() would reset the connection (RFC 9112 9.6).
void Session::linger() {
  host_.blocks().give(std::move(block_));
  begin_ = end_ = 0;
  if (tls_) tls_->close_notify();
  if (peer_closed_ || ::shutdown(fd_.get(), SHUT_WR) != 0) {
    close();
    return;
  }
  state_ = State::lingering;
  loop_.deadlines().set(own_deadline_, kLingerMs);
}

void Session::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  if (counted_) host_.door().clients().close_connection(*counted_);
  counted_.reset();
  loop_.drop(*this);
  loop_.forget(*this);
  loop_.forget_write(*this);
  broken_ = broken_ || write_waiting_ || send_pending_;
  write_waiting_ = send_pending_ = false;
  ahead_.reset();
  loop_.deadlines().clear(own_deadline_);
  loop_.deadlines().clear(exchange_deadline_);
  if (broken_) {
    reset_on_close(fd_.get());
  } else if (tls_) {
    tls_->close_notify();
  }
  tls_.reset();
  fd_.reset();
  body_.end();
  generation_.reset();
  // Ended in the midst of an exchange: with its last call, when none of the transaction's is under
  // way any more.
  if (transaction_ && transaction_->phase() == Phase::idle) {
    host_.transactions().give(std::move(transaction_));
  }
  host_.blocks().give(std::move(block_));
  if (unsent_.capacity() > ReadBlockPool::kUsualBytes) unsent_ = std::string();
  host_.on_closed(*this);
}

}  // namespace paravent::proxy::net
