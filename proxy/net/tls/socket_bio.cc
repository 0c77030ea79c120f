#include "proxy/net/tls/socket_bio.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "crypto/base/out_of_memory.h"

namespace paravent::proxy::net::tls {
namespace {

SocketState& state_of(BIO* bio) { return *static_cast<SocketState*>(BIO_get_data(bio)); }

// A flight of a handshake with a chain of certificates is less.
constexpr std::size_t kMostHeld = std::size_t{16} * 1024;

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

// `sent` bytes have left; how many of them were held.
std::size_t drop_held(SocketState& state, std::size_t sent) {
  const std::size_t gone = std::min(sent, state.held.size());
  if (gone == state.held.size()) {
    state.held = std::vector<char>();  // with its memory: a connection writes so once in its life
  } else {
    state.held.erase(state.held.begin(), state.held.begin() + static_cast<std::ptrdiff_t>(gone));
  }
  return gone;
}

int read_some(BIO* bio, char* into, std::size_t size, std::size_t* got) {
  SocketState& state = state_of(bio);
  BIO_clear_retry_flags(bio);
  *got = 0;
  if (state.holding) {
    switch (flush_held(state)) {
      case FlushStatus::done:
        break;
      case FlushStatus::would_block:  // the owner comes again at either readiness
        BIO_set_retry_read(bio);
        return 0;
      case FlushStatus::failed:
        return 0;
    }
  }
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

// What is held, and then `from`, in one call.
ssize_t send_behind_held(SocketState& state, const char* from, std::size_t size) {
  // The system's interface takes a mutable pointer and only reads it.
  std::array<iovec, 2> parts = {iovec{state.held.data(), state.held.size()},
                                iovec{const_cast<char*>(from), size}};
  const bool alone = state.held.empty();
  msghdr message{};
  message.msg_iov = parts.data() + (alone ? 1 : 0);
  message.msg_iovlen = alone || size == 0 ? 1 : 2;
  for (;;) {
    const ssize_t n = ::sendmsg(state.fd, &message, MSG_NOSIGNAL);
    if (n >= 0 || errno != EINTR) return n;
  }
}

int write_some(BIO* bio, const char* from, std::size_t size, std::size_t* put) {
  SocketState& state = state_of(bio);
  BIO_clear_retry_flags(bio);
  *put = 0;
  if (state.holding && size <= kMostHeld - state.held.size()) {
    // OpenSSL's frames are no place for an exception: without the memory the write has failed.
    if (!crypto::with_memory([&] { state.held.insert(state.held.end(), from, from + size); })) {
      return 0;
    }
    *put = size;
    return 1;
  }
  const ssize_t n = send_behind_held(state, from, size);
  if (n < 0) {
    if (would_block()) BIO_set_retry_write(bio);
    return 0;
  }
  *put = static_cast<std::size_t>(n) - drop_held(state, static_cast<std::size_t>(n));
  if (*put > 0) return 1;
  BIO_set_retry_write(bio);
  return 0;
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

FlushStatus flush_held(SocketState& state) {
  while (!state.held.empty()) {
    const ssize_t n = send_behind_held(state, nullptr, 0);
    if (n < 0) return would_block() ? FlushStatus::would_block : FlushStatus::failed;
    drop_held(state, static_cast<std::size_t>(n));
  }
  return FlushStatus::done;
}

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
