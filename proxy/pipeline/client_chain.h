// Who the client is, as far as it can be believed: the socket's peer, or what the chain of trusted
// proxies in front of us says, walked from the right until the first address that is no proxy of
// ours. X-Forwarded-For in its usual form; Forwarded read strictly (RFC 7239).
//
// Pure functions; views of the head or of the peer; allocates nothing.

#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/pipeline/http_head.h"

namespace paravent::proxy {

// Tells the addresses of `trusted-proxies` from others. Outlives whoever holds it.
class TrustedProxies {
 public:
  enum class Hop : std::uint8_t { no_address, proxy, client };
  // `address` in text, without port, brackets or zone.
  virtual Hop look_up(std::string_view address) const noexcept = 0;

 protected:
  ~TrustedProxies() = default;
};

struct Peer {
  std::string_view address;  // of the socket, without port
  bool trusted = false;      // one of trusted-proxies
  // Null: every address that the peer names is a client's.
  const TrustedProxies* proxies = nullptr;
};

// The client's address in text without port. Empty when the chain ends in something that is no
// address ("unknown", an obfuscated name, a slip), or when the two headers disagree: a proxy that
// writes one of them passes the other on as the client sent it, so neither can be preferred.
std::string_view believed_client(const RequestHead& head, const Peer& peer) noexcept;

}  // namespace paravent::proxy
