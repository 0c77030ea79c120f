#include "crypto/tokens/shape_text.h"

#include <array>
#include <cstdlib>
#include <cstring>

#include "crypto/base/bytes.h"
#include "crypto/base/ip_address.h"

namespace paravent::crypto {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kLettersAndDigits = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kUnusedCountryCode = "+999";
constexpr std::size_t kPhoneDigits = 12;  // with +999 the fifteen that E.164 allows
constexpr std::size_t kPairDigits = 10;
constexpr std::size_t kUuidSize = 36;
constexpr std::uint8_t kUniqueLocal = 0xFD;  // fd00::/8, RFC 4193
constexpr std::uint8_t kReserved = 0xF0;     // 240.0.0.0/4, RFC 1112

struct LengthRange {
  std::uint8_t least;
  std::uint8_t most;
  std::uint8_t usual;
};
constexpr LengthRange kDigitsRange = {6, 18, 12};
constexpr LengthRange kAlphanumericRange = {8, 32, 16};

bool within(LengthRange range, std::uint8_t length) noexcept {
  return length >= range.least && length <= range.most;
}

// A number in [0, 1) of 256 bits. next(n) multiplies it by n and takes the whole part off: a
// uniform symbol of n, and what stays is uniform again, for the next.
class Fraction {
 public:
  explicit Fraction(std::span<const std::uint8_t, 32> random) noexcept {
    for (std::size_t i = 0; i < limbs_.size(); ++i) {
      const std::uint8_t* p = random.data() + 8 * (limbs_.size() - 1 - i);
      limbs_[i] = (std::uint64_t{load_u32be(p)} << 32U) | load_u32be(p + 4);
    }
  }

  std::size_t next(std::uint32_t n) noexcept {
    std::uint64_t carry = 0;
    for (std::uint64_t& limb : limbs_) {
      __extension__ using Wide = unsigned __int128;
      const Wide product = Wide{limb} * n + carry;
      limb = static_cast<std::uint64_t>(product);
      carry = static_cast<std::uint64_t>(product >> 64U);
    }
    return static_cast<std::size_t>(carry);
  }

 private:
  std::array<std::uint64_t, 4> limbs_{};  // lowest first
};

void append_digits(Fraction& fraction, std::size_t count, bool leading_zero, std::string& out) {
  for (std::size_t i = 0; i < count; ++i) {
    const bool from_one = i == 0 && !leading_zero;
    const std::size_t digit = from_one ? fraction.next(9) + 1 : fraction.next(10);
    out.push_back(static_cast<char>('0' + digit));
  }
}

void append_alphanumeric(Fraction& fraction, std::size_t count, std::string& out) {
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(kLettersAndDigits[fraction.next(i == 0 ? 26 : 36)]);
  }
}

void append_hex_of(const std::uint8_t* bytes, std::size_t count, std::string& out) {
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(kHex[bytes[i] >> 4U]);
    out.push_back(kHex[bytes[i] & 15U]);
  }
}

void append_uuid(std::span<const std::uint8_t, 32> random, std::string& out) {
  std::array<std::uint8_t, 16> bytes;
  std::memcpy(bytes.data(), random.data(), bytes.size());
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0FU) | 0x40U);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3FU) | 0x80U);
  append_hex_of(bytes.data(), 4, out);
  for (std::size_t i = 4; i < 10; i += 2) {
    out.push_back('-');
    append_hex_of(bytes.data() + i, 2, out);
  }
  out.push_back('-');
  append_hex_of(bytes.data() + 10, 6, out);
}

void append_unique_local(std::span<const std::uint8_t, 32> random, std::string& out) {
  IpAddress bytes;
  bytes[0] = kUniqueLocal;
  std::memcpy(bytes.data() + 1, random.data(), bytes.size() - 1);
  append_ip(bytes, out);
}

void append_reserved(std::span<const std::uint8_t, 32> random, std::string& out) {
  IpAddress bytes{};
  bytes[10] = bytes[11] = 0xFF;
  std::memcpy(bytes.data() + 12, random.data(), 4);
  bytes[12] = static_cast<std::uint8_t>(bytes[12] | kReserved);
  append_ip(bytes, out);
}

bool all_of(std::string_view text, std::string_view alphabet) noexcept {
  return text.find_first_not_of(alphabet) == std::string_view::npos;
}

bool is_number(std::string_view text, std::size_t size) noexcept {
  return text.size() == size && text.front() != '0' && all_of(text, kHex.substr(0, 10));
}

bool is_uuid4(std::string_view text) noexcept {
  if (text.size() != kUuidSize || text[14] != '4' ||
      std::string_view("89ab").find(text[19]) == std::string_view::npos) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : kHex.find(text[i]) == std::string_view::npos) return false;
  }
  return true;
}

