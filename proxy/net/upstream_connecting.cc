// How an upstream connection comes to be: each address of a target, then the next target; over TLS
// with a handshake.

#include "proxy/net/upstream_connection.h"

namespace paravent::proxy::net {

void UpstreamConnection::connect_next() {
  const auto& addresses = host_->address->addresses;
  close();
  moves_ = host_->moves;
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
    tls_->keep_warm(pool_.warm_streams());
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

}  // namespace paravent::proxy::net
