#include "proxy/net/socket.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "proxy/net/ip_range.h"

namespace paravent::proxy::net {
namespace {

using crypto::Error;
using crypto::ErrorKind;

// The three calls of the data path. libc's wrappers are cancellation points, and in a program of
// several threads they pay for that on each call; a sanitizer watches the buffers of the wrappers
// alone.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PARAVENT_WATCHED_CALLS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PARAVENT_WATCHED_CALLS 1
#endif
#endif

#ifdef PARAVENT_WATCHED_CALLS
ssize_t receive_once(int fd, std::span<char> into) noexcept {
  return ::recv(fd, into.data(), into.size(), 0);
}
ssize_t send_once(int fd, const iovec& part, int flags) noexcept {
  return ::send(fd, part.iov_base, part.iov_len, flags);
}
ssize_t send_message(int fd, const msghdr& message, int flags) noexcept {
  return ::sendmsg(fd, &message, flags);
}
#else
ssize_t receive_once(int fd, std::span<char> into) noexcept {
  return syscall(SYS_recvfrom, fd, into.data(), into.size(), 0, nullptr, nullptr);
}
ssize_t send_once(int fd, const iovec& part, int flags) noexcept {
  return syscall(SYS_sendto, fd, part.iov_base, part.iov_len, flags, nullptr, 0);
}
ssize_t send_message(int fd, const msghdr& message, int flags) noexcept {
  return syscall(SYS_sendmsg, fd, &message, flags);
}
#endif

bool set_flag(int fd, int level, int option) noexcept {
  const int on = 1;
  return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

std::string name_of(const SocketAddress& address) {
  return ListenEndpoint{ip_address_of(address.storage).text(), address.port(), false}.text();
}

Error listen_error(const SocketAddress& address, int error) {
  if (error == EADDRINUSE) {
    return {ErrorKind::busy, "The address " + name_of(address) +
                                 " is in use by another process; stop it or listen elsewhere."};
  }
  // Not this machine's, or not this user's: to be changed where it was written.
  const bool asked_wrongly =
      error == EACCES || error == EADDRNOTAVAIL || error == EAFNOSUPPORT || error == EINVAL;
  return {asked_wrongly ? ErrorKind::configuration : ErrorKind::unreachable,
          "Cannot listen on " + name_of(address) + ": " + std::strerror(error) + "."};
}

crypto::Result<UniqueFd> bind_socket(const SocketAddress& address, bool shared) {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return listen_error(address, errno);
  if (!set_flag(fd.get(), SOL_SOCKET, SO_REUSEADDR) ||
      (shared && !set_flag(fd.get(), SOL_SOCKET, SO_REUSEPORT)) ||
      ::bind(fd.get(), address.get(), address.size) != 0) {
    return listen_error(address, errno);
  }
  return fd;
}

}  // namespace

std::uint16_t SocketAddress::port() const noexcept {
  if (family() == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage, sizeof v4);
    return ntohs(v4.sin_port);
  }
  if (family() == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &storage, sizeof v6);
    return ntohs(v6.sin6_port);
  }
  return 0;
}

std::string ListenEndpoint::text() const {
  const bool v6 = address.find(':') != std::string::npos;
  return (v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

crypto::Result<SocketAddress> socket_address(const ListenEndpoint& endpoint) {
  const auto ip = parse_ip_address(endpoint.address);
  if (!ip) {
    return Error(ErrorKind::configuration, "'" + endpoint.address.substr(0, 64) +
                                               "' is no IP address to listen on; write for "
                                               "example 127.0.0.1:8080 or [::]:8080.");
  }
  SocketAddress result;
  if (ip->is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, ip->bytes.data() + 12, 4);
    std::memcpy(&result.storage, &v4, sizeof v4);
    result.size = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::memcpy(&v6.sin6_addr, ip->bytes.data(), 16);
    std::memcpy(&result.storage, &v6, sizeof v6);
    result.size = sizeof v6;
  }
  return result;
}

crypto::Result<SocketAddress> unix_address(std::string_view path) {
  sockaddr_un name{};
  if (path.empty() || path.size() >= sizeof name.sun_path) {
    return Error(ErrorKind::malformed, "A Unix socket's path has 1 to 107 bytes.");
  }
  name.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), name.sun_path);
  SocketAddress result;
  std::memcpy(&result.storage, &name, sizeof name);
  result.size = sizeof name;
  return result;
}

