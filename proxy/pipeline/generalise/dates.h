// Dates made coarser, ages in bands, dates shifted. What is read: date_text.h.
//
// A time with an offset is brought to `zone` before it is cut, so that the hour before midnight UTC
// falls on the day that people there lived it; a time without an offset is taken as local. Flooring
// is idempotent (its results are read again) and monotone: an earlier date never gives a later
// result (but for the few zones that set their clocks back across midnight, for that hour).
//
// Pure functions, no heap once `out` has room; any thread. All fail with `malformed` and leave
// `out` as it was.

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "proxy/pipeline/generalise/time_zone.h"

namespace paravent::proxy {

enum class DateUnit : std::uint8_t { year, month, day };

// Appends "2026", "2026-11" or "2026-11-21". `malformed` also when the date is coarser than `unit`.
crypto::Status floor_date(std::string_view text, DateUnit unit, const TimeZone& zone,
                          std::string& out);

struct AgeBands {
  std::uint32_t width = 10;  // years, at least 1
  std::uint32_t top = 90;    // from here on one band
};

// Appends the band of the age that somebody born on the date `text` has on `today`: "30-39", "90+".
// A band of these is accepted as it is. `malformed` also for a birth that lies ahead, or more than
// 150 years back, or whose day is missing.
crypto::Status age_band(std::string_view text, const TimeZone& zone, std::chrono::local_days today,
                        const AgeBands& bands, std::string& out);

// A shift of 1 to `days` days either way, even over the numbers; REQUIRES: days > 0. The number is
// keyed per subject, so that the distances between one person's dates stay.
std::int32_t days_of_shift(std::uint64_t number, std::uint32_t days) noexcept;

// Appends the date so many days later, in the form it came in (the slashed one with two digits
// each); time of day, fraction and offset stay as written. `malformed` also when the date has no
// day, or the result no place in the form.
crypto::Status shift_date(std::string_view text, std::int32_t days, std::string& out);

}  // namespace paravent::proxy
