// Decimal numbers as exact integers: what a text says, in units of a power of ten, so that 0.1 is
// one tenth and no result carries the noise of binary fractions.
//
// Read is what JSON calls a number, also with a "+" or zeros in front: 12  -0.50  1.5e3. No comma,
// no blank inside. Pure functions without heap; any thread.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace paravent::proxy::generalise {

// Results stay below, so that sums and differences of a few cannot overflow.
inline constexpr std::int64_t kMostUnits = 100'000'000'000'000'000;  // 10^17

// The greatest integer not above the number times 10^decimals; none when `text` is no number or the
// result's magnitude is above kMostUnits.
std::optional<std::int64_t> read_decimal(std::string_view text, std::uint32_t decimals) noexcept;

// How many digits stand behind the point.
std::uint32_t decimals_of(std::string_view text) noexcept;

// Appends `units` of 10^-decimals with exactly so many decimals; zero has no sign.
void append_decimal(std::int64_t units, std::uint32_t decimals, std::string& out);

// Towards minus infinity. REQUIRES: divisor > 0.
constexpr std::int64_t floor_div(std::int64_t number, std::int64_t divisor) noexcept {
  const std::int64_t quotient = number / divisor;
  return number % divisor < 0 ? quotient - 1 : quotient;
}

}  // namespace paravent::proxy::generalise
