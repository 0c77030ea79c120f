#include "crypto/primitives/ff1.h"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>

#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/ff1_long.h"
#include "crypto/primitives/xor.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kRounds = 10;
// A half of at most 96 bits keeps the round function within one AES block (d <= 16).
constexpr std::size_t kMaxNumber = 12;

std::size_t bytes_needed(UInt128 value) noexcept {
  std::size_t size = 0;
  for (; value != 0; value >>= 8U) ++size;
  return size;
}

// What is left of `value` divided by the modulus. In 64 bits with a multiplication by the
// reciprocal, floor((2^64 - 1) / modulus): the ten remainders wait for each other, and a division
// takes twice as long. The reciprocal is short of 2^64 / modulus by at most one, so the quotient is
// by at most one too.
std::uint64_t remainder(std::uint64_t value, std::uint64_t modulus,
                        std::uint64_t reciprocal) noexcept {
  const auto quotient = static_cast<std::uint64_t>((UInt128{value} * reciprocal) >> 64U);
  const std::uint64_t rest = value - quotient * modulus;
  return rest >= modulus ? rest - modulus : rest;
}

UInt128 remainder(UInt128 value, UInt128 modulus, std::uint64_t /*reciprocal*/) noexcept {
  return value % modulus;
}

// The first `size` bytes of the round function's block as a number: 8 where a half fits 4 bytes,
// else 12 or 16.
std::uint64_t leading_number(const AesBlock& block, std::size_t /*size*/,
                             std::uint64_t /*as*/) noexcept {
  return load_u64be(block.data());
}

UInt128 leading_number(const AesBlock& block, std::size_t size, UInt128 /*as*/) noexcept {
  return load_u128be(block.data()) >> (8 * (block.size() - size));
}

// `Radix` is a number, or a constant that lets the compiler divide by multiplying.
template <typename Radix, typename Number>
void digits_in(Number value, Radix radix, std::span<std::uint16_t> digits) noexcept {
  for (std::size_t i = digits.size(); i-- > 0;) {
    digits[i] = static_cast<std::uint16_t>(value % radix);
    value /= radix;
  }
}

template <typename Number>
void digits_of(Number value, std::uint32_t radix, std::span<std::uint16_t> digits) noexcept {
  if (radix == 10) {
    digits_in(value, std::integral_constant<std::uint32_t, 10>(), digits);
  } else {
    digits_in(value, radix, digits);
  }
}

template <typename Number>
Number number_of(std::span<const std::uint16_t> digits, std::uint32_t radix) noexcept {
  Number value = 0;
  for (const std::uint16_t digit : digits) value = value * radix + digit;
  return value;
}

}  // namespace

Result<Ff1> Ff1::create(ByteView key, std::uint32_t radix, SmallDomains small) {
  if (radix < kMinRadix || radix > kMaxRadix) return Error(ErrorKind::usage);
  auto blocks = AesBlocks::create(key);
  if (!blocks) return blocks.error();
  return Ff1(std::move(*blocks), radix,
             small == SmallDomains::computed ? kMinComputed : kMinDomain);
}

Ff1::~Ff1() {
  wipe(layout_.first_block);
  wipe(kept_state_);
}

Status Ff1::encrypt(ByteView tweak, std::span<const std::uint16_t> in,
                    std::span<std::uint16_t> out) {
  return run(tweak, in, out, true);
}

Status Ff1::decrypt(ByteView tweak, std::span<const std::uint16_t> in,
                    std::span<std::uint16_t> out) {
  return run(tweak, in, out, false);
}

// Steps 1 to 5 of the specification's algorithm 7.
Status Ff1::lay_out(std::size_t length, std::size_t tweak_size) {
  if (length < 2 || length > kMaxLength || tweak_size > kMaxTweak) return Error(ErrorKind::usage);
  if (layout_.length == length && layout_.tweak_size == tweak_size) return {};
  std::uint64_t domain = 1;
  for (std::size_t i = 0; i < length && domain < least_domain_; ++i) domain *= radix_;
  if (domain < least_domain_) return Error(ErrorKind::usage);
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
  for (std::size_t i = 0; i < 2; ++i) {
    if (layout.modulus[i] == 0 || layout.modulus[i] >> 64U != 0) continue;
    layout.reciprocal[i] = ~std::uint64_t{0} / static_cast<std::uint64_t>(layout.modulus[i]);
  }
  layout.number_size = bytes_needed(power - 1);
  layout.round_size = 4 * ((layout.number_size + 3) / 4) + 4;
  std::uint8_t* p = layout.first_block.data();
  p[0] = 1;
  p[1] = 2;
  p[2] = 1;
  p[3] = static_cast<std::uint8_t>(radix_ >> 16U);
  p[4] = static_cast<std::uint8_t>(radix_ >> 8U);
  p[5] = static_cast<std::uint8_t>(radix_);
  p[6] = static_cast<std::uint8_t>(kRounds);
  p[7] = static_cast<std::uint8_t>(layout.left);
  store_u32be(p + 8, static_cast<std::uint32_t>(length));
  store_u32be(p + 12, static_cast<std::uint32_t>(tweak_size));
  if (auto status = blocks_.encrypt(layout.first_block, layout.first_block); !status) return status;
  layout.length = length;
  layout_ = layout;
  has_kept_ = false;
  return {};
}

