// AesSiv256: deterministic authenticated encryption, AES-256-SIV (RFC 5297) with one
// associated-data string that is set once and shared by all messages.
//
// Composed here (S2V over a kept CMAC key, CTR as one multi-block call) because OpenSSL's own SIV
// sets up more per message than the message costs; OpenSSL's is the oracle in the tests. No heap
// allocation per message. An instance belongs to one thread at a time and is move-only; the keys
// live in OpenSSL's contexts, which wipe them when freed. It does not commit to its key.
//
// Limits of use (constructions 4.2): at most 2^32 values of at most 1 KiB per key version. Nobody
// counts them (docs/threat-model.md says what follows); here a message may be up to 2^20 bytes.

#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/primitives/aes_block.h"
#include "crypto/primitives/aes_cmac.h"

namespace paravent::crypto {

class AesSiv256 {
 public:
  static constexpr std::size_t kKeySize = 64;
  static constexpr std::size_t kOverhead = 16;
  static constexpr std::size_t kMaxPlaintext = std::size_t{1} << 20U;

  // key: 64 bytes, K1 (S2V) then K2 (CTR); else, or when both halves are equal, ErrorKind::usage.
  static Result<AesSiv256> create(ByteView key);

  AesSiv256(AesSiv256&&) noexcept = default;
  AesSiv256& operator=(AesSiv256&&) noexcept = default;
  ~AesSiv256();

  // The one AD string of every later message (header | ctx). Must be called before seal or open. An
  // empty string counts as one empty AD string, as in RFC 5297; the callers never use it.
  Status set_ad(ByteView ad);

  // out = SIV (16) | ciphertext; out.size() == plaintext.size() + 16. `plaintext` is disjoint from
  // `out` or exactly out.subspan(16). ErrorKind::usage: no AD, empty or oversized plaintext, wrong
  // size of out.
  Status seal(ByteView plaintext, MutableBytes out) noexcept;

  // plaintext.size() == sealed.size() - 16, disjoint from `sealed` or exactly sealed.subspan(16).
  // Anything that does not open is ErrorKind::malformed, in one way and without a sentence;
  // `plaintext` is then all zero. Fewer than 17 bytes never open.
  Status open(ByteView sealed, MutableBytes plaintext) noexcept;

 private:
  AesSiv256(AesCmac s2v, AesBlocks counter) noexcept;

  bool seal_frame(ByteView frame, MutableBytes out) noexcept;
  Status synthetic_iv(ByteView plaintext, AesBlock& siv) noexcept;
  Status apply_counter(const AesBlock& siv, ByteView in, MutableBytes out) noexcept;

  AesCmac s2v_;
  AesBlocks counter_;
  AesBlock ad_part_{};  // D = dbl(CMAC(zero)) xor CMAC(ad)
  bool has_ad_ = false;
};

}  // namespace paravent::crypto
