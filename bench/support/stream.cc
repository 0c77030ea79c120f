#include "bench/support/stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "bench/support/socket.h"

namespace paravent::bench {

TlsClient::TlsClient(Handshakes handshakes)
    : handshakes_(handshakes), context_(SSL_CTX_new(TLS_client_method())) {
  if (context_ == nullptr) std::abort();
  SSL_CTX_set_min_proto_version(context_, TLS1_3_VERSION);
  SSL_CTX_set_app_data(context_, this);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context_, on_session);
}

TlsClient::~TlsClient() {
  for (SSL_SESSION* session : sessions_) SSL_SESSION_free(session);
  SSL_CTX_free(context_);
}

// Each ticket is good for one connection (RFC 8446 C.4), and each connection brings one at least.
int TlsClient::on_session(SSL* tls, SSL_SESSION* session) {
  constexpr std::size_t kMost = 1024;
  auto* const client = static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls)));
  if (client->sessions_.size() >= kMost) return 0;
  client->sessions_.push_back(session);
  return 1;  // the reference is ours
}

SSL* TlsClient::open(int descriptor) {
  SSL* const tls = SSL_new(context_);
  if (tls == nullptr || SSL_set_fd(tls, descriptor) != 1) std::abort();
  if (handshakes_ == Handshakes::resumed && !sessions_.empty()) {
    SSL_set_session(tls, sessions_.back());
    SSL_SESSION_free(sessions_.back());
    sessions_.pop_back();
  }
  for (int result = SSL_connect(tls); result != 1; result = SSL_connect(tls)) {
    const int why = SSL_get_error(tls, result);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
      SSL_free(tls);
      return nullptr;
    }
    pollfd wait{descriptor, static_cast<short>(why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT), 0};
    if (poll(&wait, 1, 5000) <= 0) {
      SSL_free(tls);
      return nullptr;
    }
  }
  if (SSL_session_reused(tls) == 1) ++resumed_;
  return tls;
}

bool Stream::open(std::uint16_t port, TlsClient* tls) {
  descriptor_ = connect_loopback(port);
  if (descriptor_ < 0) return false;
  if (tls == nullptr) return true;
  tls_ = tls->open(descriptor_);
  if (tls_ != nullptr) return true;
  close();
  return false;
}

void Stream::close() {
  // Without a word to the peer, and without taking the session's ticket for spoilt.
  if (tls_ != nullptr) SSL_set_shutdown(tls_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(tls_);
  tls_ = nullptr;
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

bool Stream::send(std::string_view bytes) {
  if (tls_ != nullptr) {
    return SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size())) ==
           static_cast<int>(bytes.size());
  }
  return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
         static_cast<ssize_t>(bytes.size());
}

ssize_t Stream::send_some(std::string_view bytes) {
  const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return sent < 0 && errno == EAGAIN ? 0 : sent;
}

ssize_t Stream::receive(std::span<char> into) {
  if (tls_ == nullptr) return ::recv(descriptor_, into.data(), into.size(), 0);
  const int got = SSL_read(tls_, into.data(), static_cast<int>(into.size()));
  if (got > 0) return got;
  const int why = SSL_get_error(tls_, got);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    errno = EAGAIN;
    return -1;
  }
  return 0;
}

}  // namespace paravent::bench
