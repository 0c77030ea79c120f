#include "crypto/primitives/public_signature.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "crypto/primitives/ed25519.h"

namespace paravent::crypto {
namespace {

struct Deleter {
  void operator()(BIGNUM* p) const noexcept { BN_free(p); }
  void operator()(OSSL_PARAM_BLD* p) const noexcept { OSSL_PARAM_BLD_free(p); }
  void operator()(OSSL_PARAM* p) const noexcept { OSSL_PARAM_free(p); }
  void operator()(EVP_PKEY_CTX* p) const noexcept { EVP_PKEY_CTX_free(p); }
  void operator()(EVP_MD_CTX* p) const noexcept { EVP_MD_CTX_free(p); }
  void operator()(ECDSA_SIG* p) const noexcept { ECDSA_SIG_free(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Deleter>;

constexpr std::uint64_t kLeastExponent = 65537;
constexpr std::uint8_t kUncompressed = 4;  // SEC 1 2.3.3

Owned<BIGNUM> number(ByteView bytes) {
  return Owned<BIGNUM>(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
}

// Another library's key must never leave an error for somebody else to find.
Error refused() {
  ERR_clear_error();
  return ErrorKind::malformed;
}

std::shared_ptr<EVP_PKEY> key_from(const char* type, const Owned<OSSL_PARAM_BLD>& builder) {
  const Owned<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  std::shared_ptr<EVP_PKEY> key(made, EVP_PKEY_free);
  const Owned<EVP_PKEY_CTX> check(EVP_PKEY_CTX_new_from_pkey(nullptr, made, nullptr));
  return check && EVP_PKEY_public_check(check.get()) == 1 ? key : nullptr;
}

// r and s as RFC 7518 writes them, as OpenSSL reads them.
Bytes der_of(ByteView signature) {
  Owned<BIGNUM> r = number(signature.first(kEcCoordinateSize));
  Owned<BIGNUM> s = number(signature.subspan(kEcCoordinateSize));
  const Owned<ECDSA_SIG> both(ECDSA_SIG_new());
  if (!r || !s || !both || ECDSA_SIG_set0(both.get(), r.get(), s.get()) != 1) return {};
  // Owned by `both` now.
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  std::uint8_t* text = nullptr;
  const int size = i2d_ECDSA_SIG(both.get(), &text);
  if (size <= 0) return {};
  Bytes der(text, text + size);
  OPENSSL_free(text);
  return der;
}

bool evp_verify(EVP_PKEY* key, ByteView message, ByteView signature) noexcept {
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* of_key = nullptr;  // the context's
  if (!context || EVP_DigestVerifyInit_ex(context.get(), &of_key, "SHA256", nullptr, nullptr, key,
                                          nullptr) != 1) {
    return false;
  }
  if (EVP_PKEY_is_a(key, "RSA") == 1 &&
      EVP_PKEY_CTX_set_rsa_padding(of_key, RSA_PKCS1_PADDING) != 1) {
    return false;
  }
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                          message.size()) == 1;
}

}  // namespace

Result<VerificationKey> VerificationKey::rsa(ByteView modulus, ByteView exponent) {
  if (modulus.empty() || modulus.front() == 0 || modulus.size() > kMostRsaBits / 8 ||
      (modulus.back() & 1U) == 0 || exponent.empty() || exponent.front() == 0 ||
      exponent.size() > sizeof(std::uint32_t)) {
    return Error(ErrorKind::malformed);
  }
  std::uint64_t e = 0;
  for (const std::uint8_t byte : exponent) e = (e << 8U) | byte;
  const Owned<BIGNUM> n = number(modulus);
  const Owned<BIGNUM> public_exponent = number(exponent);
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (!n || !public_exponent || !builder) return refused();
  if (static_cast<std::size_t>(BN_num_bits(n.get())) < kLeastRsaBits || e < kLeastExponent ||
      (e & 1U) == 0) {
    return Error(ErrorKind::malformed);
  }
  if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, public_exponent.get()) != 1) {
    return refused();
  }
  auto key = key_from("RSA", builder);
  if (!key) return refused();
  return VerificationKey(SignatureAlgorithm::rsa_sha256, std::move(key), {});
}

Result<VerificationKey> VerificationKey::ecdsa_p256(ByteView x, ByteView y) {
  if (x.size() != kEcCoordinateSize || y.size() != kEcCoordinateSize) {
    return Error(ErrorKind::malformed);
  }
  Bytes point{kUncompressed};
  point.insert(point.end(), x.begin(), x.end());
  point.insert(point.end(), y.begin(), y.end());
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return refused();
  }
  auto key = key_from("EC", builder);
  if (!key) return refused();
  return VerificationKey(SignatureAlgorithm::ecdsa_p256_sha256, std::move(key), {});
}

Result<VerificationKey> VerificationKey::ed25519(ByteView public_key) {
  if (public_key.size() != kEd25519PublicKeySize) return Error(ErrorKind::malformed);
  return VerificationKey(SignatureAlgorithm::ed25519, nullptr,
                         Bytes(public_key.begin(), public_key.end()));
}

bool VerificationKey::verify(ByteView message, ByteView signature) const noexcept {
  bool good = false;
  switch (algorithm_) {
    case SignatureAlgorithm::ed25519:
      return ed25519_verify(raw_, message, signature);
    case SignatureAlgorithm::rsa_sha256:
      good = signature.size() == static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())) &&
             evp_verify(key_.get(), message, signature);
      break;
    case SignatureAlgorithm::ecdsa_p256_sha256:
      if (signature.size() == 2 * kEcCoordinateSize) {
        const Bytes der = der_of(signature);
        good = !der.empty() && evp_verify(key_.get(), message, der);
      }
      break;
  }
  if (!good) ERR_clear_error();
  return good;
}

}  // namespace paravent::crypto
