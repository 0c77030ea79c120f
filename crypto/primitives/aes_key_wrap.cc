#include "crypto/primitives/aes_key_wrap.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto/primitives/evp_context.h"
#include "crypto/primitives/openssl_memory.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kBlock = 8;  // both work in halves of an AES block

enum class Padding : std::uint8_t { none, rfc5649 };

const EVP_CIPHER* cipher_of(std::size_t key_size, Padding padding) noexcept {
  const bool pad = padding == Padding::rfc5649;
  switch (key_size) {
    case 16:
      return pad ? EVP_aes_128_wrap_pad() : EVP_aes_128_wrap();
    case 24:
      return pad ? EVP_aes_192_wrap_pad() : EVP_aes_192_wrap();
    case 32:
      return pad ? EVP_aes_256_wrap_pad() : EVP_aes_256_wrap();
    default:
      return nullptr;
  }
}

// The bytes written to `out`; 0 on any failure, which is no valid size either way.
std::size_t run(ByteView wrapping_key, Padding padding, int encrypt, ByteView in,
                MutableBytes out) {
  const EVP_CIPHER* cipher = cipher_of(wrapping_key.size(), padding);
  if (cipher == nullptr) return 0;
  const SecretScope scope;
  const EvpContext context(EVP_CIPHER_CTX_new());
  if (!context) return 0;
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  int written = 0;
  int rest = 0;
  if (EVP_CipherInit_ex2(context.get(), cipher, wrapping_key.data(), nullptr, encrypt, nullptr) !=
          1 ||
      EVP_CipherUpdate(context.get(), out.data(), &written, in.data(),
                       static_cast<int>(in.size())) != 1 ||
      written <= 0 || static_cast<std::size_t>(written) > out.size() ||
      EVP_CipherFinal_ex(context.get(), out.data() + written, &rest) != 1 || rest != 0) {
    ERR_clear_error();
    return 0;
  }
  return static_cast<std::size_t>(written);
}

Result<Bytes> wrap(ByteView wrapping_key, Padding padding, ByteView key) {
  if (cipher_of(wrapping_key.size(), padding) == nullptr) return Error(ErrorKind::usage);
  const std::size_t padded = (key.size() + kBlock - 1) / kBlock * kBlock;
  Bytes wrapped(padded + kBlock);
  // OpenSSL may use a whole further block before it says how much it wrote.
  wrapped.resize(wrapped.size() + 2 * kBlock);
  if (run(wrapping_key, padding, 1, key, wrapped) != padded + kBlock) {
    return Error(ErrorKind::internal);
  }
  wrapped.resize(padded + kBlock);
  return wrapped;
}

Result<SecretBytes> unwrap(ByteView wrapping_key, Padding padding, ByteView wrapped) {
  SecretBytes clear(wrapped.size());
  const std::size_t size = run(wrapping_key, padding, 0, wrapped, clear.mutable_bytes());
  const std::size_t most = wrapped.size() - kBlock;
  const bool right = padding == Padding::none ? size == most : size > most - kBlock && size <= most;
  if (size == 0 || !right) return Error(ErrorKind::malformed);
  return SecretBytes::copy_of(clear.bytes().first(size));
}

bool whole_blocks(ByteView bytes) noexcept { return bytes.size() % kBlock == 0; }

}  // namespace

Result<Bytes> aes_kw_wrap(ByteView wrapping_key, ByteView key) {
  if (key.size() < 2 * kBlock || !whole_blocks(key) || key.size() > kMaxWrappedKey) {
    return Error(ErrorKind::usage);
  }
  return wrap(wrapping_key, Padding::none, key);
}

Result<Bytes> aes_kwp_wrap(ByteView wrapping_key, ByteView key) {
  if (key.empty() || key.size() > kMaxWrappedKey) return Error(ErrorKind::usage);
  return wrap(wrapping_key, Padding::rfc5649, key);
}

Result<SecretBytes> aes_kw_unwrap(ByteView wrapping_key, ByteView wrapped) {
  if (wrapped.size() < 3 * kBlock || !whole_blocks(wrapped) ||
      wrapped.size() > kMaxWrappedKey + kBlock) {
    return Error(ErrorKind::malformed);
  }
  return unwrap(wrapping_key, Padding::none, wrapped);
}

Result<SecretBytes> aes_kwp_unwrap(ByteView wrapping_key, ByteView wrapped) {
  if (wrapped.size() < 2 * kBlock || !whole_blocks(wrapped) ||
      wrapped.size() > kMaxWrappedKey + kBlock) {
    return Error(ErrorKind::malformed);
  }
  return unwrap(wrapping_key, Padding::rfc5649, wrapped);
}

}  // namespace paravent::crypto
