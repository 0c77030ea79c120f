#include "crypto/primitives/ff1.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/ff1_long.h"
#include "crypto/primitives/xor.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kRounds = 10;
// A half of at most 96 bits keeps the round function within one AES block (d <= 16).
constexpr std::size_t kMaxNumber = 12;

UInt128 load_be(ByteView bytes) noexcept {
  UInt128 value = 0;
  for (const std::uint8_t byte : bytes) value = (value << 8U) | byte;
  return value;
}

void store_be(UInt128 value, MutableBytes out) noexcept {
  for (std::size_t i = out.size(); i-- > 0;) {
    out[i] = static_cast<std::uint8_t>(value);
    value >>= 8U;
  }
}

std::size_t bytes_needed(UInt128 value) noexcept {
  std::size_t size = 0;
  for (; value != 0; value >>= 8U) ++size;
  return size;
}

// Division of 64-bit numbers is several times cheaper than that of 128-bit ones, and enough for
// halves of up to 9 decimal digits.
UInt128 remainder(UInt128 value, UInt128 modulus) noexcept {
  if ((value >> 64U) == 0 && (modulus >> 64U) == 0) {
    return static_cast<std::uint64_t>(value) % static_cast<std::uint64_t>(modulus);
  }
  return value % modulus;
}

UInt128 number_of(std::span<const std::uint16_t> digits, std::uint32_t radix) noexcept {
  UInt128 value = 0;
  for (const std::uint16_t digit : digits) value = value * radix + digit;
  return value;
}

void digits_of(UInt128 value, std::uint32_t radix, std::span<std::uint16_t> digits) noexcept {
  std::size_t i = digits.size();
  for (; i > 0 && (value >> 64U) != 0; --i) {
    digits[i - 1] = static_cast<std::uint16_t>(value % radix);
    value /= radix;
  }
  auto low = static_cast<std::uint64_t>(value);
  for (; i > 0; --i) {
    digits[i - 1] = static_cast<std::uint16_t>(low % radix);
    low /= radix;
  }
}

}  // namespace

Result<Ff1> Ff1::create(ByteView key, std::uint32_t radix) {
  if (radix < kMinRadix || radix > kMaxRadix) return Error(ErrorKind::usage);
  auto blocks = AesBlocks::create(key);
  if (!blocks) return blocks.error();
  return Ff1(std::move(*blocks), radix);
}

Ff1::~Ff1() { wipe(layout_.first_block); }

Status Ff1::encrypt(ByteView tweak, std::span<const std::uint16_t> in,
                    std::span<std::uint16_t> out) {
  return apply(tweak, in, out, true);
}

Status Ff1::decrypt(ByteView tweak, std::span<const std::uint16_t> in,
                    std::span<std::uint16_t> out) {
  return apply(tweak, in, out, false);
}

Status Ff1::check(ByteView tweak, std::span<const std::uint16_t> in, std::size_t out_size) const {
  if (in.size() != out_size || in.size() < 2 || in.size() > kMaxLength ||
      tweak.size() > kMaxTweak) {
    return Error(ErrorKind::usage);
  }
  std::uint64_t domain = 1;
  for (std::size_t i = 0; i < in.size() && domain < kMinDomain; ++i) domain *= radix_;
  if (domain < kMinDomain) return Error(ErrorKind::usage);
  for (const std::uint16_t digit : in) {
    if (digit >= radix_) return Error(ErrorKind::usage);
  }
  return {};
}

