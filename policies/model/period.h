// Period: a length of time as the law writes it, in calendar units (ISO 8601-1:2019 5.5.2: P3Y,
// P13M, P30D, P1Y6M, P2W). Never a time of day, never zero, at most 100 years. A plain value.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/clock.h"
#include "crypto/keys/calendar.h"

namespace paravent::policies {

using Period = crypto::CalendarPeriod;

// One spelling: no leading zeros, units in order, each at most once, weeks alone.
std::optional<Period> parse_period(std::string_view text);
std::string period_text(Period period);

// Whole hours within a day, "PT1H" to "PT24H": for what is measured against an epoch, not a
// calendar.
std::optional<std::uint32_t> parse_hours(std::string_view text);

using crypto::add_period;

// The shortest it can be, in days, for comparisons with epochs.
std::uint32_t least_days(Period period) noexcept;

}  // namespace paravent::policies
