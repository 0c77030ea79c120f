// HedgedNonce: the 24-byte nonce of an encrypted field: random bytes whose first 16 are XORed with
// AES-CMAC(`enc.nonce` key, ctx | frame) (constructions 4.3), so that a cloned virtual machine or a
// repeated generator state repeats a nonce only for the same value.
//
// The context string is fixed per key and chained once. One owner thread at a time; move-only.

#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/primitives/aes_cmac.h"
#include "crypto/primitives/random.h"

namespace paravent::crypto {

class HedgedNonce {
 public:
  static constexpr std::size_t kKeySize = 32;
  static constexpr std::size_t kNonceSize = 24;

  // key: the 32-byte `enc.nonce` key, else ErrorKind::usage.
  static Result<HedgedNonce> create(ByteView key, ByteView ctx);

  // nonce: 24 bytes, else ErrorKind::usage.
  Status next(ByteView frame, RandomSource& random, MutableBytes nonce) noexcept;

 private:
  explicit HedgedNonce(AesCmac cmac) noexcept : cmac_(std::move(cmac)) {}

  AesCmac cmac_;
};

}  // namespace paravent::crypto
