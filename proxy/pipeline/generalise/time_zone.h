// TimeZone: the civil time of one place, compiled once from ICU's zone data into a table of
// changes, so that the data path asks no library and takes no lock.
//
// Immutable; any thread. Copies share nothing. Seconds count from 1970-01-01T00:00:00 UTC.

#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"

namespace paravent::proxy {

class TimeZone {
 public:
  // UTC.
  TimeZone() = default;
  // An IANA name, "Europe/Paris". `configuration`: ICU knows no such zone.
  static crypto::Result<TimeZone> create(std::string_view name);

  // What is added to UTC there. Exact from 1800 to 2200; before and after, what held at those ends.
  std::int32_t offset_at(std::int64_t utc_seconds) const noexcept;

  // The calendar day there.
  std::chrono::local_days day_at(crypto::WallTime time) const noexcept;

 private:
  struct Change {
    std::int64_t from;
    std::int32_t offset;
  };

  std::int32_t first_offset_ = 0;  // before the first change
  std::vector<Change> changes_;    // by time
};

}  // namespace paravent::proxy
