// The PROXY header: no cut changes the answer, and what is read stays inside the bytes. The first
// byte chooses the cut.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "proxy/net/proxy_protocol.h"

namespace {

using namespace paravent::proxy::net;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // Of exactly its size on the heap, so that a read past the end is seen.
  const std::vector<char> copy(data + 1, data + size);
  const std::string_view bytes(copy.data(), copy.size());
  ProxyHeader whole;
  const ProxyStatus status = parse_proxy_header(bytes, whole);
  ProxyHeader cut;
  auto early = ProxyStatus::need_more;
  const std::size_t step = 1 + data[0] % 64U;
  for (std::size_t seen = 0; early == ProxyStatus::need_more && seen < bytes.size();) {
    seen = bytes.size() - seen < step ? bytes.size() : seen + step;
    const std::vector<char> front(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(seen));
    early = parse_proxy_header({front.data(), front.size()}, cut);
  }
  require(early == status);
  require(whole.size == cut.size && whole.source == cut.source);
  if (status != ProxyStatus::done) {
    require(whole.size == 0 && !whole.source);
    return 0;
  }
  require(whole.size >= 15 && whole.size <= bytes.size() && whole.size <= kMostProxyHeader);
  // What lies behind belongs to the connection and changes nothing.
  ProxyHeader alone;
  require(parse_proxy_header(bytes.substr(0, whole.size), alone) == ProxyStatus::done);
  require(alone.size == whole.size && alone.source == whole.source);
  return 0;
}
