// Times and days as the admin API writes and reads them: "2026-03-15T10:00:00Z", "2026-03-15".

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/clock.h"

namespace paravent::proxy::admin {

// To the second, rounded down. RFC 3339.
std::string utc_text(crypto::WallTime time);
// The first instant of the day, UTC; nullopt for any other spelling.
std::optional<crypto::WallTime> day_from(std::string_view text);

}  // namespace paravent::proxy::admin
