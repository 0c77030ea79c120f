// OpenHours: whether a role may ask at a given moment, by the hours its policy says.
//
// Immutable but for the answer to the last minute, which it keeps; any thread. Hours are of whole
// minutes, and so are changes of the clock in every time zone of today, so one answer holds for a
// minute.

#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "policies/model/role_hours.h"

namespace paravent::policies {

class OpenHours {
 public:
  // REQUIRES: is_time_zone(zone).
  OpenHours(std::vector<HourWindow> windows, std::string zone)
      : windows_(std::move(windows)), zone_(std::move(zone)) {}

  bool at(crypto::WallTime time) const;

 private:
  std::vector<HourWindow> windows_;
  std::string zone_;
  mutable std::atomic<std::int64_t> last_{-1};  // minute since 1970, doubled; odd: open
};

}  // namespace paravent::policies
