// AesBlocks: the raw AES permutation on a kept, keyed context; what CMAC, SIV, XAES,
// FF1 and ipcrypt are made of; AesInverse is its inverse.
//
// Source: FIPS 197. Not a mode: nobody outside this room encrypts data with it. The context is
// keyed once, so that a block costs about 10 ns and eight about 20 ns. One owner thread at a time.

#pragma once

#include <array>
#include <cstddef>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/primitives/evp_context.h"

namespace paravent::crypto {

inline constexpr std::size_t kAesBlockSize = 16;

using AesBlock = std::array<std::uint8_t, kAesBlockSize>;

class AesBlocks {
 public:
  // key: 16, 24 or 32 bytes, else ErrorKind::usage.
  static Result<AesBlocks> create(ByteView key);

  // Encrypts each 16-byte block of `in` by itself. `out` has the same size, a multiple of 16, and
  // is either disjoint from `in` or exactly `in`. Fails with ErrorKind::internal only.
  Status encrypt(ByteView in, MutableBytes out) noexcept;

  // One block in place, for constructions that chain many: a Status each would cost a third of the
  // block. False is encrypt's ErrorKind::internal.
  bool encrypt_block(AesBlock& block) noexcept {
    return encrypt_update(context_.get(), block, block.data());
  }
  // The same for several, each by itself. REQUIRES: a size that is a multiple of 16.
  bool encrypt_blocks(MutableBytes blocks) noexcept {
    return encrypt_update(context_.get(), blocks, blocks.data());
  }

 private:
  explicit AesBlocks(EvpContext context) noexcept : context_(std::move(context)) {}

  EvpContext context_;
};

// The inverse permutation. Apart from AesBlocks, because what protects never needs it.
class AesInverse {
 public:
  // key: 16, 24 or 32 bytes, else ErrorKind::usage.
  static Result<AesInverse> create(ByteView key);

  // As AesBlocks::encrypt, backwards.
  Status decrypt(ByteView in, MutableBytes out) noexcept;

 private:
  explicit AesInverse(EvpContext context) noexcept : context_(std::move(context)) {}

  EvpContext context_;
};

// Multiplication by x in GF(2^128), the "dbl" of RFC 5297 2.3 and the subkey step of RFC 4493 2.3.
// No branch on the secret bit.
AesBlock doubled(const AesBlock& block) noexcept;

}  // namespace paravent::crypto
