// Whether a time zone of the IANA database is known to the ICU that this process runs with, which
// is also what the data path converts with: `Europe/Paris`, not `CET+1`. A pure function.

#pragma once

#include <string_view>

namespace paravent::policies {

bool is_time_zone(std::string_view name);

}  // namespace paravent::policies
