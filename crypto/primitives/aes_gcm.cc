#include "crypto/primitives/aes_gcm.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "crypto/base/secret_bytes.h"
#include "crypto/primitives/evp_context.h"
#include "crypto/primitives/openssl_memory.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kMaxSize = std::size_t{1} << 30U;

const EVP_CIPHER* cipher_of(std::size_t key_size) noexcept {
  switch (key_size) {
    case 16:
      return EVP_aes_128_gcm();
    case 24:
      return EVP_aes_192_gcm();
    case 32:
      return EVP_aes_256_gcm();
    default:
      return nullptr;
  }
}

// Keyed, with the nonce set and the associated data absorbed; null on any failure.
EvpContext start(ByteView key, ByteView nonce, ByteView ad, int encrypt) {
  const EVP_CIPHER* cipher = cipher_of(key.size());
  if (cipher == nullptr || nonce.empty() || nonce.size() > kAesGcmMaxNonce ||
      ad.size() > kMaxSize) {
    return {};
  }
  const SecretScope scope;
  EvpContext context(EVP_CIPHER_CTX_new());
  int written = 0;
  if (!context ||
      EVP_CipherInit_ex2(context.get(), cipher, nullptr, nullptr, encrypt, nullptr) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN, static_cast<int>(nonce.size()),
                          nullptr) != 1 ||
      EVP_CipherInit_ex2(context.get(), nullptr, key.data(), nonce.data(), encrypt, nullptr) != 1 ||
      (!ad.empty() && EVP_CipherUpdate(context.get(), nullptr, &written, ad.data(),
                                       static_cast<int>(ad.size())) != 1)) {
    ERR_clear_error();
    return {};
  }
  return context;
}

bool update(evp_cipher_ctx_st* context, ByteView in, std::uint8_t* out) noexcept {
  if (in.empty()) return true;
  int written = 0;
  return EVP_CipherUpdate(context, out, &written, in.data(), static_cast<int>(in.size())) == 1 &&
         written == static_cast<int>(in.size());
}

}  // namespace

Status aes_gcm_seal(ByteView key, ByteView nonce, ByteView ad, ByteView plaintext,
                    MutableBytes out) {
  if (plaintext.size() > kMaxSize || out.size() != plaintext.size() + kAesGcmTagSize) {
    return Error(ErrorKind::usage);
  }
  const EvpContext context = start(key, nonce, ad, 1);
  if (!context) return Error(ErrorKind::usage);
  std::uint8_t* tag = out.data() + plaintext.size();
  int written = 0;
  if (!update(context.get(), plaintext, out.data()) ||
      EVP_CipherFinal_ex(context.get(), tag, &written) != 1 || written != 0 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kAesGcmTagSize, tag) != 1) {
    ERR_clear_error();
    wipe(out);
    return Error(ErrorKind::internal);
  }
  return {};
}

Status aes_gcm_open(ByteView key, ByteView nonce, ByteView ad, ByteView sealed,
                    MutableBytes plaintext) {
  Status status = Error(ErrorKind::malformed);
  if (sealed.size() >= kAesGcmTagSize && sealed.size() <= kMaxSize &&
      plaintext.size() == sealed.size() - kAesGcmTagSize) {
    const EvpContext context = start(key, nonce, ad, 0);
    std::array<std::uint8_t, kAesGcmTagSize> tag{};
    std::copy(sealed.end() - kAesGcmTagSize, sealed.end(), tag.begin());
    std::array<std::uint8_t, 16> nothing{};
    int written = 0;
    if (context &&
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kAesGcmTagSize, tag.data()) ==
            1 &&
        update(context.get(), sealed.first(plaintext.size()), plaintext.data()) &&
        EVP_CipherFinal_ex(context.get(), nothing.data(), &written) == 1 && written == 0) {
      return {};
    }
    ERR_clear_error();
  }
  wipe(plaintext);
  return status;
}

}  // namespace paravent::crypto
