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

std::optional<LocalMinute> local_minute(std::string_view zone, crypto::WallTime time) {
  if (!is_time_zone(zone)) return std::nullopt;
  std::array<UChar, kLongestName> wide{};
  std::transform(zone.begin(), zone.end(), wide.begin(), [](char c) { return UChar(c); });
  UErrorCode status = U_ZERO_ERROR;
  UCalendar* const calendar =
      ucal_open(wide.data(), static_cast<std::int32_t>(zone.size()), "en", UCAL_GREGORIAN, &status);
  ucal_setMillis(calendar, static_cast<double>(time.time_since_epoch().count()), &status);
  const auto day = ucal_get(calendar, UCAL_DAY_OF_WEEK, &status);  // 1: Sunday
  const auto hour = ucal_get(calendar, UCAL_HOUR_OF_DAY, &status);
  const auto minute = ucal_get(calendar, UCAL_MINUTE, &status);
  if (calendar != nullptr) ucal_close(calendar);
  if (U_FAILURE(status) != 0) return std::nullopt;
  constexpr int kMondayFirst = 5;  // Sunday becomes 6, Monday 0
  return LocalMinute{static_cast<unsigned>((day + kMondayFirst) % 7),
                     static_cast<unsigned>(hour * 60 + minute)};
}

}  // namespace paravent::policies
