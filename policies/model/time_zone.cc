#include "policies/model/time_zone.h"

#include <unicode/ucal.h>

#include <algorithm>
#include <array>

namespace paravent::policies {
namespace {

constexpr std::size_t kLongestName = 64;

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
         c == '_' || c == '-' || c == '+';
}

}  // namespace

bool is_time_zone(std::string_view name) {
  if (name.empty() || name.size() > kLongestName) return false;
  if (!std::all_of(name.begin(), name.end(), is_name_char)) return false;
  std::array<UChar, kLongestName> wide{};
  std::transform(name.begin(), name.end(), wide.begin(), [](char c) { return UChar(c); });
  std::array<UChar, 2 * kLongestName> canonical{};
  UErrorCode status = U_ZERO_ERROR;
  UBool is_system = 0;
  // A custom zone such as GMT+5 has a canonical name too, but is no system zone.
  ucal_getCanonicalTimeZoneID(wide.data(), static_cast<std::int32_t>(name.size()), canonical.data(),
                              static_cast<std::int32_t>(canonical.size()), &is_system, &status);
  return U_SUCCESS(status) != 0 && is_system != 0 && name != "Etc/Unknown";
}

}  // namespace paravent::policies
