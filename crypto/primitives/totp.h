// Time-based one-time codes (RFC 6238): HMAC-SHA-1 over steps of 30 seconds, six digits, which is
// what authenticator apps agree on. SHA-1 is not used for its resistance to collisions here
// (RFC 4226 B.2).
//
// Pure functions; any thread. That a code works once is the caller's: accept_totp() names the step,
// and a step that is not later than the last accepted one is refused.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/clock.h"

namespace paravent::crypto {

inline constexpr std::size_t kTotpSecretSize = 20;  // 160 bits (RFC 4226 4, R6)
inline constexpr std::uint32_t kTotpStepSeconds = 30;
inline constexpr std::size_t kTotpDigits = 6;

using TotpSecret = std::array<std::uint8_t, kTotpSecretSize>;

std::uint64_t totp_step(WallTime time) noexcept;

// The code of a step: HOTP (RFC 4226 5.3) of that counter, `digits` from 6 to 8.
std::string totp_code(const TotpSecret& secret, std::uint64_t step,
                      std::size_t digits = kTotpDigits);

// The step that the code is of: now, or one before or after (RFC 6238 5.2); nullopt: none of them,
// or not later than `last_step`. Compares in constant time.
std::optional<std::uint64_t> accept_totp(const TotpSecret& secret, std::string_view code,
                                         WallTime now, std::uint64_t last_step);

// Base32 without padding (RFC 4648 6): how people type it into their app.
std::string totp_secret_text(const TotpSecret& secret);

}  // namespace paravent::crypto
