// Xaes256Gcm: XAES-256-GCM (C2SP specification): AES-256-GCM with 24-byte nonces, by a subkey per
// nonce. Randomised encryption of fields and vault rows (constructions 4.3).
//
// GCM by libsodium where the CPU has AES-NI and CLMUL, else by OpenSSL; both give the same bytes.
// No heap allocation per message. One owner thread at a time; move-only. It does not commit to its
// key. Limit of use: 2^48 messages per key, which nobody counts (docs/threat-model.md).

#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/primitives/aes_block.h"

namespace paravent::crypto {

enum class GcmBackend : std::uint8_t { automatic, sodium, openssl };

class Xaes256Gcm {
 public:
  static constexpr std::size_t kKeySize = 32;
  static constexpr std::size_t kNonceSize = 24;
  static constexpr std::size_t kTagSize = 16;
  static constexpr std::size_t kMaxPlaintext = std::size_t{1} << 30U;

  // key: 32 bytes, else ErrorKind::usage. Naming `sodium` on a CPU without it is ErrorKind::usage
  // too; only tests and benchmarks name a back end.
  static Result<Xaes256Gcm> create(ByteView key, GcmBackend backend = GcmBackend::automatic);

  Xaes256Gcm(Xaes256Gcm&&) noexcept = default;
  Xaes256Gcm& operator=(Xaes256Gcm&&) noexcept = default;
  ~Xaes256Gcm();

  // out = ciphertext | tag (16); out.size() == plaintext.size() + 16; `plaintext` is disjoint from
  // `out` or exactly its beginning. nonce: 24 bytes, never repeated under one key (see
  // HedgedNonce).
  Status seal(ByteView nonce, ByteView ad, ByteView plaintext, MutableBytes out) noexcept;

  // sealed = ciphertext | tag; plaintext.size() == sealed.size() - 16, disjoint from `sealed` or
  // exactly its beginning. Whatever does not open is ErrorKind::malformed without a sentence, and
  // `plaintext` is then all zero.
  Status open(ByteView nonce, ByteView ad, ByteView sealed, MutableBytes plaintext) noexcept;

  GcmBackend backend() const noexcept { return backend_; }

 private:
  using Subkey = std::array<std::uint8_t, kKeySize>;

  Xaes256Gcm(AesBlocks blocks, EvpContext gcm, const AesBlock& subkey1,
             GcmBackend backend) noexcept;

  Status derive(ByteView nonce, Subkey& subkey) noexcept;

  AesBlocks blocks_;
  EvpContext gcm_;      // only for the OpenSSL back end
  AesBlock subkey1_{};  // K1 of CMAC, once per key
  GcmBackend backend_;
};

}  // namespace paravent::crypto
