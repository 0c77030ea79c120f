#include "crypto/primitives/hedged_nonce.h"

#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/xor.h"

namespace paravent::crypto {

Result<HedgedNonce> HedgedNonce::create(ByteView key, ByteView ctx) {
  if (key.size() != kKeySize) return Error(ErrorKind::usage);
  auto cmac = AesCmac::create(key);
  if (!cmac) return cmac.error();
  if (auto status = cmac->set_prefix(ctx); !status) return status.error();
  return HedgedNonce(std::move(*cmac));
}

Status HedgedNonce::next(ByteView frame, RandomSource& random, MutableBytes nonce) noexcept {
  if (nonce.size() != kNonceSize) return Error(ErrorKind::usage);
  AesBlock mac{};
  if (auto status = cmac_.mac(frame, mac); !status) return status;
  random.fill(nonce);
  xor_into(nonce.data(), mac.data(), mac.size());
  wipe(mac);
  return {};
}

}  // namespace paravent::crypto
