#include "crypto/primitives/aes_siv.h"

#include <algorithm>
#include <cstring>

#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/uint128.h"
#include "crypto/primitives/xor.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kChunkBlocks = 16;

// SIV with bits 63 and 31 cleared (RFC 5297 2.5), where the counter begins. With bit 31 clear,
// fewer than 2^31 blocks never carry out of the low 32 bits, so it does not matter how wide the
// counter is.
UInt128 first_counter(const AesBlock& siv) noexcept {
  constexpr UInt128 kCleared = (UInt128{1} << 63U) | (UInt128{1} << 31U);
  return load_u128be(siv.data()) & ~kCleared;
}

}  // namespace

AesSiv256::AesSiv256(AesCmac s2v, AesBlocks counter) noexcept
    : s2v_(std::move(s2v)), counter_(std::move(counter)) {}

AesSiv256::~AesSiv256() { wipe(ad_part_); }

Result<AesSiv256> AesSiv256::create(ByteView key) {
  if (key.size() != kKeySize) return Error(ErrorKind::usage);
  const ByteView s2v_key = key.first(kKeySize / 2);
  const ByteView counter_key = key.last(kKeySize / 2);
  if (equal_constant_time(s2v_key, counter_key)) return Error(ErrorKind::usage);
  auto s2v = AesCmac::create(s2v_key);
  if (!s2v) return s2v.error();
  auto counter = AesBlocks::create(counter_key);
  if (!counter) return counter.error();
  return AesSiv256(std::move(*s2v), std::move(*counter));
}

Status AesSiv256::set_ad(ByteView ad) {
  has_ad_ = false;
  AesBlock part{};
  if (auto status = s2v_.mac(AesBlock{}, part); !status) return status;
  AesBlock ad_mac{};
  if (auto status = s2v_.mac(ad, ad_mac); !status) return status;
  ad_part_ = doubled(part);
  xor_into(ad_part_, ad_mac);
  has_ad_ = true;
  return {};
}

// RFC 5297 2.4, from the point where all AD strings are folded into D.
Status AesSiv256::synthetic_iv(ByteView plaintext, AesBlock& siv) noexcept {
  if (plaintext.size() >= kAesBlockSize) return s2v_.mac_xorend(plaintext, ad_part_, siv);
  AesBlock last{};
  std::copy(plaintext.begin(), plaintext.end(), last.begin());
  last[plaintext.size()] = 0x80;
  xor_into(last, doubled(ad_part_));
  Status status = s2v_.mac(last, siv);
  wipe(last);
  return status;
}

Status AesSiv256::apply_counter(const AesBlock& siv, ByteView in, MutableBytes out) noexcept {
  UInt128 count = first_counter(siv);
  std::array<std::uint8_t, kChunkBlocks * kAesBlockSize> stream;
  std::size_t used = 0;
  Status status;
  for (std::size_t done = 0; status && done < in.size();) {
    const std::size_t size = std::min(stream.size(), in.size() - done);
    const std::size_t blocks = (size + kAesBlockSize - 1) / kAesBlockSize;
    for (std::size_t i = 0; i < blocks; ++i) {
      store_u128be(stream.data() + i * kAesBlockSize, count++);
    }
    const MutableBytes pad(stream.data(), blocks * kAesBlockSize);
    status = counter_.encrypt(pad, pad);
    used = std::max(used, pad.size());
    if (status) {
      if (out.data() + done != in.data() + done)
        std::memcpy(out.data() + done, in.data() + done, size);
      xor_into(out.data() + done, pad.data(), size);
    }
    done += size;
  }
  wipe(MutableBytes(stream.data(), used));
  return status;
}

// Frames are short and consist of whole blocks: one copy serves the MAC, then the key stream, and
// is wiped once. False: internal.
bool AesSiv256::seal_frame(ByteView frame, MutableBytes out) noexcept {
  std::array<std::uint8_t, kChunkBlocks * kAesBlockSize> memory;
  const MutableBytes work(memory.data(), frame.size());
  copy_blocks(work.data(), frame.data(), frame.size());
  AesBlock siv;
  bool ok = s2v_.mac_xorend_in_place(work, ad_part_, siv);
  UInt128 count = first_counter(siv);
  for (std::size_t at = 0; at < work.size(); at += kAesBlockSize) {
    store_u128be(work.data() + at, count++);
  }
  ok = ok && counter_.encrypt_blocks(work);
  if (ok) {
    std::uint8_t* ciphertext = out.data() + kOverhead;
    if (ciphertext != frame.data()) copy_blocks(ciphertext, frame.data(), frame.size());
    xor_into(ciphertext, work.data(), work.size());
    std::memcpy(out.data(), siv.data(), siv.size());
  }
  wipe(work);
  return ok;
}

Status AesSiv256::seal(ByteView plaintext, MutableBytes out) noexcept {
  if (!has_ad_ || plaintext.empty() || plaintext.size() > kMaxPlaintext ||
      out.size() != plaintext.size() + kOverhead) {
    return Error(ErrorKind::usage);
  }
  if (plaintext.size() % kAesBlockSize == 0 && plaintext.size() <= kChunkBlocks * kAesBlockSize) {
    if (!seal_frame(plaintext, out)) return Error(ErrorKind::internal);
    return {};
  }
  AesBlock siv{};
  if (auto status = synthetic_iv(plaintext, siv); !status) return status;
  if (auto status = apply_counter(siv, plaintext, out.subspan(kOverhead)); !status) return status;
  std::copy(siv.begin(), siv.end(), out.begin());
  return {};
}

Status AesSiv256::open(ByteView sealed, MutableBytes plaintext) noexcept {
  if (!has_ad_) return Error(ErrorKind::usage);
  if (sealed.size() <= kOverhead || sealed.size() > kMaxPlaintext + kOverhead ||
      plaintext.size() != sealed.size() - kOverhead) {
    wipe(plaintext);
    return Error(ErrorKind::malformed);
  }
  AesBlock siv{};
  std::copy_n(sealed.begin(), kOverhead, siv.begin());
  AesBlock expected{};
  Status status = apply_counter(siv, sealed.subspan(kOverhead), plaintext);
  if (status) status = synthetic_iv(plaintext, expected);
  if (status && !equal_constant_time(siv, expected)) status = Error(ErrorKind::malformed);
  wipe(expected);
  if (!status) wipe(plaintext);
  return status;
}

}  // namespace paravent::crypto
