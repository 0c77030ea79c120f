// The one file that uses OpenSSL's direct SHA-256 calls, which 3.0 marks as deprecated: the EVP
// layer costs as much as the hash on our sizes, and its contexts cannot be copied without an
// allocation.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/primitives/sha256.h"

#include <openssl/sha.h>

#include <cstdlib>

#include "crypto/base/secret_bytes.h"

namespace paravent::crypto {
namespace {

static_assert(sizeof(SHA256_CTX) == 112 && alignof(SHA256_CTX) <= 8);

SHA256_CTX* context_in(std::array<std::uint8_t, 112>& state) noexcept {
  return reinterpret_cast<SHA256_CTX*>(state.data());
}

// These calls cannot fail; a zero would mean that another library answers in OpenSSL's place.
void require(int ok) noexcept {
  if (ok != 1) std::abort();
}

}  // namespace

Sha256::Sha256() noexcept { require(SHA256_Init(context_in(state_))); }

Sha256::~Sha256() { wipe(state_); }

Sha256& Sha256::update(ByteView bytes) noexcept {
  require(SHA256_Update(context_in(state_), bytes.data(), bytes.size()));
  return *this;
}

Sha256Digest Sha256::finish() noexcept {
  Sha256Digest digest;
  require(SHA256_Final(digest.data(), context_in(state_)));
  return digest;
}

Sha256Digest sha256(ByteView bytes) noexcept { return Sha256().update(bytes).finish(); }

}  // namespace paravent::crypto
