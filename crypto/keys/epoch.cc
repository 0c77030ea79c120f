#include "crypto/keys/epoch.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

namespace paravent::crypto {
namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr sys_days kFirstDay{};  // 1970-01-01
constexpr sys_days kLastDay = year{9999} / std::chrono::December / 31;

// 1970-01-01 was a Thursday: ISO week 1970-W01, index 0, began three days before.
constexpr int kThursday = 3;

sys_days clamped_day(WallTime time) noexcept {
  return std::clamp(std::chrono::floor<days>(time), kFirstDay, kLastDay);
}

std::int32_t count_of(sys_days day) noexcept {
  return static_cast<std::int32_t>(day.time_since_epoch().count());
}

std::int32_t week_of(sys_days day) noexcept { return (count_of(day) + kThursday) / 7; }

std::int32_t month_of(sys_days day) noexcept {
  const year_month_day date{day};
  return (static_cast<int>(date.year()) - 1970) * 12 +
         static_cast<std::int32_t>(static_cast<unsigned>(date.month())) - 1;
}

// Any number of days, weeks or months since 1970, also one past the last.
sys_days first_day(EpochLength length, std::int32_t index) noexcept {
  switch (length) {
    case EpochLength::day:
      return sys_days{days{index}};
    case EpochLength::week:
      return sys_days{days{index * 7 - kThursday}};
    case EpochLength::month:
      return year{1970 + index / 12} / std::chrono::month{static_cast<unsigned>(index % 12) + 1} /
             1;
    case EpochLength::none:
      break;
  }
  return kFirstDay;
}

// The ISO year of a week is the year of its Thursday.
struct IsoWeek {
  int year;
  unsigned week;
};

IsoWeek iso_week(std::int32_t index) noexcept {
  const sys_days thursday = first_day(EpochLength::week, index) + days{kThursday};
  const year_month_day date{thursday};
  const sys_days january_first = date.year() / std::chrono::January / 1;
  return {static_cast<int>(date.year()),
          static_cast<unsigned>((thursday - january_first).count()) / 7 + 1};
}

void append_number(std::string& out, unsigned value, int width) {
  std::array<char, 4> digits{};
  for (int i = width; i-- > 0; value /= 10) {
    digits[static_cast<std::size_t>(i)] = static_cast<char>('0' + value % 10);
  }
  out.append(digits.data(), static_cast<std::size_t>(width));
}

std::optional<unsigned> number(std::string_view text) noexcept {
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

std::optional<sys_days> named_day(std::string_view text) noexcept {
  const bool with_day = text.size() == 10;
  if (text[4] != '-' || (with_day && text[7] != '-')) return std::nullopt;
  const auto y = number(text.substr(0, 4));
  const auto m = number(text.substr(5, 2));
  const auto d = with_day ? number(text.substr(8, 2)) : 1;
  if (!y || !m || !d) return std::nullopt;
  const year_month_day date{year{static_cast<int>(*y)}, std::chrono::month{*m},
                            std::chrono::day{*d}};
  if (!date.ok()) return std::nullopt;
  return sys_days{date};
}

std::optional<std::int32_t> named_week(std::string_view text) noexcept {
  if (text[4] != '-' || text[5] != 'W') return std::nullopt;
  const auto y = number(text.substr(0, 4));
  const auto w = number(text.substr(6, 2));
  if (!y || !w || *w < 1 || *w > 53 || *y < 1970) return std::nullopt;
  // 4 January is always in week 1.
  const sys_days fourth = year{static_cast<int>(*y)} / std::chrono::January / std::chrono::day{4};
  const std::int32_t index = week_of(fourth) + static_cast<std::int32_t>(*w) - 1;
  if (iso_week(index).year != static_cast<int>(*y)) return std::nullopt;  // no week 53 that year
  return index;
}

}  // namespace

Epoch epoch_at(EpochLength length, WallTime time) noexcept {
  const sys_days day = clamped_day(time);
  switch (length) {
    case EpochLength::day:
      return {length, count_of(day)};
    case EpochLength::week:
      return {length, week_of(day)};
    case EpochLength::month:
      return {length, month_of(day)};
    case EpochLength::none:
      break;
  }
  return {};
}

WallTime epoch_start(Epoch epoch) noexcept {
  if (epoch.length == EpochLength::none) return WallTime::min();
  return first_day(epoch.length, epoch.index);
}

WallTime epoch_end(Epoch epoch) noexcept {
  if (epoch.length == EpochLength::none) return WallTime::max();
  return first_day(epoch.length, epoch.index + 1);
}

bool epoch_valid(Epoch epoch) noexcept {
  if (epoch.index < 0) return false;
  switch (epoch.length) {
    case EpochLength::none:
      return epoch.index == 0;
    case EpochLength::day:
      return epoch.index <= count_of(kLastDay);
    case EpochLength::week:
      return epoch.index <= week_of(kLastDay);
    case EpochLength::month:
      return epoch.index <= month_of(kLastDay);
  }
  return false;
}

std::string epoch_text(Epoch epoch) {
  if (epoch.length == EpochLength::none) return "none";
  std::string out;
  if (epoch.length == EpochLength::week) {
    const IsoWeek week = iso_week(epoch.index);
    append_number(out, static_cast<unsigned>(week.year), 4);
    out.append("-W");
    append_number(out, week.week, 2);
    return out;
  }
  const year_month_day date{first_day(epoch.length, epoch.index)};
  append_number(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out.push_back('-');
  append_number(out, static_cast<unsigned>(date.month()), 2);
  if (epoch.length == EpochLength::day) {
    out.push_back('-');
    append_number(out, static_cast<unsigned>(date.day()), 2);
  }
  return out;
}

Result<Epoch> parse_epoch(std::string_view text) {
  Epoch epoch;
  if (text == "none") return epoch;
  if (text.size() == 7 || text.size() == 10) {
    const auto day = named_day(text);
    if (!day) return Error(ErrorKind::malformed);
    epoch = text.size() == 10 ? Epoch{EpochLength::day, count_of(*day)}
                              : Epoch{EpochLength::month, month_of(*day)};
  } else if (text.size() == 8) {
    const auto week = named_week(text);
    if (!week) return Error(ErrorKind::malformed);
    epoch = {EpochLength::week, *week};
  } else {
    return Error(ErrorKind::malformed);
  }
  if (!epoch_valid(epoch)) return Error(ErrorKind::malformed);
  return epoch;
}

std::string_view epoch_length_name(EpochLength length) noexcept {
  constexpr std::array<std::string_view, 4> kNames = {"none", "day", "week", "month"};
  const auto index = static_cast<std::size_t>(length);
  return index < kNames.size() ? kNames[index] : "unknown";
}

Result<EpochLength> parse_epoch_length(std::string_view text) noexcept {
  for (const auto length :
       {EpochLength::none, EpochLength::day, EpochLength::week, EpochLength::month}) {
    if (epoch_length_name(length) == text) return length;
  }
  return Error(ErrorKind::malformed);
}

}  // namespace paravent::crypto
