// Any bytes as the key set of an issuer: never a crash, and what is accepted holds not more keys
// than a set may have, and they verify nothing that nobody signed.

#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proxy/admin/oidc/jwks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace paravent;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto keys = proxy::admin::KeySet::parse(text);
  if (!keys) {
    // One of a closed set of sentences.
    if (keys.error().sentence().empty() || keys.error().sentence().size() > 100) std::abort();
    return 0;
  }
  if (keys->size() + keys->unusable() + keys->exposed() > proxy::admin::kMostKeys) std::abort();
  using crypto::SignatureAlgorithm;
  for (const auto algorithm :
       {SignatureAlgorithm::rsa_sha256, SignatureAlgorithm::ecdsa_p256_sha256,
        SignatureAlgorithm::ed25519}) {
    const auto* const key = keys->find("k", algorithm);
    if (key == nullptr) continue;
    if (key->algorithm() != algorithm) std::abort();
    const crypto::Bytes signature(algorithm == SignatureAlgorithm::rsa_sha256 ? 256 : 64, 1);
    if (key->verify(crypto::as_bytes("text"), signature)) std::abort();
  }
  return 0;
}
