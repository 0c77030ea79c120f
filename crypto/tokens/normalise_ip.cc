// Addresses: IPv4 dotted decimal without leading zeros, IPv6 as RFC 5952 writes it, an IPv4-mapped
// address as its IPv4. No zone, port, prefix length or brackets.

#include "crypto/base/ip_address.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/normaliser.h"
#include "crypto/tokens/normaliser_rules.h"

namespace paravent::crypto {

Status normalise_ip(std::string_view value, std::string& out) {
  std::optional<IpAddress> address = parse_ip(trim(value));
  if (!address) return Error(ErrorKind::malformed);
  append_ip(*address, out);
  wipe(*address);
  return {};
}

}  // namespace paravent::crypto
