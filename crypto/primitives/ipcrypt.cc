#include "crypto/primitives/ipcrypt.h"

#include <algorithm>
#include <array>

#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/uint128.h"
#include "crypto/primitives/xor.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kAddress = kAesBlockSize;
constexpr std::size_t kBits = 128;
constexpr std::size_t kMappedBits = 96;  // ::ffff:0:0/96, what an IPv4 address keeps

bool is_address(ByteView bytes) noexcept { return bytes.size() == kAddress; }

bool has_distinct_halves(ByteView key) noexcept {
  return !equal_constant_time(key.first(key.size() / 2), key.last(key.size() / 2));
}

std::size_t first_bit(ByteView address) noexcept {
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(kMapped.begin(), kMapped.end(), address.begin()) ? kMappedBits : 0;
}

// A one, then the first `bits` bits of the address, right-aligned: what the pad of the next bit is
// made from. The one tells prefixes of different lengths apart.
UInt128 padded_prefix(UInt128 address, std::size_t bits) noexcept {
  if (bits == 0) return 1;
  return (UInt128{1} << bits) | (address >> (kBits - bits));
}

UInt128 pad_bit(const std::uint8_t* first, const std::uint8_t* second) noexcept {
  return static_cast<unsigned>(first[kAesBlockSize - 1] ^ second[kAesBlockSize - 1]) & 1U;
}

}  // namespace

Result<IpcryptDeterministic> IpcryptDeterministic::create(ByteView key) {
  if (key.size() != kKeySize) return Error(ErrorKind::usage);
  auto blocks = AesBlocks::create(key);
  if (!blocks) return blocks.error();
  auto inverse = AesInverse::create(key);
  if (!inverse) return inverse.error();
  return IpcryptDeterministic(std::move(*blocks), std::move(*inverse));
}

Status IpcryptDeterministic::encrypt(ByteView address, MutableBytes out) noexcept {
  if (!is_address(address) || !is_address(out)) return Error(ErrorKind::usage);
  return blocks_.encrypt(address, out);
}

Status IpcryptDeterministic::decrypt(ByteView encrypted, MutableBytes address) noexcept {
  if (!is_address(encrypted) || !is_address(address)) return Error(ErrorKind::usage);
  return inverse_.decrypt(encrypted, address);
}

Result<IpcryptPfx> IpcryptPfx::create(ByteView key) {
  if (key.size() != kKeySize || !has_distinct_halves(key)) return Error(ErrorKind::usage);
  auto first = AesBlocks::create(key.first(kKeySize / 2));
  if (!first) return first.error();
  auto second = AesBlocks::create(key.last(kKeySize / 2));
  if (!second) return second.error();
  return IpcryptPfx(std::move(*first), std::move(*second));
}

// All prefixes are known beforehand: two calls of up to 128 blocks instead of 256 of one.
Status IpcryptPfx::encrypt(ByteView address, MutableBytes out) noexcept {
  if (!is_address(address) || !is_address(out)) return Error(ErrorKind::usage);
  const std::size_t start = first_bit(address);
  UInt128 value = load_u128be(address.data());
  std::array<std::uint8_t, kBits * kAesBlockSize> prefixes;
  std::array<std::uint8_t, kBits * kAesBlockSize> pads;
  for (std::size_t bit = start; bit < kBits; ++bit) {
    store_u128be(prefixes.data() + (bit - start) * kAesBlockSize, padded_prefix(value, bit));
  }
  const MutableBytes first(prefixes.data(), (kBits - start) * kAesBlockSize);
  const MutableBytes second(pads.data(), first.size());
  Status status = second_.encrypt(first, second);
  if (status) status = first_.encrypt(first, first);
  if (status) {
    for (std::size_t bit = start; bit < kBits; ++bit) {
      const std::size_t at = (bit - start) * kAesBlockSize;
      value ^= pad_bit(first.data() + at, second.data() + at) << (kBits - 1 - bit);
    }
    store_u128be(out.data(), value);
  }
  wipe(first);
  wipe(second);
  return status;
}

Status IpcryptPfx::decrypt(ByteView encrypted, MutableBytes address) noexcept {
  if (!is_address(encrypted) || !is_address(address)) return Error(ErrorKind::usage);
  UInt128 clear = load_u128be(encrypted.data());
  for (std::size_t bit = first_bit(encrypted); bit < kBits; ++bit) {
    AesBlock first{};
    store_u128be(first.data(), padded_prefix(clear, bit));
    AesBlock second = first;
    if (!first_.encrypt_block(first) || !second_.encrypt_block(second)) {
      return Error(ErrorKind::internal);
    }
    clear ^= pad_bit(first.data(), second.data()) << (kBits - 1 - bit);
  }
  store_u128be(address.data(), clear);
  return {};
}

Result<IpcryptNdx> IpcryptNdx::create(ByteView key) {
  if (key.size() != kKeySize || !has_distinct_halves(key)) return Error(ErrorKind::usage);
  auto data = AesBlocks::create(key.first(kKeySize / 2));
  if (!data) return data.error();
  auto inverse = AesInverse::create(key.first(kKeySize / 2));
  if (!inverse) return inverse.error();
  auto tweak = AesBlocks::create(key.last(kKeySize / 2));
  if (!tweak) return tweak.error();
  return IpcryptNdx(std::move(*data), std::move(*inverse), std::move(*tweak));
}

Status IpcryptNdx::encrypt(ByteView tweak, ByteView address, MutableBytes out) noexcept {
  if (!is_address(tweak) || !is_address(address) || !is_address(out)) {
    return Error(ErrorKind::usage);
  }
  AesBlock mask{};
  if (auto status = tweak_.encrypt(tweak, mask); !status) return status;
  AesBlock block{};
  std::copy(address.begin(), address.end(), block.begin());
  xor_into(block, mask);
  Status status = data_.encrypt(block, block);
  xor_into(block, mask);
  if (status) std::copy(block.begin(), block.end(), out.begin());
  wipe(mask);
  wipe(block);
  return status;
}

Status IpcryptNdx::decrypt(ByteView tweak, ByteView encrypted, MutableBytes address) noexcept {
  if (!is_address(tweak) || !is_address(encrypted) || !is_address(address)) {
    return Error(ErrorKind::usage);
  }
  AesBlock mask{};
  if (auto status = tweak_.encrypt(tweak, mask); !status) return status;
  AesBlock block{};
  std::copy(encrypted.begin(), encrypted.end(), block.begin());
  xor_into(block, mask);
  Status status = inverse_.decrypt(block, block);
  xor_into(block, mask);
  if (status) std::copy(block.begin(), block.end(), address.begin());
  wipe(mask);
  wipe(block);
  return status;
}

}  // namespace paravent::crypto
