#include "crypto/primitives/totp.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstdlib>

#include "crypto/base/secret_bytes.h"

namespace paravent::crypto {

std::uint64_t totp_step(WallTime time) noexcept {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  return seconds < 0 ? 0 : static_cast<std::uint64_t>(seconds) / kTotpStepSeconds;
}

std::string totp_code(const TotpSecret& secret, std::uint64_t step, std::size_t digits) {
  std::array<std::uint8_t, 8> counter{};
  for (std::size_t i = 0; i < counter.size(); ++i) {
    counter.at(7 - i) = static_cast<std::uint8_t>(step >> (8 * i));
  }
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  if (::HMAC(::EVP_sha1(), secret.data(), static_cast<int>(secret.size()), counter.data(),
             counter.size(), mac.data(), &size) == nullptr ||
      size != 20) {
    std::abort();  // nothing sensible to do without SHA-1 in this library
  }
  // Dynamic truncation (RFC 4226 5.3).
  const std::size_t at = mac[19] & 0x0fU;
  const std::uint32_t number = (static_cast<std::uint32_t>(mac.at(at) & 0x7fU) << 24U) |
                               (static_cast<std::uint32_t>(mac.at(at + 1)) << 16U) |
                               (static_cast<std::uint32_t>(mac.at(at + 2)) << 8U) |
                               static_cast<std::uint32_t>(mac.at(at + 3));
  wipe(mac);
  std::string code(digits, '0');
  std::uint32_t rest = number;
  for (auto digit = code.rbegin(); digit != code.rend(); ++digit) {
    *digit = static_cast<char>('0' + rest % 10);
    rest /= 10;
  }
  return code;
}

std::optional<std::uint64_t> accept_totp(const TotpSecret& secret, std::string_view code,
                                         WallTime now, std::uint64_t last_step) {
  const std::uint64_t current = totp_step(now);
  std::optional<std::uint64_t> accepted;
  for (std::uint64_t step = current == 0 ? 0 : current - 1; step <= current + 1; ++step) {
    std::string right = totp_code(secret, step);
    // No early exit: the time does not tell which step it was.
    if (equal_constant_time(as_bytes(right), as_bytes(code)) && step > last_step) accepted = step;
    wipe(right);
  }
  return accepted;
}

std::string totp_secret_text(const TotpSecret& secret) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  static_assert(kTotpSecretSize % 5 == 0);  // so that no padding is ever needed
  std::string out;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::uint8_t byte : secret) {
    bits = (bits << 8U) | byte;
    held += 8;
    for (; held >= 5; held -= 5) out.push_back(kAlphabet[(bits >> (held - 5)) & 0x1fU]);
  }
  return out;
}

}  // namespace paravent::crypto
