#include "crypto/primitives/aes_siv_general.h"

#include <algorithm>

#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/aes_block.h"
#include "crypto/primitives/aes_cmac.h"
#include "crypto/primitives/xor.h"

namespace paravent::crypto {
namespace {

// RFC 5297 2.4, the plaintext as the last string.
Status s2v(AesCmac& cmac, std::span<const ByteView> strings, ByteView plaintext, AesBlock& siv) {
  AesBlock d{};
  if (auto status = cmac.mac(AesBlock{}, d); !status) return status;
  for (const ByteView string : strings) {
    AesBlock part{};
    if (auto status = cmac.mac(string, part); !status) return status;
    d = doubled(d);
    xor_into(d, part);
  }
  if (plaintext.size() >= kAesBlockSize) return cmac.mac_xorend(plaintext, d, siv);
  AesBlock last{};
  std::copy(plaintext.begin(), plaintext.end(), last.begin());
  last[plaintext.size()] = 0x80;
  xor_into(last, doubled(d));
  return cmac.mac(last, siv);
}

void increment(AesBlock& counter) noexcept {
  for (std::size_t i = counter.size(); i-- > 0;) {
    if (++counter[i] != 0) return;
  }
}

Status apply_counter(AesBlocks& blocks, const AesBlock& siv, ByteView in, MutableBytes out) {
  AesBlock counter = siv;
  counter[8] = static_cast<std::uint8_t>(counter[8] & 0x7fU);
  counter[12] = static_cast<std::uint8_t>(counter[12] & 0x7fU);
  for (std::size_t done = 0; done < in.size(); done += kAesBlockSize) {
    AesBlock stream{};
    if (auto status = blocks.encrypt(counter, stream); !status) return status;
    const std::size_t size = std::min(kAesBlockSize, in.size() - done);
    std::copy_n(in.begin() + static_cast<std::ptrdiff_t>(done), size,
                out.begin() + static_cast<std::ptrdiff_t>(done));
    xor_into(out.data() + done, stream.data(), size);
    increment(counter);
  }
  return {};
}

}  // namespace

Status aes_siv_seal(ByteView key, std::span<const ByteView> strings, ByteView plaintext,
                    MutableBytes out) {
  if (strings.size() > kAesSivMaxStrings || out.size() != plaintext.size() + kAesSivOverhead ||
      key.size() % 2 != 0) {
    return Error(ErrorKind::usage);
  }
  auto cmac = AesCmac::create(key.first(key.size() / 2));
  if (!cmac) return cmac.error();
  auto blocks = AesBlocks::create(key.last(key.size() / 2));
  if (!blocks) return blocks.error();
  AesBlock siv{};
  if (auto status = s2v(*cmac, strings, plaintext, siv); !status) return status;
  if (auto status = apply_counter(*blocks, siv, plaintext, out.subspan(kAesSivOverhead)); !status) {
    return status;
  }
  std::copy(siv.begin(), siv.end(), out.begin());
  return {};
}

Status aes_siv_open(ByteView key, std::span<const ByteView> strings, ByteView sealed,
                    MutableBytes plaintext) {
  wipe(plaintext);
  if (strings.size() > kAesSivMaxStrings || sealed.size() < kAesSivOverhead ||
      plaintext.size() != sealed.size() - kAesSivOverhead || key.size() % 2 != 0) {
    return Error(ErrorKind::malformed);
  }
  auto cmac = AesCmac::create(key.first(key.size() / 2));
  auto blocks = AesBlocks::create(key.last(key.size() / 2));
  if (!cmac || !blocks) return Error(ErrorKind::malformed);
  AesBlock siv{};
  std::copy_n(sealed.begin(), siv.size(), siv.begin());
  AesBlock expected{};
  Status status = apply_counter(*blocks, siv, sealed.subspan(kAesSivOverhead), plaintext);
  if (status) status = s2v(*cmac, strings, plaintext, expected);
  if (!status || !equal_constant_time(siv, expected)) {
    wipe(plaintext);
    return Error(ErrorKind::malformed);
  }
  return {};
}

}  // namespace paravent::crypto
