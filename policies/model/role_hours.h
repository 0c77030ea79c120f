// HourWindow: when a role may ask, as a policy says it: days of the week and a time of day, in the
// policy's time zone. Plain data; pure functions.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "policies/model/yaml_reader.h"

namespace paravent::policies {

inline constexpr std::array<std::string_view, 7> kDayNames{"mon", "tue", "wed", "thu",
                                                           "fri", "sat", "sun"};
inline constexpr std::uint16_t kMinutesPerDay = 24 * 60;

struct HourWindow {
  std::uint8_t days = 0x7f;    // bit 0: Monday
  std::uint16_t from = 0;      // minutes since midnight, inclusive
  std::uint16_t until = 1440;  // exclusive; not behind `from`: of the next day

  bool operator==(const HourWindow&) const = default;
};

// "08:30"; as the end of a day "24:00" too (ISO 8601). One spelling.
std::optional<std::uint16_t> parse_time_of_day(std::string_view text, bool is_end) noexcept;

// hours: { days: [mon, tue], from: '08:00', until: '18:00' }, or a list of 14 such at most.
std::vector<HourWindow> read_hours(MapReader& role);

// Whether the minute of a day (0: Monday) is in one of the windows. A window that goes over
// midnight belongs to the day on which it begins.
bool is_within(const std::vector<HourWindow>& windows, unsigned day, unsigned minute) noexcept;

}  // namespace paravent::policies
