#include "crypto/primitives/named_hash.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <memory>

#include "crypto/base/secret_bytes.h"

namespace paravent::crypto {
namespace {

struct MacDeleter {
  void operator()(EVP_MD* p) const noexcept { EVP_MD_free(p); }
  void operator()(EVP_MAC* p) const noexcept { EVP_MAC_free(p); }
  void operator()(EVP_MAC_CTX* p) const noexcept { EVP_MAC_CTX_free(p); }
};

}  // namespace

Result<Bytes> hmac_by_name(const char* hash, ByteView key, ByteView message) {
  const std::unique_ptr<EVP_MD, MacDeleter> digest(EVP_MD_fetch(nullptr, hash, nullptr));
  if (!digest) {
    ERR_clear_error();
    return Error(ErrorKind::usage);
  }
  const std::unique_ptr<EVP_MAC, MacDeleter> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  const std::unique_ptr<EVP_MAC_CTX, MacDeleter> context(mac ? EVP_MAC_CTX_new(mac.get())
                                                             : nullptr);
  std::string name(hash);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
      OSSL_PARAM_construct_end()};
  // A null key means "keep the one there is", so an empty key still needs an address.
  const std::uint8_t no_key = 0;
  Bytes out(static_cast<std::size_t>(EVP_MD_get_size(digest.get())));
  std::size_t written = 0;
  if (!context ||
      EVP_MAC_init(context.get(), key.empty() ? &no_key : key.data(), key.size(), parameters) !=
          1 ||
      EVP_MAC_update(context.get(), message.data(), message.size()) != 1 ||
      EVP_MAC_final(context.get(), out.data(), &written, out.size()) != 1 ||
      written != out.size()) {
    ERR_clear_error();
    return Error(ErrorKind::internal);
  }
  return out;
}

Result<Bytes> hkdf_by_name(const char* hash, ByteView input_key, ByteView salt, ByteView info,
                           std::size_t size) {
  auto prk = hmac_by_name(hash, salt, input_key);
  if (!prk) return prk.error();
  if (size == 0 || size > 255 * prk->size()) return Error(ErrorKind::usage);
  Bytes out;
  Bytes message;  // T(i-1) | info | i
  for (std::uint8_t counter = 1; out.size() < size; ++counter) {
    message.insert(message.end(), info.begin(), info.end());
    message.push_back(counter);
    auto block = hmac_by_name(hash, *prk, message);
    if (!block) return block.error();
    out.insert(
        out.end(), block->begin(),
        block->begin() + static_cast<std::ptrdiff_t>(std::min(block->size(), size - out.size())));
    message = std::move(*block);
  }
  wipe(*prk);
  wipe(message);
  return out;
}

}  // namespace paravent::crypto
