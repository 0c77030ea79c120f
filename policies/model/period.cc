#include "policies/model/period.h"

#include <charconv>

namespace paravent::policies {
namespace {

constexpr std::uint32_t kMaxDays = 36500;
constexpr std::uint32_t kMaxMonths = 1200;
constexpr std::uint32_t kMaxHours = 24;

// Takes "12Y" off the front when the unit is next; 0 is refused by the caller.
bool take(std::string_view& rest, char unit, std::uint32_t& value, bool& fault) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  if (error != std::errc{} || end == rest.data() + rest.size() || *end != unit) return false;
  if (rest.front() == '0' || number > kMaxDays) fault = true;
  value = number;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()) + 1);
  return true;
}

}  // namespace

std::optional<Period> parse_period(std::string_view text) {
  if (text.size() < 3 || text.front() != 'P') return std::nullopt;
  std::string_view rest = text.substr(1);
  bool fault = false;
  std::uint32_t years = 0;
  std::uint32_t months = 0;
  std::uint32_t weeks = 0;
  std::uint32_t days = 0;
  if (take(rest, 'W', weeks, fault)) {
    days = weeks * 7;
  } else {
    take(rest, 'Y', years, fault);
    take(rest, 'M', months, fault);
    take(rest, 'D', days, fault);
  }
  const std::uint64_t all_months = std::uint64_t{years} * 12 + months;
  if (fault || !rest.empty() || all_months > kMaxMonths || days > kMaxDays) return std::nullopt;
  if (all_months == 0 && days == 0) return std::nullopt;
  return Period{static_cast<std::uint32_t>(all_months), days};
}

std::optional<std::uint32_t> parse_hours(std::string_view text) {
  if (!text.starts_with("PT")) return std::nullopt;
  std::string_view rest = text.substr(2);
  std::uint32_t hours = 0;
  bool fault = false;
  if (!take(rest, 'H', hours, fault) || fault || !rest.empty()) return std::nullopt;
  if (hours == 0 || hours > kMaxHours) return std::nullopt;
  return hours;
}

std::string period_text(Period period) {
  std::string out = "P";
  if (period.months != 0) {
    out += period.months % 12 == 0 ? std::to_string(period.months / 12) + "Y"
                                   : std::to_string(period.months) + "M";
  }
  if (period.days != 0) out += std::to_string(period.days) + "D";
  return out;
}

std::uint32_t least_days(Period period) noexcept {
  const std::uint32_t years = period.months / 12;
  return years * 365 + (period.months % 12) * 28 + period.days;
}

}  // namespace paravent::policies
