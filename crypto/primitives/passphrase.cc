#include "crypto/primitives/passphrase.h"

#include <algorithm>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/argon2id.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/sha256.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kHalf = 32;

// Both halves of what the pass-phrase gives.
Result<SecretBytes> stretch(std::string_view passphrase, const PassphraseVerifier& kept) {
  if (!is_possible(kept.cost) || passphrase.size() > kMaxPassphraseBytes) {
    return Error(ErrorKind::usage, "The pass-phrase is longer than 1024 bytes.");
  }
  SecretBytes out(2 * kHalf);
  if (auto status = argon2id(as_bytes(passphrase), kept.salt, kept.cost.passes, kept.cost.kibibytes,
                             out.mutable_bytes());
      !status) {
    return status.error();
  }
  return out;
}

Sha256Digest verifier_of(const SecretBytes& stretched) {
  std::string label = "paravent/v1/passphrase";
  append_u8(label, 0);
  return Sha256().update(as_bytes(label)).update(stretched.bytes().first(kHalf)).finish();
}

}  // namespace

bool is_possible(const PassphraseCost& cost) noexcept {
  return cost.passes >= 1 && cost.passes <= kMostPasses && cost.kibibytes >= 8 &&
         cost.kibibytes <= kMostKibibytes;
}

Result<PassphraseVerifier> keep_passphrase(std::string_view passphrase, const TotpSecret& secret,
                                           const PassphraseCost& cost) {
  PassphraseVerifier kept;
  kept.cost = cost;
  random_bytes(kept.salt);
  auto stretched = stretch(passphrase, kept);
  if (!stretched) return stretched.error();
  kept.verifier = verifier_of(*stretched);
  const MutableBytes sealed(kept.sealed);
  const MutableBytes nonce = sealed.first(kXchachaNonceSize);
  random_bytes(nonce);
  const ByteView key = stretched->bytes().subspan(kHalf);
  if (auto status =
          xchacha20_poly1305_seal(key, nonce, kept.salt, secret, sealed.subspan(kXchachaNonceSize));
      !status) {
    return status.error();
  }
  return kept;
}

Result<TotpSecret> open_passphrase(std::string_view passphrase, const PassphraseVerifier& kept) {
  auto stretched = stretch(passphrase, kept);
  if (!stretched) {
    // Too long to be anybody's.
    if (stretched.error().kind() == ErrorKind::usage) return Error(ErrorKind::refused);
    return stretched.error();
  }
  const Sha256Digest mine = verifier_of(*stretched);
  const ByteView sealed(kept.sealed);
  TotpSecret secret{};
  const Status opened =
      xchacha20_poly1305_open(stretched->bytes().subspan(kHalf), sealed.first(kXchachaNonceSize),
                              kept.salt, sealed.subspan(kXchachaNonceSize), secret);
  if (!equal_constant_time(mine, kept.verifier) || !opened) {
    wipe(secret);
    return Error(ErrorKind::refused);
  }
  return secret;
}

}  // namespace paravent::crypto
