#include "proxy/net/door.h"

#include <span>

#include "crypto/primitives/random.h"
#include "proxy/net/socket.h"

namespace paravent::proxy::net {
namespace {

constexpr std::string_view kOverloaded =
    "HTTP/1.1 503 Service Unavailable\r\n"
    "Content-Type: application/problem+json\r\n"
    "Cache-Control: no-store\r\n"
    "Retry-After: 5\r\n"
    "Content-Length: 78\r\n"
    "Connection: close\r\n\r\n"
    "{\"type\":\"urn:paravent:problem:overloaded\",\"status\":503,"
    "\"reason\":\"overloaded\"}\n";
static_assert(kOverloaded.size() - kOverloaded.find("\r\n\r\n") - 4 == 78);

constexpr std::string_view kTooMany =
    "HTTP/1.1 429 Too Many Requests\r\n"
    "Content-Type: application/problem+json\r\n"
    "Cache-Control: no-store\r\n"
    "Retry-After: 5\r\n"
    "Content-Length: 82\r\n"
    "Connection: close\r\n\r\n"
    "{\"type\":\"urn:paravent:problem:rate-limited\",\"status\":429,"
    "\"reason\":\"rate-limited\"}\n";
static_assert(kTooMany.size() - kTooMany.find("\r\n\r\n") - 4 == 82);

body::SipKey random_key() {
  body::SipKey key;
  crypto::random_bytes({reinterpret_cast<std::uint8_t*>(&key), sizeof key});
  return key;
}

}  // namespace

Door::Door(std::function<std::uint64_t()> resident)
    : clients_(random_key()), memory_(std::move(resident)) {}

TrustedProxies::Hop Door::look_up(std::string_view address) const noexcept {
  const auto ip = read_ip_address(address);
  if (!ip) return Hop::no_address;
  return trusts(*ip) ? Hop::proxy : Hop::client;
}

void refuse_blindly(int fd, Reason reason) noexcept {
  iovec part = to_iovec(reason == Reason::rate_limited ? kTooMany : kOverloaded);
  send_gather(fd, {&part, 1});
}

}  // namespace paravent::proxy::net