// The state of the round function before its last block, with that block's constant bytes already
// mixed in. Of Q = T | zeros | round | NUM(half) the last two are at most 13 bytes, so that all
// else is the same in every round.
bool Ff1::begin(ByteView tweak, AesBlock& state) noexcept {
  if (has_kept_ && std::equal(tweak.begin(), tweak.end(), kept_tweak_.begin(), kept_tweak_.end())) {
    state = kept_state_;
    return true;
  }
  state = layout_.first_block;
  bool ok = true;
  ByteView rest = tweak;
  for (; ok && rest.size() >= kAesBlockSize; rest = rest.subspan(kAesBlockSize)) {
    xor_into(state.data(), rest.data(), kAesBlockSize);
    ok = blocks_.encrypt_block(state);
  }
  xor_into(state.data(), rest.data(), rest.size());
  const bool shares_last_block = rest.size() + 1 + layout_.number_size <= kAesBlockSize;
  if (!shares_last_block) ok = ok && blocks_.encrypt_block(state);
  if (ok && tweak.size() == kept_tweak_.size()) {
    std::copy(tweak.begin(), tweak.end(), kept_tweak_.begin());
    kept_state_ = state;
    has_kept_ = true;
  }
  return ok;
}

// The ten rounds on both halves as numbers, for which `Number` is wide enough. The way is a
// constant so that both halves stay in registers: every step waits for the one before.
template <bool forward, typename Number>
Status Ff1::rounds(ByteView tweak, Number& a, Number& b) noexcept {
  AesBlock state{};
  bool ok = begin(tweak, state);
  const UInt128 start = load_u128be(state.data());
  const auto round_shift = static_cast<unsigned>(8 * layout_.number_size);
  const Number moduli[2] = {static_cast<Number>(layout_.modulus[0]),
                            static_cast<Number>(layout_.modulus[1])};
  Number mixed = forward ? b : a;
  Number replaced = forward ? a : b;
  for (std::size_t i = 0; ok && i < kRounds; ++i) {
    const std::size_t round = forward ? i : kRounds - 1 - i;
    const Number modulus = moduli[round % 2];
    store_u128be(state.data(), start ^ (UInt128{round} << round_shift) ^ mixed);
    ok = blocks_.encrypt_block(state);
    const Number y = remainder(leading_number(state, layout_.round_size, Number{}), modulus,
                               layout_.reciprocal[round % 2]);
    Number next = replaced + (forward ? y : modulus - y);
    if (next >= modulus) next -= modulus;
    replaced = mixed;
    mixed = next;
  }
  a = forward ? replaced : mixed;
  b = forward ? mixed : replaced;
  wipe(state);
  if (!ok) return Error(ErrorKind::internal);
  return {};
}

template <typename Number>
Status Ff1::apply(ByteView tweak, std::span<const std::uint16_t> in, std::span<std::uint16_t> out,
                  bool forward) noexcept {
  auto a = number_of<Number>(in.first(layout_.left), radix_);
  auto b = number_of<Number>(in.subspan(layout_.left), radix_);
  Status status = forward ? rounds<true>(tweak, a, b) : rounds<false>(tweak, a, b);
  if (status) {
    digits_of(a, radix_, out.first(layout_.left));
    digits_of(b, radix_, out.subspan(layout_.left));
  }
  return status;
}

Status Ff1::run(ByteView tweak, std::span<const std::uint16_t> in, std::span<std::uint16_t> out,
                bool forward) {
  if (in.size() != out.size()) return Error(ErrorKind::usage);
  bool in_radix = true;
  for (const std::uint16_t digit : in) in_radix &= digit < radix_;
  if (!in_radix) return Error(ErrorKind::usage);
  if (auto status = lay_out(in.size(), tweak.size()); !status) return status;
  if (!layout_.in_machine_integers) {
    return ff1_long(blocks_, radix_, layout_.first_block, tweak, in, out, forward);
  }
  return layout_.number_size <= 4 ? apply<std::uint64_t>(tweak, in, out, forward)
                                  : apply<UInt128>(tweak, in, out, forward);
}

}  // namespace paravent::crypto
