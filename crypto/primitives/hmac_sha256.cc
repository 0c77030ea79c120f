#include "crypto/primitives/hmac_sha256.h"

#include <algorithm>

#include "crypto/base/secret_bytes.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kBlockSize = 64;

}  // namespace

HmacSha256::HmacSha256(ByteView key) noexcept {
  std::array<std::uint8_t, kBlockSize> pad{};
  if (key.size() > kBlockSize) {
    Sha256Digest digest = sha256(key);
    std::copy(digest.begin(), digest.end(), pad.begin());
    wipe(digest);
  } else {
    std::copy(key.begin(), key.end(), pad.begin());
  }
  for (std::uint8_t& byte : pad) byte = static_cast<std::uint8_t>(byte ^ 0x36U);
  inner_.update(pad);
  for (std::uint8_t& byte : pad) byte = static_cast<std::uint8_t>(byte ^ 0x36U ^ 0x5cU);
  outer_.update(pad);
  wipe(pad);
}

Sha256Digest HmacSha256::mac(ByteView message) const noexcept { return mac({message}); }

Sha256Digest HmacSha256::mac(ByteView prefix, ByteView message) const noexcept {
  return mac({prefix, message});
}

Sha256Digest HmacSha256::mac(std::initializer_list<ByteView> parts) const noexcept {
  Sha256 inner = inner_;
  for (const ByteView part : parts) inner.update(part);
  Sha256Digest digest = inner.finish();
  Sha256 outer = outer_;
  return outer.update(digest).finish();
}

HmacSha256 HmacSha256::with_prefix(ByteView prefix) const noexcept {
  HmacSha256 copy = *this;
  copy.inner_.update(prefix);
  return copy;
}

Sha256Digest hmac_sha256(ByteView key, ByteView message) noexcept {
  return HmacSha256(key).mac(message);
}

}  // namespace paravent::crypto
