#include "bench/support/token_shape.h"

#include <array>
#include <cstdint>

namespace paravent::bench {
namespace {

constexpr std::string_view kBech32Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::string_view kBase64UrlAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint32_t kBech32mConstant = 0x2bc830a3;
constexpr std::size_t kCheckCharacters = 6;
constexpr std::uint8_t kNone = 255;

constexpr std::array<std::uint8_t, 256> inverse_of(std::string_view alphabet) {
  std::array<std::uint8_t, 256> table{};
  table.fill(kNone);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}

constexpr auto kBech32Inverse = inverse_of(kBech32Alphabet);
constexpr auto kBase64UrlInverse = inverse_of(kBase64UrlAlphabet);

// The generator's five multiples, combined for every value of the five bits that leave.
constexpr std::array<std::uint32_t, 32> make_feedback() {
  constexpr std::array<std::uint32_t, 5> kGenerator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
                                                       0x3d4233dd, 0x2a1462b3};
  std::array<std::uint32_t, 32> table{};
  for (std::uint32_t top = 0; top < 32; ++top) {
    for (std::uint32_t bit = 0; bit < 5; ++bit) {
      if (((top >> bit) & 1U) != 0) table[top] ^= kGenerator[bit];
    }
  }
  return table;
}

constexpr auto kFeedback = make_feedback();

constexpr std::uint32_t polymod_step(std::uint32_t state, std::uint32_t value) {
  return (((state & 0x1ffffffU) << 5U) ^ value) ^ kFeedback[state >> 25U];
}

std::uint32_t polymod_of_prefix(std::string_view human_readable) {
  std::uint32_t state = 1;
  for (const char c : human_readable)
    state = polymod_step(state, static_cast<std::uint8_t>(c) >> 5U);
  state = polymod_step(state, 0);
  for (const char c : human_readable)
    state = polymod_step(state, static_cast<std::uint8_t>(c) & 31U);
  return state;
}

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit)
      value = (value >> 1U) ^ ((value & 1U) != 0 ? 0x82f63b78U : 0U);
    table[i] = value;
  }
  return table;
}

constexpr auto kCrcTable = make_crc_table();

std::uint32_t crc32c(const std::uint8_t* bytes, std::size_t size) {
  std::uint32_t state = 0xffffffffU;
  for (std::size_t i = 0; i < size; ++i) {
    state = (state >> 8U) ^ kCrcTable[(state ^ bytes[i]) & 255U];
  }
  return state ^ 0xffffffffU;
}

bool is_bucket(std::size_t size) {
  constexpr std::array<std::size_t, 12> kBuckets = {16,  32,  48,  64,  96,  128,
                                                    192, 256, 384, 512, 768, 1024};
  for (const std::size_t bucket : kBuckets) {
    if (bucket == size) return true;
  }
  return size > 1024 && size % 1024 == 0;
}

}  // namespace

bool is_bech32m(std::string_view text, std::string_view human_readable, std::size_t length) {
  const std::size_t prefix = human_readable.size() + 1;
  if (text.size() != length || length < prefix + kCheckCharacters) return false;
  if (!text.starts_with(human_readable) || text[prefix - 1] != '1') return false;
  const std::size_t data = length - prefix - kCheckCharacters;
  // data characters carry 5 bits each; what exceeds whole bytes must be less than a character.
  const std::size_t spare_bits = data * 5 % 8;
  if (spare_bits >= 5) return false;
  std::uint32_t state = polymod_of_prefix(human_readable);
  for (std::size_t i = prefix; i < length; ++i) {
    const std::uint32_t value = kBech32Inverse[static_cast<std::uint8_t>(text[i])];
    if (value == kNone) return false;
    if (i == prefix + data - 1 && (value & ((1U << spare_bits) - 1U)) != 0) return false;
    state = polymod_step(state, value);
  }
  return state == kBech32mConstant;
}

bool is_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return false;
  std::uint8_t last = 0;
  for (const char c : text) {
    last = kBase64UrlInverse[static_cast<std::uint8_t>(c)];
    if (last == kNone) return false;
  }
  if (text.size() % 4 == 2) return (last & 15U) == 0;
  if (text.size() % 4 == 3) return (last & 3U) == 0;
  return true;
}

bool is_encrypted_text(std::string_view text) {
  constexpr std::string_view kPrefix = "pve_";
  constexpr std::size_t kOverhead = 6 + 24 + 16 + 4;
  std::array<std::uint8_t, 4096> bytes{};
  if (!text.starts_with(kPrefix)) return false;
  text.remove_prefix(kPrefix.size());
  const std::size_t size = text.size() * 3 / 4;
  if (size > bytes.size() || size < kOverhead || !is_bucket(size - kOverhead)) return false;
  if (!is_base64url(text)) return false;
  std::uint32_t bits = 0;
  unsigned held = 0;
  std::size_t written = 0;
  for (const char c : text) {
    bits = (bits << 6U) | kBase64UrlInverse[static_cast<std::uint8_t>(c)];
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[written++] = static_cast<std::uint8_t>(bits >> held);
    }
  }
  const std::uint8_t* tail = bytes.data() + size - 4;
  const std::uint32_t carried = (std::uint32_t{tail[0]} << 24U) | (std::uint32_t{tail[1]} << 16U) |
                                (std::uint32_t{tail[2]} << 8U) | tail[3];
  return crc32c(bytes.data(), size - 4) == carried;
}

}  // namespace paravent::bench