// The one spelling of an address of the family, in the range.
bool is_shaped_address(Shape shape, std::string_view text) noexcept {
  IpAddress bytes;
  if (!parse_ip(text, bytes)) return false;
  const bool in_range = shape == Shape::ip ? bytes[0] == kUniqueLocal
                                           : is_ipv4(bytes) && (bytes[12] & kReserved) == kReserved;
  if (!in_range) return false;
  std::array<char, kMaxIpText> canonical;
  return std::string_view(canonical.data(), write_ip(bytes, canonical)) == text;
}

}  // namespace

std::uint8_t effective_shape_length(Shape shape, std::uint8_t length) noexcept {
  if (shape == Shape::digits) return length == 0 ? kDigitsRange.usual : length;
  if (shape == Shape::alphanumeric) return length == 0 ? kAlphanumericRange.usual : length;
  return 0;
}

bool is_shape_drawn(Shape shape, std::uint8_t length) noexcept {
  const std::uint8_t effective = effective_shape_length(shape, length);
  switch (shape) {
    case Shape::digits:
      return within(kDigitsRange, effective);
    case Shape::alphanumeric:
      return within(kAlphanumericRange, effective);
    case Shape::phone:
    case Shape::digits_digits:
    case Shape::hex16:
    case Shape::uuid:
    case Shape::ip:
    case Shape::ipv4:
      return length == 0;
    case Shape::none:
    case Shape::email:
    case Shape::preserve:
      break;
  }
  return false;
}

std::size_t shape_length(Shape shape, std::uint8_t length) noexcept {
  switch (shape) {
    case Shape::phone:
      return kUnusedCountryCode.size() + kPhoneDigits;
    case Shape::digits:
    case Shape::alphanumeric:
      return effective_shape_length(shape, length);
    case Shape::digits_digits:
      return 2 * kPairDigits + 1;
    case Shape::hex16:
      return 16;
    case Shape::uuid:
      return kUuidSize;
    case Shape::ip:
      return kMaxIpText;
    case Shape::ipv4:
      return 15;
    case Shape::none:
    case Shape::email:
    case Shape::preserve:
      break;
  }
  return 0;
}

void append_shape(Shape shape, std::uint8_t length, std::span<const std::uint8_t, 32> random,
                  std::string& out) {
  if (!is_shape_drawn(shape, length)) std::abort();
  Fraction fraction(random);
  switch (shape) {
    case Shape::phone:
      out.append(kUnusedCountryCode);
      append_digits(fraction, kPhoneDigits, true, out);
      return;
    case Shape::digits:
      append_digits(fraction, effective_shape_length(shape, length), false, out);
      return;
    case Shape::digits_digits:
      append_digits(fraction, kPairDigits, false, out);
      out.push_back('.');
      append_digits(fraction, kPairDigits, false, out);
      return;
    case Shape::hex16:
      append_hex_of(random.data(), 8, out);
      return;
    case Shape::uuid:
      append_uuid(random, out);
      return;
    case Shape::alphanumeric:
      append_alphanumeric(fraction, effective_shape_length(shape, length), out);
      return;
    case Shape::ip:
      append_unique_local(random, out);
      return;
    case Shape::ipv4:
      append_reserved(random, out);
      return;
    case Shape::none:
    case Shape::email:
    case Shape::preserve:
      break;
  }
  std::abort();
}

bool matches_shape(Shape shape, std::uint8_t length, std::string_view text) noexcept {
  if (text.empty() || !is_shape_drawn(shape, length)) return false;
  switch (shape) {
    case Shape::phone:
      return text.starts_with(kUnusedCountryCode) &&
             text.size() == kUnusedCountryCode.size() + kPhoneDigits &&
             all_of(text.substr(1), kHex.substr(0, 10));
    case Shape::digits:
      return is_number(text, effective_shape_length(shape, length));
    case Shape::digits_digits:
      return text.size() == 2 * kPairDigits + 1 && text[kPairDigits] == '.' &&
             is_number(text.substr(0, kPairDigits), kPairDigits) &&
             is_number(text.substr(kPairDigits + 1), kPairDigits);
    case Shape::hex16:
      return text.size() == 16 && all_of(text, kHex);
    case Shape::uuid:
      return is_uuid4(text);
    case Shape::alphanumeric:
      return text.size() == effective_shape_length(shape, length) && text[0] >= 'a' &&
             text[0] <= 'z' && all_of(text, kLettersAndDigits);
    case Shape::ip:
    case Shape::ipv4:
      return is_shaped_address(shape, text);
    case Shape::none:
    case Shape::email:
    case Shape::preserve:
      break;
  }
  return false;
}

}  // namespace paravent::crypto
