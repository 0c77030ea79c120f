#include "crypto/vault/unseal/passphrase_provider.h"

#include <algorithm>
#include <cstdlib>

#include "crypto/primitives/argon2id.h"
#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/xchacha20_poly1305.h"
#include "crypto/vault/unseal/open_record.h"
#include "crypto/vault/unseal/passphrase_rule.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::size_t kKeySize = 32;

// What check and wrap are bound to.
std::string parameters(const Id& set, const PassphraseRecord& record) {
  std::string out = "paravent/v1/unseal";
  append_bytes(out, set);
  append_u32be(out, record.passes);
  append_u32be(out, record.memory_kib);
  append_bytes(out, record.salt);
  return out;
}

SecretBytes expand(const SecretBytes& key, std::string_view info) {
  SecretBytes out(kKeySize);
  if (!hkdf_expand_sha256(key.bytes(), as_bytes(info), out.mutable_bytes())) std::abort();
  return out;
}

Result<SecretBytes> stretch(const SecretBytes& passphrase, const PassphraseRecord& record) {
  SecretBytes key(kKeySize);
  const ByteView text = without_line_ending(passphrase.bytes());
  if (auto s = argon2id(text, record.salt, record.passes, record.memory_kib, key.mutable_bytes());
      !s) {
    return s.error();
  }
  return key;
}

UnsealCheck check_of(const SecretBytes& key, std::string_view bound) {
  const SecretBytes check_key = expand(key, "paravent/v1/unseal.check");
  const Sha256Digest mac = hmac_sha256(check_key.bytes(), as_bytes(bound));
  UnsealCheck check{};
  std::copy_n(mac.begin(), check.size(), check.begin());
  return check;
}

Result<RootKey> unwrap(const SecretBytes& passphrase, const Id& set,
                       const PassphraseRecord& record) {
  if (without_line_ending(passphrase.bytes()).size() > kMaxPassphrase) {
    return Error(ErrorKind::refused, "The pass-phrase is wrong.");
  }
  const auto key = stretch(passphrase, record);
  if (!key) return key.error();
  const std::string bound = parameters(set, record);
  // Before anything is decrypted: the AEAD alone could be made to open under several keys.
  if (!equal_constant_time(check_of(*key, bound), record.check)) {
    return Error(ErrorKind::refused, "The pass-phrase is wrong.");
  }
  SecretBytes root(kKeySize);
  const SecretBytes wrapping = expand(*key, "paravent/v1/unseal.wrap");
  if (!xchacha20_poly1305_open(wrapping.bytes(), record.nonce, as_bytes(bound), record.wrapped,
                               root.mutable_bytes())) {
    return Error(ErrorKind::data,
                 "The unseal record is altered: the pass-phrase is right and the root key does not "
                 "open; restore it from a key backup.");
  }
  return RootKey::from_bytes(std::move(root));
}

}  // namespace

ByteView without_line_ending(ByteView secret) noexcept {
  if (!secret.empty() && secret.back() == '\n') secret = secret.first(secret.size() - 1);
  if (!secret.empty() && secret.back() == '\r') secret = secret.first(secret.size() - 1);
  return secret;
}

Result<std::optional<RootKey>> PassphraseProvider::open(const RootCheck& check) {
  if (!source_) return std::optional<RootKey>();
  const auto passphrase = source_();
  if (!passphrase) return passphrase.error();
  auto root = give(*passphrase, check);
  // From a file there is nobody to ask again: it is the installation that is wrong.
  if (!root && root.error().kind() == ErrorKind::refused) {
    return Error(ErrorKind::data, root.error().sentence() + " Nothing was changed.");
  }
  return root;
}

Result<std::optional<RootKey>> PassphraseProvider::give(const SecretBytes& secret,
                                                        const RootCheck& check) {
  auto root = open_record<PassphraseRecord>(
      folder_, method(), check, [&secret](const Id& set, const PassphraseRecord& record) {
        return unwrap(secret, set, record);
      });
  if (!root) return root.error();
  return std::optional<RootKey>(std::move(*root));
}

Result<Handouts> PassphraseProvider::establish(const RootKey& root, const Id& installation,
                                               RecordPlace place) {
  if (!source_) return Error(ErrorKind::usage, "A pass-phrase has to be given first.");
  const auto passphrase = source_();
  if (!passphrase) return passphrase.error();
  if (auto s = check_passphrase(without_line_ending(passphrase->bytes())); !s) return s.error();
  PassphraseRecord record;
  record.passes = cost_.passes;
  record.memory_kib = cost_.memory_kib;
  random_bytes(record.salt);
  random_bytes(record.nonce);
  const Id set = random_id();
  const auto key = stretch(*passphrase, record);
  if (!key) return key.error();
  const std::string bound = parameters(set, record);
  record.check = check_of(*key, bound);
  const SecretBytes wrapping = expand(*key, "paravent/v1/unseal.wrap");
  if (!xchacha20_poly1305_seal(wrapping.bytes(), record.nonce, as_bytes(bound), root.key().bytes(),
                               record.wrapped)) {
    return Error(ErrorKind::internal);
  }
  if (auto s = write_unseal_record(folder_, place, {set, root.check_value(installation), record});
      !s)
    return s.error();
  return Handouts();
}

}  // namespace paravent::crypto::vault
