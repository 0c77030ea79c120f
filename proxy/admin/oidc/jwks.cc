#include "proxy/admin/oidc/jwks.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "crypto/base/encoding.h"
#include "crypto/primitives/sha256.h"
#include "proxy/admin/oidc/json_members.h"

namespace paravent::proxy::admin {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::SignatureAlgorithm;
using crypto::VerificationKey;

// Private parts of RSA and EC keys, and what a symmetric key consists of (RFC 7518 6).
constexpr std::array<std::string_view, 8> kSecretMembers{"d",  "p",  "q",   "dp",
                                                         "dq", "qi", "oth", "k"};

bool is_exposed(const JsonMembers& key) {
  return std::any_of(kSecretMembers.begin(), kSecretMembers.end(),
                     [&](std::string_view name) { return key.has(name); });
}

// What tells a public key from another of its type.
std::string_view value_of(const JsonMembers& key) {
  return key.text("kty") == "RSA" ? key.text("n") : key.text("x");
}

// RFC 7638 3: the members that make the key, in the order of their names, and nothing else. Their
// values are base64url, whose alphabet needs no escape.
std::string thumbprint_of(const JsonMembers& key) {
  const auto member = [&key](std::string_view name) {
    return "\"" + std::string(name) + "\":\"" + std::string(key.text(name)) + "\"";
  };
  std::string text = "{";
  if (key.text("kty") == "RSA") {
    text += member("e") + "," + member("kty") + "," + member("n");
  } else {
    text += member("crv") + "," + member("kty") + "," + member("x");
    if (key.text("kty") == "EC") text += "," + member("y");
  }
  std::string out;
  crypto::append_base64url(out, crypto::sha256(crypto::as_bytes(text + "}")));
  return out;
}

std::string_view algorithm_name(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::rsa_sha256:
      return "RS256";
    case SignatureAlgorithm::ecdsa_p256_sha256:
      return "ES256";
    case SignatureAlgorithm::ed25519:
      return "EdDSA";
  }
  return {};
}

Error refused(const char* sentence) { return {ErrorKind::malformed, sentence}; }

// What a key can verify, by its type and its own words; nullopt: nothing that anybody sends here.
std::optional<SignatureAlgorithm> algorithm_of(const JsonMembers& key) {
  std::optional<SignatureAlgorithm> algorithm;
  const std::string_view type = key.text("kty");
  if (type == "RSA") algorithm = SignatureAlgorithm::rsa_sha256;
  if (type == "EC" && key.text("crv") == "P-256") {
    algorithm = SignatureAlgorithm::ecdsa_p256_sha256;
  }
  if (type == "OKP" && key.text("crv") == "Ed25519") algorithm = SignatureAlgorithm::ed25519;
  if (!algorithm) return std::nullopt;
  if (key.has("use") && key.text("use") != "sig") return std::nullopt;
  if (key.has("key_ops") && (!key.lists.contains("key_ops") || !key.holds("key_ops", "verify"))) {
    return std::nullopt;
  }
  if (key.has("alg") && jws_algorithm(key.text("alg")) != algorithm) return std::nullopt;
  return algorithm;
}

Result<VerificationKey> key_of(const JsonMembers& key, SignatureAlgorithm algorithm) {
  const auto bytes = [&key](std::string_view name) {
    const auto read = crypto::from_base64url(key.text(name));
    return read ? *read : crypto::Bytes();
  };
  switch (algorithm) {
    case SignatureAlgorithm::rsa_sha256:
      return VerificationKey::rsa(bytes("n"), bytes("e"));
    case SignatureAlgorithm::ecdsa_p256_sha256:
      return VerificationKey::ecdsa_p256(bytes("x"), bytes("y"));
    case SignatureAlgorithm::ed25519:
      return VerificationKey::ed25519(bytes("x"));
  }
  return Error(ErrorKind::malformed);
}

}  // namespace

std::optional<SignatureAlgorithm> jws_algorithm(std::string_view name) noexcept {
  if (name == "RS256") return SignatureAlgorithm::rsa_sha256;
  if (name == "ES256") return SignatureAlgorithm::ecdsa_p256_sha256;
  if (name == "EdDSA") return SignatureAlgorithm::ed25519;
  return std::nullopt;
}

template <typename IsOut>
std::size_t KeySet::drop(IsOut is_out) {
  return std::erase_if(keys_, is_out);
}

Result<KeySet> KeySet::parse(std::string_view text) {
  if (text.size() > kMostKeySetBytes) return refused("The key set is longer than 256 KiB.");
  const auto objects = read_key_objects(text, kMostKeys);
  if (!objects) return refused("This is no JWK Set of at most 100 keys (RFC 7517).");
  KeySet set;
  std::set<std::string, std::less<>> twice;
  for (const JsonMembers& object : *objects) {
    const auto algorithm = algorithm_of(object);
    if (!algorithm || is_exposed(object)) continue;
    const std::string kid(object.text("kid"));
    auto key = key_of(object, *algorithm);
    if (!key || kid.empty() || kid.size() > kMostKidBytes) {
      ++set.unusable_;
      continue;
    }
    if (set.find(kid, *algorithm) != nullptr) twice.insert(kid);
    set.keys_.push_back({{kid, std::string(algorithm_name(*algorithm)), thumbprint_of(object)},
                         std::string(value_of(object)),
                         std::move(*key)});
  }
  set.unusable_ += set.drop([&](const Named& named) { return twice.contains(named.name.kid); });
  for (const JsonMembers& object : *objects) {
    if (!is_exposed(object)) continue;
    ++set.exposed_;
    set.drop([&](const Named& named) {
      return named.name.kid == object.text("kid") || named.value == value_of(object);
    });
  }
  return set;
}

KeyNames KeySet::names() const {
  KeyNames names;
  for (const Named& named : keys_) names.insert(named.name);
  return names;
}

void KeySet::keep_only(const KeyNames& names) {
  drop([&](const Named& named) { return !names.contains(named.name); });
}

const VerificationKey* KeySet::find(std::string_view kid, SignatureAlgorithm algorithm) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const Named& named) {
    return named.name.kid == kid && named.key.algorithm() == algorithm;
  });
  return found == keys_.end() ? nullptr : &found->key;
}

}  // namespace paravent::proxy::admin
