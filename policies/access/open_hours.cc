#include "policies/access/open_hours.h"

#include "policies/model/time_zone.h"

namespace paravent::policies {

bool OpenHours::at(crypto::WallTime time) const {
  const auto minute = std::chrono::floor<std::chrono::minutes>(time.time_since_epoch()).count();
  const std::int64_t last = last_.load(std::memory_order_relaxed);
  if (last / 2 == minute && last >= 0) return last % 2 == 1;
  const auto local = local_minute(zone_, time);
  const bool open = local && is_within(windows_, local->day, local->minute);
  if (minute >= 0) last_.store(2 * minute + (open ? 1 : 0), std::memory_order_relaxed);
  return open;
}

}  // namespace paravent::policies