crypto::Result<UniqueFd> open_listener(const SocketAddress& address, bool shared) {
  auto fd = bind_socket(address, shared);
  if (!fd) return fd;
  // Accepted sockets inherit it: a client that does not read pins this much of what is to be sent,
  // not the megabytes that the kernel would take.
  const int unsent = 128 * 1024;
  setsockopt(fd->get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
  if (!set_flag(fd->get(), IPPROTO_TCP, TCP_NODELAY) || ::listen(fd->get(), 4096) != 0) {
    return listen_error(address, errno);
  }
  return fd;
}

SocketAddress local_address(int fd) noexcept {
  SocketAddress result;
  result.size = sizeof result.storage;
  getsockname(fd, reinterpret_cast<sockaddr*>(&result.storage), &result.size);
  return result;
}

crypto::Status check_port_free(const SocketAddress& address) {
  if (address.port() == 0) return {};
  // Without SO_REUSEPORT a listening socket on that port is in the way, whoever owns it.
  const auto probe = bind_socket(address, false);
  if (!probe) return probe.error();
  return {};
}

bool is_own_address(const SocketAddress& address) noexcept {
  // Only an own address can be bound. A datagram socket disturbs nobody; the port does not matter.
  SocketAddress any_port = address;
  if (address.family() == AF_INET) {
    const in_port_t zero = 0;
    std::memcpy(reinterpret_cast<char*>(&any_port.storage) + offsetof(sockaddr_in, sin_port), &zero,
                sizeof zero);
  } else if (address.family() == AF_INET6) {
    const in_port_t zero = 0;
    std::memcpy(reinterpret_cast<char*>(&any_port.storage) + offsetof(sockaddr_in6, sin6_port),
                &zero, sizeof zero);
  } else {
    return false;
  }
  const UniqueFd fd(::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return fd && ::bind(fd.get(), any_port.get(), any_port.size) == 0;
}

UniqueFd start_connect(const SocketAddress& address) noexcept {
  UniqueFd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return fd;
  if (address.family() != AF_UNIX) set_flag(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  if (::connect(fd.get(), address.get(), address.size) != 0 && errno != EINPROGRESS) fd.reset();
  return fd;
}

int connect_error(int fd) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

IoResult receive(int fd, std::span<char> into) noexcept {
  for (;;) {
    const ssize_t n = receive_once(fd, into);
    if (n > 0) return {.bytes = static_cast<std::size_t>(n)};
    if (n == 0) return {.end = true};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {.would_block = true};
    return {.failed = true};
  }
}

IoResult send_gather(int fd, std::span<iovec> parts, bool more) noexcept {
  constexpr std::size_t kMost = 64;
  const int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = std::min(parts.size(), kMost);
  for (;;) {
    // One part needs no message header, which the kernel would have to copy in.
    const ssize_t n =
        parts.size() == 1 ? send_once(fd, parts.front(), flags) : send_message(fd, message, flags);
    if (n >= 0) return {.bytes = static_cast<std::size_t>(n)};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {.would_block = true};
    return {.failed = true};
  }
}

void reset_on_close(int fd) noexcept {
  const linger now{1, 0};
  static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now));
}

std::size_t unacknowledged(int fd) noexcept {
  int bytes = 0;
  if (::ioctl(fd, SIOCOUTQ, &bytes) != 0 || bytes < 0) return 0;
  return static_cast<std::size_t>(bytes);
}

std::span<iovec> consume(std::span<iovec> parts, std::size_t bytes) noexcept {
  while (!parts.empty() && bytes >= parts.front().iov_len) {
    bytes -= parts.front().iov_len;
    parts = parts.subspan(1);
  }
  if (!parts.empty()) {
    parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + bytes;
    parts.front().iov_len -= bytes;
  }
  return parts;
}

}  // namespace paravent::proxy::net
