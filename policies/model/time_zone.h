// Whether a time zone of the IANA database is known to the ICU that this process runs with, which
// is also what the data path converts with: `Europe/Paris`, not `CET+1`; and what time it is there.
// Pure functions.

#pragma once

#include <optional>
#include <string_view>

#include "crypto/base/clock.h"

namespace paravent::policies {

bool is_time_zone(std::string_view name);

struct LocalMinute {
  unsigned day = 0;     // of the week; 0: Monday
  unsigned minute = 0;  // of the day
};

// What the clocks of the zone say. nullopt: there is no such zone, or ICU has no memory.
std::optional<LocalMinute> local_minute(std::string_view zone, crypto::WallTime time);

}  // namespace paravent::policies
