#include "crypto/keys/calendar.h"

#include <algorithm>
#include <chrono>

namespace paravent::crypto {
namespace {

constexpr std::uint32_t kMaxMonths = 12 * 8000;
constexpr std::uint32_t kMaxDays = 366 * 8000;
constexpr std::chrono::sys_days kLatest{std::chrono::year(9999) / 12 / 31};

}  // namespace

WallTime add_period(WallTime start, CalendarPeriod period) {
  using std::chrono::days;
  const auto day = std::chrono::floor<days>(start);
  const auto time_of_day = start - day;
  std::chrono::year_month_day date{day};
  date += std::chrono::months(static_cast<int>(std::min(period.months, kMaxMonths)));
  if (!date.ok()) date = date.year() / date.month() / std::chrono::last;
  const auto end =
      std::chrono::sys_days(date) + days(static_cast<int>(std::min(period.days, kMaxDays)));
  return WallTime(std::min(end, kLatest)) + time_of_day;
}

}  // namespace paravent::crypto
