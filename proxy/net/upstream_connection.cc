#include "proxy/net/upstream_connection.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace paravent::proxy::net {
namespace {

// More interim answers than this before the final one are a flood.
constexpr unsigned kMostInterim = 8;
// Applications close idle connections after 5 s (Node, Apache) to 75 s. A connection that has
// rested longer than kFresh is looked at before a request that cannot be repeated is trusted to it.
constexpr std::uint32_t kIdleMs = 30'000;
constexpr std::uint64_t kFreshMs = 500;
// Reads in one go; a long answer that both sides move quickly shares the worker.
constexpr int kReadsPerTurn = 16;

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
  cancelled_ = false;
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
  host.begin();
}

void UpstreamConnection::detach() noexcept {
  if (std::exchange(attached_, false)) host_->end();
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
  if (request.may_retry()) return true;
  if (pool_.loop().deadlines().now_ms() - idle_since_ms_ < kFreshMs) return true;
  return is_silent();
}

void UpstreamConnection::discard() {
  pool_.leave(*this, *host_);
  close();
  release();
}

void UpstreamConnection::connect_next() {
  const auto& addresses = host_->address->addresses;
  close();
  state_ = State::connecting;
  while (next_address_ < addresses.size()) {
    fd_ = start_connect(addresses[next_address_++]);
    if (!fd_) continue;
    if (pool_.loop().add(fd_.get(), *this)) {
      counters_->upstream_connects.add();
      host_->statistics->connects.add();
      pool_.loop().deadlines().set(deadline_, limits_->connect_ms);
      return;
    }
    fd_.reset();
  }
  host_->failed(now_ms());
  next_host();
}

// No connection, so nothing was sent, and another target may take the request, whatever it is.
void UpstreamConnection::next_host() {
  detach();
  UpstreamHost* const other = group_->choose(now_ms(), limits_->upstream_requests, tried_);
  if (other != nullptr) {
    attach(*other);
    next_address_ = 0;
    connect_next();
    return;
  }
  failure_ = UpstreamFailure::unreachable;
  pool_.loop().defer(*this);
}

void UpstreamConnection::shake_hands() {
  switch (tls_->handshake()) {
    case tls::HandshakeStatus::would_block:
      return;
    case tls::HandshakeStatus::failed:
      connect_next();
      return;
    case tls::HandshakeStatus::done:
      begin_request();
      return;
  }
}

void UpstreamConnection::on_connected(std::uint32_t events) {
  if (connect_error(fd_.get()) != 0) {
    connect_next();
    return;
  }
  if (const auto& context = host_->address->setting.tls) {
    tls_ = tls::TlsStream::connect(context, fd_.get());
    if (!tls_) {
      connect_next();
      return;
    }
    state_ = State::handshake;
    shake_hands();
    return;
  }
  if ((events & EPOLLIN) != 0) {  // an answer to nothing
    fail(UpstreamFailure::bad_answer);
    return;
  }
  begin_request();
}

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

void UpstreamConnection::on_ready(std::uint32_t events) {
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
  if ((events & EPOLLOUT) != 0 && sending_) write_request();
  read_answer();
}

void UpstreamConnection::on_idle_event() {
  // The edge may belong to bytes that were read before it was told; only silence is innocent.
  if (!is_silent()) discard();
}

void UpstreamConnection::on_deadline(DeadlineSlot) {
  switch (state_) {
    case State::closed:
      return;
    case State::idle:
      discard();
      return;
    case State::connecting:
    case State::handshake:
      connect_next();
      if (failure_) run_task();
      return;
    case State::busy:
      fail(UpstreamFailure::timeout);
      return;
  }
}

void UpstreamConnection::run_task() {
  if (failure_) {
    fail(*failure_);
    return;
  }
  if (std::exchange(piece_sent_, false)) piece_sent();
  if (state_ == State::busy) {
    read_answer();
  }
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
    if (got.bytes == 0) {
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

IoResult UpstreamConnection::write(std::span<iovec> parts) {
  if (!tls_) return send_gather(fd_.get(), parts);
  const tls::TlsResult sent = tls_->send(parts);
  return {.bytes = sent.bytes, .would_block = sent.would_block, .failed = sent.failed};
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
  host_->succeeded();
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
  detach();
  UpstreamHandler* const handler = std::exchange(handler_, nullptr);
  close();
  in_handler_ = true;  // a cancel from within the call must not release twice
  if (handler != nullptr) handler->on_failure(failure);
  in_handler_ = false;
  release();
}

void UpstreamConnection::finish() {
  detach();
  request_.reset();
  handler_ = nullptr;
  const bool keep = reusable_ && !readable_ && !peer_closed_ && parser_.head().keep_alive;
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