// Steps 1 to 5 of the specification's algorithm 7.
Status Ff1::lay_out(std::size_t length, std::size_t tweak_size) {
  if (layout_.length == length && layout_.tweak_size == tweak_size) return {};
  Layout layout;
  layout.tweak_size = tweak_size;
  layout.left = length / 2;
  const std::size_t right = length - layout.left;
  UInt128 power = 1;
  for (std::size_t i = 0; i < right && layout.in_machine_integers; ++i) {
    if (i == layout.left) layout.modulus[0] = power;
    power *= radix_;
    layout.in_machine_integers = bytes_needed(power - 1) <= kMaxNumber;
  }
  layout.modulus[1] = power;
  if (layout.left == right) layout.modulus[0] = power;
  layout.number_size = bytes_needed(power - 1);
  layout.round_size = 4 * ((layout.number_size + 3) / 4) + 4;
  std::uint8_t* p = layout.first_block.data();
  p[0] = 1;
  p[1] = 2;
  p[2] = 1;
  store_be(radix_, MutableBytes(p + 3, 3));
  p[6] = static_cast<std::uint8_t>(kRounds);
  p[7] = static_cast<std::uint8_t>(layout.left);
  store_u32be(p + 8, static_cast<std::uint32_t>(length));
  store_u32be(p + 12, static_cast<std::uint32_t>(tweak_size));
  if (auto status = blocks_.encrypt(layout.first_block, layout.first_block); !status) return status;
  layout.length = length;
  layout_ = layout;
  return {};
}

// The ten rounds on both halves as numbers. Of Q = T | zeros | round | NUM(half) only the last one
// or two blocks change from round to round, so all before them is chained once.
Status Ff1::rounds(ByteView tweak, UInt128& a, UInt128& b, bool forward) noexcept {
  const std::size_t rest = tweak.size() % kAesBlockSize;
  AesBlock start = layout_.first_block;
  for (std::size_t i = 0; i + kAesBlockSize <= tweak.size(); i += kAesBlockSize) {
    xor_into(start.data(), tweak.data() + i, kAesBlockSize);
    if (auto status = blocks_.encrypt(start, start); !status) return status;
  }
  std::array<std::uint8_t, 2 * kAesBlockSize> tail{};
  const std::size_t tail_size =
      rest + 1 + layout_.number_size <= kAesBlockSize ? kAesBlockSize : 2 * kAesBlockSize;
  std::copy(tweak.end() - static_cast<std::ptrdiff_t>(rest), tweak.end(), tail.begin());
  const MutableBytes number(tail.data() + tail_size - layout_.number_size, layout_.number_size);
  std::uint8_t& round_byte = tail[tail_size - layout_.number_size - 1];

  AesBlock state{};
  Status status;
  for (std::size_t i = 0; status && i < kRounds; ++i) {
    const std::size_t round = forward ? i : kRounds - 1 - i;
    const UInt128 modulus = layout_.modulus[round % 2];
    round_byte = static_cast<std::uint8_t>(round);
    store_be(forward ? b : a, number);
    state = start;
    for (std::size_t at = 0; status && at < tail_size; at += kAesBlockSize) {
      xor_into(state.data(), tail.data() + at, kAesBlockSize);
      status = blocks_.encrypt(state, state);
    }
    const UInt128 y = remainder(load_be(ByteView(state).first(layout_.round_size)), modulus);
    UInt128& replaced = forward ? a : b;
    UInt128 sum = forward ? replaced + y : replaced + (modulus - y);
    if (sum >= modulus) sum -= modulus;
    replaced = sum;
    std::swap(a, b);
  }
  wipe(start);
  wipe(state);
  wipe(tail);
  return status;
}

Status Ff1::apply(ByteView tweak, std::span<const std::uint16_t> in, std::span<std::uint16_t> out,
                  bool forward) {
  if (auto status = check(tweak, in, out.size()); !status) return status;
  if (auto status = lay_out(in.size(), tweak.size()); !status) return status;
  if (!layout_.in_machine_integers) {
    return ff1_long(blocks_, radix_, layout_.first_block, tweak, in, out, forward);
  }
  UInt128 a = number_of(in.first(layout_.left), radix_);
  UInt128 b = number_of(in.subspan(layout_.left), radix_);
  Status status = rounds(tweak, a, b, forward);
  if (status) {
    digits_of(a, radix_, out.first(layout_.left));
    digits_of(b, radix_, out.subspan(layout_.left));
  }
  return status;
}

}  // namespace paravent::crypto
