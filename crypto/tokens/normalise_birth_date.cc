// Birth dates as YYYY-MM-DD (ISO 8601), of the Gregorian calendar, from 1850 to 2100. The year has
// four digits, and no time stands behind it: in which time zone midnight was meant would be a
// guess.

#include <array>
#include <chrono>

#include "crypto/tokens/ascii.h"
#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/written_text.h"

namespace paravent::crypto {
namespace {

constexpr int kFirstYear = 1850;
constexpr int kLastYear = 2100;

struct Date {
  int year = 0;
  int month = 0;
  int day = 0;
};

bool is_real(const Date& date) noexcept {
  if (date.year < kFirstYear || date.year > kLastYear) return false;
  return std::chrono::year_month_day(std::chrono::year(date.year),
                                     std::chrono::month(static_cast<unsigned>(date.month)),
                                     std::chrono::day(static_cast<unsigned>(date.day)))
      .ok();
}

// REQUIRES: at most four digits and nothing else.
int number(std::string_view digits) noexcept {
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

// Whether the numbers before the year are day and month, or month and day.
enum class Order : std::uint8_t { day_first, month_first, either };

Order order_of(std::string_view region, char separator) noexcept {
  if (separator == '.') return Order::day_first;  // nobody writes dots the American way
  if (region == "US") return Order::month_first;
  return region == "CA" ? Order::either : Order::day_first;
}

// Appends nothing when the date does not exist.
void append_date(const Date& date, std::string& out) {
  if (!is_real(date)) return;
  const auto digits = [&out](int value, int scale) {
    for (; scale > 0; scale /= 10) out.push_back(static_cast<char>('0' + value / scale % 10));
  };
  digits(date.year, 1000);
  out.push_back('-');
  digits(date.month, 10);
  out.push_back('-');
  digits(date.day, 10);
}

void append_year_last(int first, int second, int year, Order order, std::string& out) {
  const Date day_first = {year, second, first};
  const Date month_first = {year, first, second};
  if (order == Order::month_first) return append_date(month_first, out);
  // Where both habits live, only a date that has one reading is read.
  const bool two_readings = first != second && is_real(day_first) && is_real(month_first);
  if (order == Order::either && two_readings) return;
  append_date(order == Order::either && !is_real(day_first) ? month_first : day_first, out);
}

// Three numbers with the same separator twice.
void append_separated(std::string_view text, char separator, std::string_view region,
                      std::string& out) {
  const std::size_t one = text.find(separator);
  const std::size_t two = text.find(separator, one + 1);
  if (two == std::string_view::npos) return;
  const std::array<std::string_view, 3> parts = {
      text.substr(0, one), text.substr(one + 1, two - one - 1), text.substr(two + 1)};
  for (const std::string_view part : parts) {
    if (part.empty() || part.size() > 4 || !all_digits(part)) return;
  }
  const bool year_first = parts[0].size() == 4;
  if (parts[1].size() > 2 || parts[year_first ? 2 : 0].size() > 2) return;
  if (year_first) return append_date({number(parts[0]), number(parts[1]), number(parts[2])}, out);
  if (parts[2].size() != 4) return;
  append_year_last(number(parts[0]), number(parts[1]), number(parts[2]),
                   order_of(region, separator), out);
}

}  // namespace

Status normalise_birth_date(std::string_view value, std::string_view region, std::string& out) {
  WrittenText written;
  if (!written.read(value)) return Error(ErrorKind::malformed);
  const std::string_view text = written.text();
  const std::size_t start = out.size();
  const std::size_t separator = text.find_first_of("-/. ");
  if (separator != std::string_view::npos) {
    append_separated(text, text[separator], region, out);
  } else if (text.size() == 8 && all_digits(text)) {
    append_date({number(text.substr(0, 4)), number(text.substr(4, 2)), number(text.substr(6))},
                out);
  }
  if (out.size() == start) return Error(ErrorKind::malformed);
  return {};
}

}  // namespace paravent::crypto
