// Any bytes as the file of a case: what is accepted is spelled exactly so, and nobody approved
// their own.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/admin/grants/case.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent::proxy::admin;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto read = parse_case(text);
  if (!read) return 0;
  if (case_text(*read) != text) std::abort();
  if (read->state == CaseState::approved && read->approver == read->requester) std::abort();
  return 0;
}
