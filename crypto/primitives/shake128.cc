#include "crypto/primitives/shake128.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include <memory>

namespace paravent::crypto {
namespace {

struct DigestDeleter {
  void operator()(EVP_MD* digest) const noexcept { EVP_MD_free(digest); }
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace

Status shake128(ByteView message, MutableBytes out) noexcept {
  const std::unique_ptr<EVP_MD, DigestDeleter> digest(EVP_MD_fetch(nullptr, "SHAKE128", nullptr));
  const std::unique_ptr<EVP_MD_CTX, DigestDeleter> context(EVP_MD_CTX_new());
  if (!digest || !context || EVP_DigestInit_ex2(context.get(), digest.get(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), message.data(), message.size()) != 1 ||
      EVP_DigestFinalXOF(context.get(), out.data(), out.size()) != 1) {
    ERR_clear_error();
    return Error(ErrorKind::internal);
  }
  return {};
}

}  // namespace paravent::crypto
