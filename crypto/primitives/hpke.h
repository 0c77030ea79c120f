// HPKE (RFC 9180), base mode, with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and ChaCha20-Poly1305:
// encryption to a recipient's public key, of which only the recipient holds the way back.
//
// The product seals one message per encapsulation (hpke_seal, hpke_open); HpkeContext is the same
// with several messages and exported secrets, which the RFC's vectors demand. The sender is not
// authenticated: whoever has the public key can seal. Not post-quantum. No heap allocation except
// in export_secret; about 0.13 ms, nearly all of it two X25519 operations.

#pragma once

#include <array>
#include <cstdint>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/primitives/sha256.h"
#include "crypto/primitives/x25519.h"

namespace paravent::crypto {

inline constexpr std::size_t kHpkeEncapsulation = kX25519Size;
inline constexpr std::size_t kHpkeTagSize = 16;

// enc: 32 bytes; sealed = ciphertext | tag, plaintext.size() + 16 bytes. The ephemeral key is
// fresh and wiped. ErrorKind::usage: a wrong size. ErrorKind::malformed: a public key of low order.
Status hpke_seal(ByteView recipient_public_key, ByteView info, ByteView aad, ByteView plaintext,
                 MutableBytes enc, MutableBytes sealed);

// plaintext.size() == sealed.size() - 16. Whatever does not open, wrong sizes included, is
// ErrorKind::malformed without a sentence, and `plaintext` is then all zero.
Status hpke_open(ByteView recipient_private_key, ByteView enc, ByteView info, ByteView aad,
                 ByteView sealed, MutableBytes plaintext);

// DeriveKeyPair of RFC 9180 7.1.3: the private key that belongs to `input_key`, 32 bytes or more of
// high entropy (ErrorKind::usage).
Result<SecretBytes> hpke_derive_private_key(ByteView input_key);

// Both ends of one encapsulation. Wiped when destroyed; any thread, one at a time.
class HpkeContext {
 public:
  // The sender's end under a given ephemeral key, whose public part is written to `enc`.
  static Result<HpkeContext> sender(ByteView recipient_public_key, ByteView info,
                                    ByteView ephemeral_private_key, MutableBytes enc);
  static Result<HpkeContext> receiver(ByteView recipient_private_key, ByteView enc, ByteView info);

  HpkeContext(const HpkeContext&) noexcept = default;
  HpkeContext& operator=(const HpkeContext&) noexcept = default;
  ~HpkeContext();

  // Message `sequence` of the encapsulation; a sender never repeats one.
  Status seal(std::uint64_t sequence, ByteView aad, ByteView plaintext, MutableBytes out) noexcept;
  Status open(std::uint64_t sequence, ByteView aad, ByteView sealed,
              MutableBytes plaintext) noexcept;

  Status export_secret(ByteView exporter_context, MutableBytes out) const;

 private:
  static constexpr std::size_t kNonceSize = 12;
  using Nonce = std::array<std::uint8_t, kNonceSize>;

  HpkeContext() noexcept = default;

  // From the Diffie-Hellman secret: KEM's ExtractAndExpand, then KeySchedule.
  void schedule(ByteView shared_point, ByteView enc, ByteView recipient_public_key,
                ByteView info) noexcept;
  Nonce nonce_of(std::uint64_t sequence) const noexcept;

  Sha256Digest key_{};
  Nonce base_nonce_{};
  Sha256Digest exporter_secret_{};
};

}  // namespace paravent::crypto
