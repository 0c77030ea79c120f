// GeneraliseOptions: what the generalisations of one rule need to know besides the value. Plain
// data; the reader checks every range, so that the data path may take them as they are.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policies/model/decimal.h"

namespace paravent::policies {

// What a coordinate rule holds: "lat,lon" in one text, or one of the two.
enum class GridAxis : std::uint8_t { both, latitude, longitude };

inline constexpr std::uint32_t kDefaultAgeBand = 10;
inline constexpr std::uint32_t kDefaultTopAge = 90;
inline constexpr std::uint32_t kDefaultShiftDays = 30;

struct GeneraliseOptions {
  Decimal step;                // grid: degrees, 0.0001 to 45; bins: above 0, or empty with `edges`
  std::vector<Decimal> edges;  // bins: strictly ascending; one bin ends where the next begins
  GridAxis axis = GridAxis::both;
  std::uint32_t band = kDefaultAgeBand;    // age-band: years, 2 to 50
  std::uint32_t top = kDefaultTopAge;      // age-band: a multiple of `band`; one band from there on
  std::uint32_t days = kDefaultShiftDays;  // shifted-date: at most so many, either way
  std::vector<std::string> keep_query;     // url: parameters that stay, by literal name
  std::vector<std::string> templates;      // url: paths; `*` stands for one whole segment
  std::string time_zone;                   // dates: a zone that ICU knows
};

}  // namespace paravent::policies
