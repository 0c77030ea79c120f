#include "proxy/pipeline/generalise/date_text.h"

#include <algorithm>

#include "proxy/pipeline/generalise/scan.h"

namespace paravent::proxy::generalise {
namespace {

namespace chrono = std::chrono;

constexpr std::size_t kMostFraction = 9;

// A cursor over the text; every take_* either moves behind what it read or says no.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_(text) {}

  bool at_end() const noexcept { return rest_.empty(); }

  bool take(char c) noexcept {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Exactly `width` digits, which give at most `most`.
  std::optional<std::int64_t> take_number(std::size_t width, std::int64_t most) noexcept {
    if (rest_.size() < width) return std::nullopt;
    const auto number = whole_number(rest_.substr(0, width));
    if (!number || *number > most) return std::nullopt;
    rest_.remove_prefix(width);
    return number;
  }

  // One or two digits.
  std::optional<std::int64_t> take_short(std::int64_t most) noexcept {
    const bool two = rest_.size() > 1 && is_digit(rest_[1]);
    return take_number(two ? 2 : 1, most);
  }

  bool take_fraction() noexcept {
    std::size_t digits = 0;
    while (digits < rest_.size() && is_digit(rest_[digits])) ++digits;
    rest_.remove_prefix(digits);
    return digits > 0 && digits <= kMostFraction;
  }

 private:
  std::string_view rest_;
};

std::optional<chrono::year_month_day> date_of(std::int64_t year, std::int64_t month,
                                              std::int64_t day) noexcept {
  const chrono::year_month_day date{chrono::year(static_cast<int>(year)),
                                    chrono::month(static_cast<unsigned>(month)),
                                    chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || !is_representable(date)) return std::nullopt;
  return date;
}

std::int64_t seconds_of(const chrono::year_month_day& date) noexcept {
  return chrono::sys_days(date).time_since_epoch().count() * std::int64_t{86400};
}

// Z, +01:00, +0100 or +01: what was added to UTC.
std::optional<std::int64_t> take_offset(Reader& reader) noexcept {
  if (reader.take('Z') || reader.take('z')) return 0;
  const bool east = reader.take('+');
  if (!east && !reader.take('-')) return std::nullopt;
  const auto hours = reader.take_number(2, 23);
  if (!hours) return std::nullopt;
  std::int64_t offset = *hours * 3600;
  if (!reader.at_end()) {
    reader.take(':');
    const auto minutes = reader.take_number(2, 59);
    if (!minutes) return std::nullopt;
    offset += *minutes * 60;
  }
  return east ? offset : -offset;
}

// Behind the date: the time of day and what may follow it.
std::optional<DateText> read_time(Reader& reader, const chrono::year_month_day& date) noexcept {
  if (!reader.take('T') && !reader.take('t') && !reader.take(' ')) return std::nullopt;
  const auto hour = reader.take_number(2, 23);
  if (!hour || !reader.take(':')) return std::nullopt;
  const auto minute = reader.take_number(2, 59);
  if (!minute) return std::nullopt;
  std::int64_t second = 0;
  if (reader.take(':')) {
    const auto read = reader.take_number(2, 60);  // 60: a leap second
    if (!read) return std::nullopt;
    second = *read;
    if (reader.take('.') && !reader.take_fraction()) return std::nullopt;
  }
  if (reader.at_end()) return DateText{DateForm::local_time, date, 0};
  const auto offset = take_offset(reader);
  if (!offset || !reader.at_end()) return std::nullopt;
  const std::int64_t local = seconds_of(date) + *hour * 3600 + *minute * 60 + second;
  return DateText{DateForm::instant, date, local - *offset};
}

std::optional<DateText> read_iso(std::string_view text) noexcept {
  Reader reader(text);
  const auto year = reader.take_number(4, 9999);
  if (!year) return std::nullopt;
  std::int64_t month = 1;
  std::int64_t day = 1;
  DateForm form = DateForm::year;
  if (reader.take('-')) {
    const auto read = reader.take_number(2, 12);
    if (!read) return std::nullopt;
    month = *read;
    form = DateForm::month;
    if (reader.take('-')) {
      const auto read_day = reader.take_number(2, 31);
      if (!read_day) return std::nullopt;
      day = *read_day;
      form = DateForm::day;
    }
  }
  const auto date = date_of(*year, month, day);
  if (!date) return std::nullopt;
  if (reader.at_end()) return DateText{form, *date, 0};
  if (form != DateForm::day) return std::nullopt;
  return read_time(reader, *date);
}

std::optional<DateText> read_slashed(std::string_view text) noexcept {
  Reader reader(text);
  const auto day = reader.take_short(31);
  if (!day || !reader.take('/')) return std::nullopt;
  const auto month = reader.take_short(12);
  if (!month || !reader.take('/')) return std::nullopt;
  const auto year = reader.take_number(4, 9999);
  if (!year || !reader.at_end()) return std::nullopt;
  const auto date = date_of(*year, *month, *day);
  if (!date) return std::nullopt;
  return DateText{DateForm::slashed_day, *date, 0};
}

std::optional<DateText> read_epoch(std::string_view text) noexcept {
  const std::size_t point = std::min(text.find('.'), text.size());
  const auto number = whole_number(text.substr(0, point));
  // No leading zero: the number of digits is what tells the unit.
  if (!number || text.front() == '0') return std::nullopt;
  if (point < text.size()) {
    Reader fraction(text.substr(point + 1));
    if (!fraction.take_fraction() || !fraction.at_end()) return std::nullopt;
  }
  if (point == 9 || point == 10) return DateText{DateForm::epoch_seconds, {}, *number};
  if ((point == 12 || point == 13) && point == text.size()) {
    return DateText{DateForm::epoch_millis, {}, *number / 1000};
  }
  return std::nullopt;
}

}  // namespace

bool is_representable(const chrono::year_month_day& date) noexcept {
  return date.year() >= chrono::year(1) && date.year() <= chrono::year(9999);
}

std::optional<DateText> read_date(std::string_view text) noexcept {
  if (text.size() >= 4 && (text.size() == 4 || text[4] == '-')) return read_iso(text);
  if (text.find('/') != std::string_view::npos) return read_slashed(text);
  return read_epoch(text);
}

std::optional<chrono::year_month_day> day_in(const DateText& text, const TimeZone& zone) noexcept {
  switch (text.form) {
    case DateForm::year:
    case DateForm::month:
      return std::nullopt;
    case DateForm::day:
    case DateForm::slashed_day:
    case DateForm::local_time:
      return text.date;
    case DateForm::instant:
    case DateForm::epoch_seconds:
    case DateForm::epoch_millis:
      break;
  }
  const std::chrono::seconds local(text.utc_seconds + zone.offset_at(text.utc_seconds));
  const chrono::year_month_day date{chrono::local_days(chrono::floor<chrono::days>(local))};
  if (!is_representable(date)) return std::nullopt;
  return date;
}

}  // namespace paravent::proxy::generalise
