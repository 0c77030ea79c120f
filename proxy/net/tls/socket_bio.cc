#include "proxy/net/tls/socket_bio.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace paravent::proxy::net::tls {
namespace {

SocketState& state_of(BIO* bio) { return *static_cast<SocketState*>(BIO_get_data(bio)); }

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

int read_some(BIO* bio, char* into, std::size_t size, std::size_t* got) {
  SocketState& state = state_of(bio);
  BIO_clear_retry_flags(bio);
  *got = 0;
  if (state.drained) {
    BIO_set_retry_read(bio);
    return 0;
  }
  const std::size_t most = std::min(size, state.budget);
  if (most == 0) return 0;
  for (;;) {
    const ssize_t n = ::recv(state.fd, into, most, 0);
    if (n > 0) {
      *got = static_cast<std::size_t>(n);
      state.budget -= *got;
      state.drained = *got < most && !state.closing;
      return 1;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && would_block()) BIO_set_retry_read(bio);
    if (n == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return 0;
  }
}

int write_some(BIO* bio, const char* from, std::size_t size, std::size_t* put) {
  BIO_clear_retry_flags(bio);
  *put = 0;
  for (;;) {
    const ssize_t n = ::send(state_of(bio).fd, from, size, MSG_NOSIGNAL);
    if (n >= 0) {
      *put = static_cast<std::size_t>(n);
      return 1;
    }
    if (errno == EINTR) continue;
    if (would_block()) BIO_set_retry_write(bio);
    return 0;
  }
}

long control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_EOF:
      return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
    default:
      return 0;
  }
}

int create(BIO* bio) {
  BIO_set_init(bio, 1);
  BIO_set_shutdown(bio, 0);
  return 1;
}

}  // namespace

Handle<BIO_METHOD> make_socket_methods() {
  Handle<BIO_METHOD> methods(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "paravent socket"));
  if (!methods) return nullptr;
  const bool ok = BIO_meth_set_read_ex(methods.get(), read_some) == 1 &&
                  BIO_meth_set_write_ex(methods.get(), write_some) == 1 &&
                  BIO_meth_set_ctrl(methods.get(), control) == 1 &&
                  BIO_meth_set_create(methods.get(), create) == 1;
  return ok ? std::move(methods) : nullptr;
}

Handle<BIO> make_socket_bio(const BIO_METHOD& methods, SocketState& state) {
  Handle<BIO> bio(BIO_new(&methods));
  if (bio) BIO_set_data(bio.get(), &state);
  return bio;
}

}  // namespace paravent::proxy::net::tls
