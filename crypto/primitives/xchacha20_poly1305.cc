#include "crypto/primitives/xchacha20_poly1305.h"

#include "crypto/primitives/sodium_aead.h"

namespace paravent::crypto {
namespace {

constexpr SodiumAead kAead = {kXchachaNonceSize, &crypto_aead_xchacha20poly1305_ietf_encrypt,
                              &crypto_aead_xchacha20poly1305_ietf_decrypt};
static_assert(kXchachaKeySize == SodiumAead::kKeySize && kXchachaTagSize == SodiumAead::kTagSize);

}  // namespace

Status xchacha20_poly1305_seal(ByteView key, ByteView nonce, ByteView ad, ByteView plaintext,
                               MutableBytes out) noexcept {
  return kAead.seal(key, nonce, ad, plaintext, out);
}

Status xchacha20_poly1305_open(ByteView key, ByteView nonce, ByteView ad, ByteView sealed,
                               MutableBytes plaintext) noexcept {
  return kAead.open(key, nonce, ad, sealed, plaintext);
}

}  // namespace paravent::crypto
