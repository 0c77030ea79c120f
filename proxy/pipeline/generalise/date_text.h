// Dates and times as programs and people write them, read strictly.
//
//   2026-11-21                               a day; also 2026-11 and 2026, which are our own
//   results 21/11/2026                               a day, day first; one or two digits each
//   2026-11-21T23:30[:15[.250]][Z|+01:00]    a time, "T" or a space; without an offset it is local,
//                                            and +0100 and +01 are read as well
//   1795300200  1795300200.25                seconds since 1970, 9 or 10 digits (from March 1973)
//   1795300200250                            milliseconds since 1970, 12 or 13 digits
// Years are 1 to 9999. Pure functions without heap; any thread.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "proxy/pipeline/generalise/time_zone.h"

namespace paravent::proxy::generalise {

enum class DateForm : std::uint8_t {
  year,
  month,
  day,          // 2026-11-21
  slashed_day,  // 21/11/2026
  local_time,   // no offset
  instant,      // with an offset
  epoch_seconds,
  epoch_millis,
};

struct DateText {
  DateForm form = DateForm::day;
  std::chrono::year_month_day date;  // as written; unless epoch_*; the first day for month and year
  std::int64_t utc_seconds = 0;      // instant and epoch_*
};

// How an ISO date-time is cut: the date is its first ten characters.
inline constexpr std::size_t kIsoDate = 10;

// White space around it is the caller's.
std::optional<DateText> read_date(std::string_view text) noexcept;

// The calendar day that the text means in `zone`; none for month and year, and none outside the
// years 1 to 9999.
std::optional<std::chrono::year_month_day> day_in(const DateText& text,
                                                  const TimeZone& zone) noexcept;

bool is_representable(const std::chrono::year_month_day& date) noexcept;

}  // namespace paravent::proxy::generalise
