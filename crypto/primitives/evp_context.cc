#include "crypto/primitives/evp_context.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>

#include "crypto/primitives/openssl_memory.h"

namespace paravent::crypto {
namespace {

struct CipherDeleter {
  void operator()(EVP_CIPHER* cipher) const noexcept { EVP_CIPHER_free(cipher); }
};

Result<EvpContext> make_context(const char* cipher, ByteView key, int encrypt) {
  const std::unique_ptr<EVP_CIPHER, CipherDeleter> fetched(
      EVP_CIPHER_fetch(nullptr, cipher, nullptr));
  if (!fetched) {
    ERR_clear_error();
    return Error(ErrorKind::internal);
  }
  if (static_cast<std::size_t>(EVP_CIPHER_get_key_length(fetched.get())) != key.size()) {
    return Error(ErrorKind::usage);
  }
  const SecretScope scope;  // from here on OpenSSL keeps the key
  EvpContext context(EVP_CIPHER_CTX_new());
  const std::array<std::uint8_t, 16> zero{};
  if (!context ||
      EVP_CipherInit_ex2(context.get(), fetched.get(), key.data(), zero.data(), encrypt, nullptr) !=
          1 ||
      EVP_CIPHER_CTX_set_padding(context.get(), 0) != 1) {
    ERR_clear_error();
    return Error(ErrorKind::internal);
  }
  return context;
}

}  // namespace

void EvpContextDeleter::operator()(evp_cipher_ctx_st* context) const noexcept {
  EVP_CIPHER_CTX_free(context);
}

Result<EvpContext> make_encrypt_context(const char* cipher, ByteView key) {
  return make_context(cipher, key, 1);
}

Result<EvpContext> make_decrypt_context(const char* cipher, ByteView key) {
  return make_context(cipher, key, 0);
}

// EVP_Cipher and not EVP_EncryptUpdate: whole blocks without padding need nothing of what the
// latter keeps between calls, which costs more than the cipher on a block or two. Of a provider's
// cipher it returns the bytes written, or -1; it does not notice a block that is not whole.
bool encrypt_update(evp_cipher_ctx_st* context, ByteView in, std::uint8_t* out) noexcept {
  constexpr std::size_t kBlock = 16;
  if (in.size() > std::size_t{1} << 30U || in.size() % kBlock != 0) return false;
  const int size = static_cast<int>(in.size());
  if (EVP_Cipher(context, out, in.data(), static_cast<unsigned>(size)) == size) return true;
  ERR_clear_error();
  return false;
}

bool decrypt_update(evp_cipher_ctx_st* context, ByteView in, std::uint8_t* out) noexcept {
  if (in.size() > std::size_t{1} << 30U) return false;
  const int size = static_cast<int>(in.size());
  int written = 0;
  if (EVP_DecryptUpdate(context, out, &written, in.data(), size) == 1 && written == size) {
    return true;
  }
  ERR_clear_error();
  return false;
}

}  // namespace paravent::crypto
