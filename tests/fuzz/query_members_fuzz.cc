// Any bytes as the query of an admin request: what is accepted holds known members within their
// limit, and a number is one spelling.

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "proxy/admin/query_members.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using paravent::proxy::admin::QueryMembers;
  const std::string_view query(reinterpret_cast<const char*>(data), size);
  constexpr std::array<std::string_view, 3> kKnown{"from", "count", "log"};
  const auto read = QueryMembers::read(query, kKnown);
  if (!read) {
    if (read.error().sentence().empty() || read.error().sentence().size() > 100) std::abort();
    return 0;
  }
  for (const std::string_view name : kKnown) {
    if (read->text(name).size() > 1000) std::abort();
    if (!read->has(name) && !read->text(name).empty()) std::abort();
    const auto number = read->number(name, 7);
    if (number && read->has(name) && std::to_string(*number) != read->text(name)) std::abort();
    if (!read->has(name) && number.value() != 7) std::abort();
  }
  return 0;
}
