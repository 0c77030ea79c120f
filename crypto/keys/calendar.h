// CalendarPeriod: a length of time in calendar units, as laws count it. Arithmetic in UTC. A plain
// value.

#pragma once

#include <compare>
#include <cstdint>

#include "crypto/base/clock.h"

namespace paravent::crypto {

struct CalendarPeriod {
  std::uint32_t months = 0;
  std::uint32_t days = 0;
  friend auto operator<=>(const CalendarPeriod&, const CalendarPeriod&) = default;
};

// Months first (to the month's last day where the day does not exist), then days. The result is
// never later than the exact limit. Results beyond the year 9999 are clamped to its end.
WallTime add_period(WallTime start, CalendarPeriod period);

}  // namespace paravent::crypto
