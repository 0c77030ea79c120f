#include "proxy/net/session.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "proxy/pipeline/append_all.h"

namespace paravent::proxy::net {
namespace {

// How long a client may take to notice that we are done, so that its last answer is not lost to a
// reset.
constexpr std::uint32_t kLingerMs = 2'000;
// Steps in one go, about a dozen requests: a client that pipelines or uploads without pause must
// not keep the worker from the others.
constexpr int kStepsPerTurn = 64;
// Answers up to this size are copied and leave in one piece, together with those of other clients.
constexpr std::size_t kSmallAnswer = std::size_t{4} * 1024;

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
  // Anybody could claim any address: a PROXY header is a trusted proxy's, or there is none.
  bool may_enter = traits.proxy_protocol ? host_.door().trusts(peer) : admit_client(peer, !tls);
  if (may_enter && tls) {
    tls_ = tls::TlsStream::accept(std::move(tls), fd_.get());
    may_enter = tls_ != nullptr;
  }
  if (!may_enter || !loop_.add(fd_.get(), *this)) {
    if (counted_) host_.door().clients().close_connection(*counted_);
    counted_.reset();
    tls_.reset();
    fd_.reset();
    return false;
  }
  requests_ = 0;
  begin_ = end_ = 0;
  readable_ = peer_closing_ = peer_closed_ = false;
  receiving_ = finished_ = gone_ = write_waiting_ = send_pending_ = false;
  if (traits.proxy_protocol) {
    peer_ = peer;
    state_ = State::preface;
    loop_.deadlines().set(own_deadline_, limits().header_ms);
  } else {
    begin_stream();
  }
  return true;
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
  run();
}

void Session::abort() {
  if (state_ == State::closed) return;
  if (state_ == State::exchange && !finished_) on_gone();
  close();
}

// ---- events ----

void Session::read_ahead(std::uint32_t events) {
  if (state_ != State::idle || tls_ || end_ != begin_ || ahead_ || (events & EPOLLIN) == 0) return;
  make_room();
  const IoResult got = receive(fd_.get(), block_->bytes().subspan(end_));
  if (!got.would_block) ahead_ = got;
}

void Session::on_ready(std::uint32_t events) {
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

void Session::on_deadline(DeadlineSlot slot) {
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

IoResult Session::write(std::span<iovec> parts) {
  if (!tls_) return send_gather(fd_.get(), parts);
  const tls::TlsResult sent = tls_->send(parts);
  return {.bytes = sent.bytes, .would_block = sent.would_block, .failed = sent.failed};
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

// ---- the exchange ----

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
  state_ = State::exchange;
  loop_.deadlines().clear(own_deadline_);
  generation_ = host_.generation();
  if (!transaction_) transaction_ = host_.transactions().take(*this, *this);
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

void Session::finished(bool keep_alive) {
  finished_ = true;
  keep_alive_ = keep_alive;
  if (!running_) loop_.defer(*this);
}

void Session::finish_exchange() {
  finished_ = receiving_ = false;
  loop_.deadlines().clear(exchange_deadline_);
  loop_.deadlines().clear(own_deadline_);
  const bool settled = body_.settled();
  begin_ = body_.next();
  end_ = body_.filled();
  body_.end();
  generation_.reset();
  host_.transactions().give(std::move(transaction_));
  if (gone_ || send_pending_) {
    close();
    return;
  }
  if (!settled || !keep_alive_ || !head_.keep_alive) {
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
      run();
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

// ---- writing ----

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

void Session::write_now() {
  iovec part = to_iovec(unsent_);
  const IoResult sent = write({&part, 1});
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
  } else {
    on_gone();
  }
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
  write_waiting_ = send_pending_ = false;
  ahead_.reset();
  loop_.deadlines().clear(own_deadline_);
  loop_.deadlines().clear(exchange_deadline_);
  if (tls_) tls_->close_notify();
  tls_.reset();
  fd_.reset();
  body_.end();
  generation_.reset();
  host_.blocks().give(std::move(block_));
  if (unsent_.capacity() > ReadBlockPool::kUsualBytes) unsent_ = std::string();
  host_.on_closed(*this);
}

}  // namespace paravent::proxy::net
