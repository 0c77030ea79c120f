#include "proxy/pipeline/client_address.h"

#include "crypto/tokens/normaliser.h"
#include "proxy/pipeline/generalise/bare_address.h"
#include "proxy/pipeline/generalise/truncate_address.h"

namespace paravent::proxy {
namespace {

using policies::ClientAddress;

// The default cut: a /16 of IPv4 and a /48 of IPv6 (constructions 4.8).
constexpr std::uint32_t kIpv4Bits = 16;
constexpr std::uint32_t kIpv6Bits = 48;

}  // namespace

void append_believed_address(const RequestHead& head, const Peer& peer, std::string& out) {
  // What is not an address cannot be made one; then nothing is said.
  const std::string_view client = bare_address(believed_client(head, peer));
  static_cast<void>(crypto::normalise(crypto::Kind::ip, client, {}, out));
}

bool address_line_passes(ClientAddress rule, const Peer& peer) {
  return rule == ClientAddress::keep && peer.trusted;
}

void append_client_address(const policies::RoutePlan& route, const RequestHead& head,
                           const Peer& peer, std::string_view pseudonym, std::string& out) {
  constexpr std::string_view kName = "X-Forwarded-For: ";
  switch (route.client_address) {
    case ClientAddress::drop:
      return;
    case ClientAddress::pseudonym:
      if (!pseudonym.empty()) out.append(kName).append(pseudonym).append("\r\n");
      return;
    case ClientAddress::fixed:
      out.append(kName).append(route.fixed_address).append("\r\n");
      return;
    case ClientAddress::keep:
      // A line of our own: a list may lie in several (RFC 9110 5.3), and the ones before it pass as
      // they came.
      out.append(kName).append(peer.address).append("\r\n");
      return;
    case ClientAddress::truncate: {
      const std::size_t line = out.size();
      out.append(kName);
      const std::string_view client = bare_address(believed_client(head, peer));
      if (truncate_address(client, kIpv4Bits, kIpv6Bits, out)) {
        out.append("\r\n");
      } else {
        // What is not an address says nothing that could be truncated; then nothing is said.
        out.resize(line);
      }
      return;
    }
  }
}

}  // namespace paravent::proxy
