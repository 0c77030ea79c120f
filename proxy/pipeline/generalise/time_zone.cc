#include "proxy/pipeline/generalise/time_zone.h"

#include <unicode/basictz.h>
#include <unicode/timezone.h>
#include <unicode/tztrans.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <memory>
#include <string>

namespace paravent::proxy {
namespace {

using crypto::Error;
using crypto::ErrorKind;

constexpr double kMillis = 1000;
constexpr std::int64_t kBegin = -5364662400;  // 1800-01-01
constexpr std::int64_t kEnd = 7258118400;     // 2200-01-01

}  // namespace

crypto::Result<TimeZone> TimeZone::create(std::string_view name) {
  const Error unknown(ErrorKind::configuration, "The time zone is not known; give an IANA name.");
  const auto id =
      icu::UnicodeString::fromUTF8({name.data(), static_cast<std::int32_t>(name.size())});
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString canonical;
  UBool is_system = 0;
  // Asked first, because createTimeZone() makes something of every spelling.
  icu::TimeZone::getCanonicalID(id, canonical, is_system, status);
  if (U_FAILURE(status) != 0 || is_system == 0) return unknown;
  const std::unique_ptr<icu::TimeZone> any(icu::TimeZone::createTimeZone(id));
  const auto* zone = dynamic_cast<const icu::BasicTimeZone*>(any.get());
  if (zone == nullptr) return unknown;

  TimeZone made;
  std::int32_t raw = 0;
  std::int32_t saving = 0;
  zone->getOffset(static_cast<double>(kBegin) * kMillis, 0, raw, saving, status);
  if (U_FAILURE(status) != 0) return Error(ErrorKind::internal);
  made.first_offset_ = (raw + saving) / 1000;
  std::int32_t offset = made.first_offset_;
  icu::TimeZoneTransition next;
  double at = static_cast<double>(kBegin) * kMillis;
  while (zone->getNextTransition(at, 0, next) != 0) {
    at = next.getTime();
    const auto from = static_cast<std::int64_t>(at / kMillis);
    if (from >= kEnd) break;
    const std::int32_t after =
        (next.getTo()->getRawOffset() + next.getTo()->getDSTSavings()) / 1000;
    if (after == offset) continue;  // only the name changed
    made.changes_.push_back({from, after});
    offset = after;
  }
  return made;
}

std::int32_t TimeZone::offset_at(std::int64_t utc_seconds) const noexcept {
  const auto after =
      std::upper_bound(changes_.begin(), changes_.end(), utc_seconds,
                       [](std::int64_t time, const Change& change) { return time < change.from; });
  return after == changes_.begin() ? first_offset_ : std::prev(after)->offset;
}

std::chrono::local_days TimeZone::day_at(crypto::WallTime time) const noexcept {
  const auto utc = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch());
  const std::chrono::seconds local = utc + std::chrono::seconds(offset_at(utc.count()));
  return std::chrono::local_days(std::chrono::floor<std::chrono::days>(local));
}

}  // namespace paravent::proxy
