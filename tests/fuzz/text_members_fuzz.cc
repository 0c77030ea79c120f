// Any bytes as the body of an admin request: what is accepted holds known members within their
// limit, and a refusal never quotes the body.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/admin/text_members.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent::proxy::admin;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  constexpr std::array<std::string_view, 2> kKnown{"reason", "confirm"};
  const auto read = read_text_members(body, kKnown);
  if (!read) {
    if (read.error().sentence().empty() || read.error().sentence().size() > 80) std::abort();
    return 0;
  }
  for (const auto& [name, value] : *read) {
    if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) std::abort();
    if (value.size() > kMaxMemberBytes) std::abort();
  }
  return 0;
}
