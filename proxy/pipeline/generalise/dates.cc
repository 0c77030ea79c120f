#include "proxy/pipeline/generalise/dates.h"

#include <algorithm>

#include "proxy/pipeline/generalise/date_text.h"
#include "proxy/pipeline/generalise/scan.h"

namespace paravent::proxy {
namespace {

namespace chrono = std::chrono;
using crypto::Error;
using crypto::ErrorKind;
using generalise::append_padded;
using generalise::DateForm;
using generalise::DateText;

constexpr std::int64_t kOldest = 150;  // years

void append_date(const chrono::year_month_day& date, DateUnit unit, std::string& out) {
  append_padded(static_cast<int>(date.year()), 4, out);
  if (unit == DateUnit::year) return;
  out.push_back('-');
  append_padded(static_cast<unsigned>(date.month()), 2, out);
  if (unit == DateUnit::month) return;
  out.push_back('-');
  append_padded(static_cast<unsigned>(date.day()), 2, out);
}

void append_slashed(const chrono::year_month_day& date, std::string& out) {
  append_padded(static_cast<unsigned>(date.day()), 2, out);
  out.push_back('/');
  append_padded(static_cast<unsigned>(date.month()), 2, out);
  out.push_back('/');
  append_padded(static_cast<int>(date.year()), 4, out);
}

// Whole years; somebody born on 29 February is a year older on 1 March of a common year.
std::int64_t years_between(const chrono::year_month_day& from, const chrono::year_month_day& to) {
  const int years = static_cast<int>(to.year()) - static_cast<int>(from.year());
  const bool before =
      chrono::month_day(to.month(), to.day()) < chrono::month_day(from.month(), from.day());
  return before ? years - 1 : years;
}

void append_band(std::int64_t age, const AgeBands& bands, std::string& out) {
  if (age >= bands.top) {
    append_padded(bands.top, 1, out);
    out.push_back('+');
    return;
  }
  const std::int64_t first = age - age % bands.width;
  append_padded(first, 1, out);
  out.push_back('-');
  append_padded(std::min<std::int64_t>(first + bands.width, bands.top) - 1, 1, out);
}

// The lowest age of `text`, if its beginning is a number at all.
std::optional<std::int64_t> first_age(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  return digits > 3 ? std::nullopt : generalise::whole_number(text.substr(0, digits));
}

// Whether the digits of an epoch number still tell its unit.
bool fits(DateForm form, std::int64_t number) noexcept {
  if (form == DateForm::epoch_seconds) return number >= 100'000'000 && number <= 9'999'999'999;
  return number >= 100'000'000'000 && number <= 9'999'999'999'999;
}

}  // namespace

crypto::Status floor_date(std::string_view text, DateUnit unit, const TimeZone& zone,
                          std::string& out) {
  const auto read = generalise::read_date(generalise::trimmed(text));
  if (!read) return Error(ErrorKind::malformed);
  if (read->form == DateForm::year || read->form == DateForm::month) {
    const DateUnit finest = read->form == DateForm::year ? DateUnit::year : DateUnit::month;
    if (unit > finest) return Error(ErrorKind::malformed);
    append_date(read->date, unit, out);
    return {};
  }
  const auto day = generalise::day_in(*read, zone);
  if (!day) return Error(ErrorKind::malformed);
  append_date(*day, unit, out);
  return {};
}

crypto::Status age_band(std::string_view text, const TimeZone& zone, chrono::local_days today,
                        const AgeBands& bands, std::string& out) {
  text = generalise::trimmed(text);
  const std::size_t start = out.size();
  if (const auto age = first_age(text); age && *age <= bands.top) {
    append_band(*age, bands, out);
    if (std::string_view(out).substr(start) == text) return {};
    out.resize(start);
  }
  const auto read = generalise::read_date(text);
  if (!read) return Error(ErrorKind::malformed);
  const auto born = generalise::day_in(*read, zone);
  if (!born || chrono::local_days(*born) > today) return Error(ErrorKind::malformed);
  const std::int64_t age = years_between(*born, chrono::year_month_day(today));
  if (age > kOldest) return Error(ErrorKind::malformed);
  append_band(age, bands, out);
  return {};
}

std::int32_t days_of_shift(std::uint64_t number, std::uint32_t days) noexcept {
  const auto place = static_cast<std::int64_t>(number % (std::uint64_t{days} * 2));
  const std::int64_t shift = place - days;
  return static_cast<std::int32_t>(shift >= 0 ? shift + 1 : shift);  // never none at all
}

crypto::Status shift_date(std::string_view text, std::int32_t days, std::string& out) {
  text = generalise::trimmed(text);
  const auto read = generalise::read_date(text);
  if (!read || read->form == DateForm::year || read->form == DateForm::month) {
    return Error(ErrorKind::malformed);
  }
  if (read->form == DateForm::epoch_seconds || read->form == DateForm::epoch_millis) {
    const std::size_t point = std::min(text.find('.'), text.size());
    const std::int64_t a_day = read->form == DateForm::epoch_seconds ? 86'400 : 86'400'000;
    const std::int64_t shifted = *generalise::whole_number(text.substr(0, point)) + days * a_day;
    if (!fits(read->form, shifted)) return Error(ErrorKind::malformed);
    append_padded(shifted, 1, out);
    out.append(text.substr(point));
    return {};
  }
  const chrono::year_month_day shifted{chrono::local_days(read->date) + chrono::days(days)};
  if (!generalise::is_representable(shifted)) return Error(ErrorKind::malformed);
  if (read->form == DateForm::slashed_day) {
    append_slashed(shifted, out);
    return {};
  }
  append_date(shifted, DateUnit::day, out);
  out.append(text.substr(generalise::kIsoDate));
  return {};
}

}  // namespace paravent::proxy
