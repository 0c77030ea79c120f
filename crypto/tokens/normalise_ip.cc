// Addresses: IPv4 dotted decimal without leading zeros, IPv6 as RFC 5952 writes it, an IPv4-mapped
// address as its IPv4. No zone, port, prefix length or brackets.

#include "crypto/base/ip_address.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/normaliser.h"
#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/utf8.h"
#include "crypto/tokens/written_text.h"

namespace paravent::crypto {

Status normalise_ip(std::string_view value, std::string& out) {
  WrittenText written;
  if (is_ascii(value)) {
    value = trim(value);
  } else if (written.read(value)) {  // pasted together with a mark that nobody sees
    value = written.text();
  }
  IpAddress bytes{};
  const Status status = parse_ip(value, bytes);
  if (status) append_ip(bytes, out);
  wipe(bytes);
  return status;
}

}  // namespace paravent::crypto
