// The few socket calls of the data path, non-blocking throughout, with errors as values.

#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "proxy/net/unique_fd.h"

namespace paravent::proxy::net {

// A socket address of any family that we speak (IPv4, IPv6, Unix).
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  int family() const noexcept { return storage.ss_family; }
  std::uint16_t port() const noexcept;  // 0 for Unix sockets
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
};

// Where to listen: an address without brackets, and a port; port 0 lets the system choose.
struct ListenEndpoint {
  std::string address;
  std::uint16_t port = 0;
  bool proxy_protocol = false;  // connections begin with a PROXY header (proxy_protocol.h)

  std::string text() const;  // "127.0.0.1:8080", "[::1]:8080"
};

// configuration: not an IP address.
crypto::Result<SocketAddress> socket_address(const ListenEndpoint& endpoint);
// malformed: longer than a socket path may be.
crypto::Result<SocketAddress> unix_address(std::string_view path);

// Binds and listens. With `shared`, several sockets of this process may listen on the same port and
// the kernel spreads connections over them (SO_REUSEPORT). busy: the port is in use. Accepted
// sockets inherit TCP_NODELAY.
crypto::Result<UniqueFd> open_listener(const SocketAddress& address, bool shared);
// The address that a socket is bound to.
SocketAddress local_address(int fd) noexcept;

// busy: somebody listens there. Two gateways with SO_REUSEPORT could otherwise share a port
// unnoticed.
crypto::Status check_port_free(const SocketAddress& address);
// True when the address is one of this machine's own.
bool is_own_address(const SocketAddress& address) noexcept;

// A connection attempt under way or done; an invalid descriptor when it failed at once.
UniqueFd start_connect(const SocketAddress& address) noexcept;
// The outcome of a non-blocking connect once the socket is writable: 0 or an errno.
int connect_error(int fd) noexcept;

// What one call moved: bytes > 0; 0 with `end` (reads only); else would_block or failed.
struct IoResult {
  std::size_t bytes = 0;
  bool would_block = false;
  bool end = false;
  bool failed = false;
};
IoResult receive(int fd, std::span<char> into) noexcept;
// `more`: shutdown() or another write follows at once, with which these bytes may leave.
IoResult send_gather(int fd, std::span<iovec> parts, bool more = false) noexcept;

// Closing will reset the connection: the other side learns that something was broken off.
void reset_on_close(int fd) noexcept;

// Bytes that the kernel holds for the other side and that it has not acknowledged yet.
std::size_t unacknowledged(int fd) noexcept;

// Takes `bytes` off the front of `parts`, which are adjusted in place; returns what is left of
// them.
std::span<iovec> consume(std::span<iovec> parts, std::size_t bytes) noexcept;

inline iovec to_iovec(std::string_view text) noexcept {
  return {const_cast<char*>(text.data()), text.size()};
}

}  // namespace paravent::proxy::net
