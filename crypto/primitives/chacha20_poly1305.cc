#include "crypto/primitives/chacha20_poly1305.h"

#include "crypto/primitives/sodium_aead.h"

namespace paravent::crypto {
namespace {

constexpr SodiumAead kAead = {kChachaNonceSize, &crypto_aead_chacha20poly1305_ietf_encrypt,
                              &crypto_aead_chacha20poly1305_ietf_decrypt};
static_assert(kChachaKeySize == SodiumAead::kKeySize && kChachaTagSize == SodiumAead::kTagSize);

}  // namespace

Status chacha20_poly1305_seal(ByteView key, ByteView nonce, ByteView ad, ByteView plaintext,
                              MutableBytes out) noexcept {
  return kAead.seal(key, nonce, ad, plaintext, out);
}

Status chacha20_poly1305_open(ByteView key, ByteView nonce, ByteView ad, ByteView sealed,
                              MutableBytes plaintext) noexcept {
  return kAead.open(key, nonce, ad, sealed, plaintext);
}

}  // namespace paravent::crypto
