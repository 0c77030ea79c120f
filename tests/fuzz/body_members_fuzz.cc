// Any bytes as the body of an admin request with members of every type: what is accepted keeps
// within its limits, and a refusal never quotes the body.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/admin/body_members.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent::proxy::admin;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  constexpr std::array<MemberRule, 4> kRules{{{"reason", MemberType::text, 10},
                                              {"hours", MemberType::number, 720},
                                              {"fields", MemberType::list, 3},
                                              {"values", MemberType::map, 2}}};
  const auto read = read_body_members(body, kRules);
  if (!read) {
    if (read.error().sentence().empty() || read.error().sentence().size() > 80) std::abort();
    return 0;
  }
  if (read->text("reason").size() > 10 || read->number("hours").value_or(0) > 720) std::abort();
  if (read->list("fields").size() > 3) std::abort();
  for (const auto& [name, map] : read->maps) {
    if (name != "values" || map.size() > 2) std::abort();
  }
  return 0;
}
