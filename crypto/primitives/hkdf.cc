#include "crypto/primitives/hkdf.h"

#include <algorithm>

#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/hmac_sha256.h"

namespace paravent::crypto {

Sha256Digest hkdf_extract_sha256(ByteView salt, ByteView input_key) noexcept {
  // An absent salt is a block of zeros (RFC 5869 2.2), which HMAC's own padding already makes of an
  // empty key.
  return hmac_sha256(salt, input_key);
}

Status hkdf_expand_sha256(ByteView prk, ByteView info, MutableBytes out) noexcept {
  if (out.empty() || out.size() > kHkdfMaxOutput) return Error(ErrorKind::usage);
  const HmacSha256 hmac(prk);
  Sha256Digest block{};
  std::size_t block_size = 0;  // T(0) is empty
  std::uint8_t counter = 1;
  while (!out.empty()) {
    block = hmac.mac({ByteView(block.data(), block_size), info, ByteView(&counter, 1)});
    block_size = block.size();
    ++counter;
    const std::size_t size = std::min(out.size(), block.size());
    std::copy_n(block.begin(), size, out.begin());
    out = out.subspan(size);
  }
  wipe(block);
  return {};
}

}  // namespace paravent::crypto
