// Epoch: the slice of time that shares a key, counted in UTC so that no time zone change moves it.
//
// A plain value. Text form, one spelling each: "2026-11-21", "2026-W47" (ISO 8601 week), "2026-11",
// "none". Times outside 1970..9999 are clamped to that range: a wild clock must not invent key
// names.

#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"

namespace paravent::crypto {

enum class EpochLength : std::uint8_t { none = 0, day = 1, week = 2, month = 3 };

struct Epoch {
  EpochLength length = EpochLength::none;
  // Days, ISO weeks or months since the one that holds 1970-01-01; 0 for none.
  std::int32_t index = 0;

  friend auto operator<=>(const Epoch&, const Epoch&) = default;
};

Epoch epoch_at(EpochLength length, WallTime time) noexcept;

// First instant of the epoch; WallTime::min() for none.
WallTime epoch_start(Epoch epoch) noexcept;
// First instant after the epoch; WallTime::max() for none.
WallTime epoch_end(Epoch epoch) noexcept;

// Whether the index is in 1970..9999 and zero for none.
bool epoch_valid(Epoch epoch) noexcept;

// REQUIRES: epoch_valid(epoch).
std::string epoch_text(Epoch epoch);
// ErrorKind::malformed for anything but the exact text of a valid epoch.
Result<Epoch> parse_epoch(std::string_view text);

// "none", "day", "week", "month".
std::string_view epoch_length_name(EpochLength length) noexcept;
Result<EpochLength> parse_epoch_length(std::string_view text) noexcept;

}  // namespace paravent::crypto
