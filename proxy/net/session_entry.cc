// The session at the door: whose connection it is, and whether it and its requests may come in.

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>

#include "proxy/net/proxy_protocol.h"
#include "proxy/net/session.h"

namespace paravent::proxy::net {

// Whose connection this is, and whether it may have one more. False: it ends, and was told so where
// that takes no handshake.
bool Session::admit_client(const IpAddress& peer, bool may_tell) {
  peer_ = peer;
  const std::string text = peer.text();
  peer_size_ = static_cast<std::uint8_t>(std::min(text.size(), peer_text_.size()));
  std::copy_n(text.begin(), peer_size_, peer_text_.begin());
  Door& door = host_.door();
  trusted_ = door.trusts(peer);
  if (trusted_) return true;  // it stands for many clients
  const auto place = door.clients().place_of(peer);
  if (door.clients().open_connection(place, limits().connections_per_address)) {
    counted_ = place;
    return true;
  }
  if (may_tell) refuse_blindly(fd_.get(), Reason::rate_limited);
  host_.count_refused(Reason::rate_limited);
  return false;
}

// Looks at the PROXY header where it lies, and takes exactly its bytes: what follows is the
// connection's own.
bool Session::advance_preface() {
  if (!readable_) return false;
  std::array<char, kMostProxyHeader> bytes;
  const ssize_t seen = ::recv(fd_.get(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  if (seen < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    readable_ = false;
    return false;
  }
  ProxyHeader header;
  const auto size = static_cast<std::size_t>(std::max<ssize_t>(seen, 0));
  const ProxyStatus status = parse_proxy_header({bytes.data(), size}, header);
  if (status == ProxyStatus::need_more && size > 0 && !peer_closing_) {
    readable_ = false;  // more bytes are told again
    return false;
  }
  // Half a header, or none: there is nobody who could understand an answer.
  if (status != ProxyStatus::done ||
      receive(fd_.get(), {bytes.data(), header.size}).bytes != header.size ||
      !admit_client(header.source.value_or(peer_), !tls_)) {
    close();
    return true;
  }
  begin_stream();
  return true;
}

std::optional<Reason> Session::refused_at_door() {
  Door& door = host_.door();
  if (door.memory().level() == MemoryLevel::full) return Reason::overloaded;
  const Limits& limit = limits();
  if (limit.requests_per_second == 0) return std::nullopt;
  const auto client =
      read_ip_address(believed_client(head_, {peer_address(), trusted_, trusted_proxies()}));
  // What is no address is counted under its proxy; a proxy that speaks for itself is not counted.
  const IpAddress address = client.value_or(peer_);
  if (client && door.trusts(address)) return std::nullopt;
  const std::uint32_t burst =
      limit.request_burst > 0 ? limit.request_burst : limit.requests_per_second * 5;
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const auto now_us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  ClientLimits& clients = door.clients();
  const bool admitted = clients.admit_request(clients.place_of(address), limit.requests_per_second,
                                              burst, static_cast<std::uint64_t>(now_us));
  if (admitted) return std::nullopt;
  return Reason::rate_limited;
}

}  // namespace paravent::proxy::net
