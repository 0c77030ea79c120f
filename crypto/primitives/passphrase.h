// Pass-phrases: what is kept of one, and what it seals. Argon2id (RFC 9106) by libsodium, one lane.
//
//   out 64      = Argon2id(pass-phrase, salt 16, passes, KiB)
//   verifier    = SHA-256("paravent/v1/passphrase" | 0x00 | out[0..32))
//   sealed      = nonce 24 | XChaCha20-Poly1305(key out[32..64), AD salt, secret 20)
//
// One computation both recognises the pass-phrase and opens the secret of the second factor, so
// that whoever copies the list of operators has neither. The cost is kept with it: a pass-phrase
// kept below the floor is kept anew at its next use. Pure functions; any thread. Each call holds
// `kibibytes` of memory and blocks for tenths of a second: callers bound how many run at once.

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/primitives/totp.h"
#include "crypto/primitives/xchacha20_poly1305.h"

namespace paravent::crypto {

// RFC 9106 4, second recommendation, as far as one lane goes: 64 MiB, 3 passes.
struct PassphraseCost {
  std::uint32_t passes = 3;
  std::uint32_t kibibytes = 64 * 1024;

  bool operator==(const PassphraseCost&) const = default;
};

inline constexpr std::uint32_t kMostPasses = 32;
inline constexpr std::uint32_t kMostKibibytes = 1024 * 1024;
inline constexpr std::size_t kMaxPassphraseBytes = 1024;

// Within the bounds of libsodium and of this house; a file may say anything.
bool is_possible(const PassphraseCost& cost) noexcept;

struct PassphraseVerifier {
  std::array<std::uint8_t, 16> salt{};
  PassphraseCost cost;
  std::array<std::uint8_t, 32> verifier{};
  std::array<std::uint8_t, kXchachaNonceSize + kTotpSecretSize + kXchachaTagSize> sealed{};

  bool operator==(const PassphraseVerifier&) const = default;
};

// ErrorKind::usage: an impossible cost, or more than 1024 bytes of pass-phrase; internal: no
// memory.
Result<PassphraseVerifier> keep_passphrase(std::string_view passphrase, const TotpSecret& secret,
                                           const PassphraseCost& cost = {});

// The secret of the second factor, which the caller wipes. ErrorKind::refused without a sentence
// for another pass-phrase and for an altered verifier; internal: no memory. Takes as long for a
// wrong pass-phrase as for the right one.
Result<TotpSecret> open_passphrase(std::string_view passphrase, const PassphraseVerifier& kept);

}  // namespace paravent::crypto
