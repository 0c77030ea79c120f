// Who the client is: the bytes up to the first line break are an X-Forwarded-For, the rest a
// Forwarded. The answer lies in one of them or is the peer; an untrusted peer's claims count for
// nothing.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/pipeline/client_chain.h"

namespace {

using namespace paravent::proxy;

void require(bool holds) {
  if (!holds) std::abort();
}

// Whoever ends in an even digit is a proxy; who holds a letter g to z is no address.
class Proxies final : public TrustedProxies {
 public:
  Hop look_up(std::string_view address) const noexcept override {
    require(!address.empty());
    if (address.find_first_of("ghijklmnopqrstuvwxyz_") != std::string_view::npos) {
      return Hop::no_address;
    }
    return (address.back() & 1) == 0 ? Hop::proxy : Hop::client;
  }
};

bool inside(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\n');
  // Each of exactly its size on the heap, so that a read past the end is seen.
  const auto copy = [](std::string_view text) {
    return std::vector<char>(text.begin(), text.end());
  };
  const std::vector<char> first = copy(input.substr(0, end));
  const std::vector<char> second =
      copy(end == std::string_view::npos ? std::string_view() : input.substr(end + 1));
  const std::string_view list(first.data(), first.size());
  const std::string_view forwarded(second.data(), second.size());
  const std::array<HeaderLine, 2> lines = {{{"X-Forwarded-For", list, HeaderName::address_family},
                                            {"Forwarded", forwarded, HeaderName::address_family}}};
  const Proxies proxies;
  const std::string peer = "192.0.2.2";
  for (const std::size_t count : {1U, 2U}) {
    RequestHead head;
    head.headers = std::span<const HeaderLine>(lines).first(count);
    const std::string_view client = believed_client(head, {peer, true, &proxies});
    require(client.empty() || inside(client, list) || inside(client, forwarded));
    require(client.find_first_of(",; \t\"") == std::string_view::npos || inside(client, list));
    require(believed_client(head, {peer, false, &proxies}) == peer);
    require(believed_client(head, {peer, true, nullptr}).find(',') == std::string_view::npos);
  }
  RequestHead only;
  only.headers = std::span<const HeaderLine>(lines).last(1);
  const std::string_view client = believed_client(only, {peer, true, &proxies});
  require(client.empty() || inside(client, forwarded));
  return 0;
}
