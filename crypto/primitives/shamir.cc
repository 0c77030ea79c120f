#include "crypto/primitives/shamir.h"

#include <algorithm>
#include <array>
#include <utility>

namespace paravent::crypto {
namespace {

constexpr std::size_t kMaxSecret = 1024;
constexpr unsigned kReduction = 0x1B;

// Masks, not branches: all eight steps are done whatever the bits are.
std::uint8_t multiply(std::uint8_t a, std::uint8_t b) noexcept {
  unsigned left = a;
  unsigned right = b;
  unsigned product = 0;
  for (int i = 0; i < 8; ++i) {
    product ^= left & (0U - (right & 1U));
    const unsigned carry = 0U - ((left >> 7U) & 1U);
    left = ((left << 1U) & 0xFFU) ^ (carry & kReduction);
    right >>= 1U;
  }
  return static_cast<std::uint8_t>(product);
}

// a^254 = a^-1; zero stays zero.
std::uint8_t invert(std::uint8_t a) noexcept {
  std::uint8_t result = 1;
  std::uint8_t power = a;
  for (int i = 1; i < 8; ++i) {
    power = multiply(power, power);
    result = multiply(result, power);
  }
  return result;
}

bool usable(std::span<const ShamirShare> shares) noexcept {
  if (shares.size() < 2 || shares.size() > 255) return false;
  std::array<bool, 256> seen{};
  for (const ShamirShare& share : shares) {
    if (share.point == 0 || std::exchange(seen[share.point], true)) return false;
    if (share.value.empty() || share.value.size() != shares[0].value.size()) return false;
  }
  return true;
}

}  // namespace

Result<std::vector<ShamirShare>> shamir_split(ByteView secret, unsigned threshold, unsigned shares,
                                              RandomSource& random) {
  if (threshold < 2 || shares < threshold || shares > 255 || secret.empty() ||
      secret.size() > kMaxSecret) {
    return Error(ErrorKind::usage);
  }
  // Row d holds the coefficients of x^d, one per byte of the secret; row 0 is the secret.
  SecretBytes coefficients(secret.size() * threshold);
  const MutableBytes rows = coefficients.mutable_bytes();
  std::copy(secret.begin(), secret.end(), rows.begin());
  random.fill(rows.subspan(secret.size()));
  std::vector<ShamirShare> made;
  made.reserve(shares);
  for (unsigned x = 1; x <= shares; ++x) {
    const auto point = static_cast<std::uint8_t>(x);
    ShamirShare share{point, SecretBytes(secret.size())};
    const MutableBytes value = share.value.mutable_bytes();
    for (unsigned degree = threshold; degree-- > 0;) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        value[i] =
            static_cast<std::uint8_t>(multiply(value[i], point) ^ rows[degree * secret.size() + i]);
      }
    }
    made.push_back(std::move(share));
  }
  return made;
}

Result<SecretBytes> shamir_join(std::span<const ShamirShare> shares) {
  if (!usable(shares)) return Error(ErrorKind::usage);
  SecretBytes secret(shares[0].value.size());
  const MutableBytes out = secret.mutable_bytes();
  for (const ShamirShare& one : shares) {
    // Lagrange at zero: the product of x_j / (x_j - x_i) over the others; minus is plus.
    std::uint8_t weight = 1;
    for (const ShamirShare& other : shares) {
      if (other.point == one.point) continue;
      const auto difference = static_cast<std::uint8_t>(other.point ^ one.point);
      weight = multiply(weight, multiply(other.point, invert(difference)));
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = static_cast<std::uint8_t>(out[i] ^ multiply(one.value.bytes()[i], weight));
    }
  }
  return secret;
}

}  // namespace paravent::crypto
