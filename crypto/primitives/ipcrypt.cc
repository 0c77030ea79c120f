#include "crypto/primitives/ipcrypt.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "crypto/base/secret_bytes.h"
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

void flip_bit(MutableBytes address, std::size_t bit, unsigned by) noexcept {
  address[bit / 8] = static_cast<std::uint8_t>(address[bit / 8] ^ (by << (7 - bit % 8)));
}

// A one, then the first `bits` bits of the address, right-aligned: what the pad of the next bit is
// made from. The one tells prefixes of different lengths apart.
AesBlock padded_prefix(ByteView address, std::size_t bits) noexcept {
  AesBlock block{};
  if (bits == 0) {
    block[kAesBlockSize - 1] = 1;
    return block;
  }
  // The address shifted right by 128 - bits, a whole-byte and a bit part.
  const std::size_t shift = kBits - bits;
  const std::size_t bytes = shift / 8;
  const unsigned rest = static_cast<unsigned>(shift % 8);
  for (std::size_t i = kAesBlockSize; i-- > bytes;) {
    const unsigned low = address[i - bytes];
    const unsigned high = i > bytes ? address[i - bytes - 1] : 0U;
    block[i] = static_cast<std::uint8_t>(((high << 8U) | low) >> rest);
  }
  block[(shift - 1) / 8] =
      static_cast<std::uint8_t>(block[(shift - 1) / 8] | (1U << (7 - (shift - 1) % 8)));
  return block;
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
  std::array<std::uint8_t, kBits * kAesBlockSize> prefixes;
  std::array<std::uint8_t, kBits * kAesBlockSize> pads;
  for (std::size_t bit = start; bit < kBits; ++bit) {
    const AesBlock block = padded_prefix(address, bit);
    std::memcpy(prefixes.data() + (bit - start) * kAesBlockSize, block.data(), block.size());
  }
  const MutableBytes first(prefixes.data(), (kBits - start) * kAesBlockSize);
  const MutableBytes second(pads.data(), first.size());
  Status status = second_.encrypt(first, second);
  if (status) status = first_.encrypt(first, first);
  if (status) {
    if (out.data() != address.data()) std::memcpy(out.data(), address.data(), kAddress);
    for (std::size_t bit = start; bit < kBits; ++bit) {
      const std::size_t last = (bit - start) * kAesBlockSize + kAesBlockSize - 1;
      flip_bit(out, bit, static_cast<unsigned>(first[last] ^ second[last]) & 1U);
    }
  }
  wipe(first);
  wipe(second);
  return status;
}

Status IpcryptPfx::decrypt(ByteView encrypted, MutableBytes address) noexcept {
  if (!is_address(encrypted) || !is_address(address)) return Error(ErrorKind::usage);
  AesBlock clear{};
  std::copy(encrypted.begin(), encrypted.end(), clear.begin());
  Status status;
  for (std::size_t bit = first_bit(encrypted); status && bit < kBits; ++bit) {
    const AesBlock prefix = padded_prefix(clear, bit);
    AesBlock first{};
    AesBlock second{};
    status = first_.encrypt(prefix, first);
    if (status) status = second_.encrypt(prefix, second);
    if (status) flip_bit(clear, bit, static_cast<unsigned>(first.back() ^ second.back()) & 1U);
  }
  if (status) std::copy(clear.begin(), clear.end(), address.begin());
  wipe(clear);
  return status;
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
