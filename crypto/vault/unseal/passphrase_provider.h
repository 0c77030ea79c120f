// The root key behind a pass-phrase: Argon2id (RFC 9106) makes a key from it, which is checked, and
// which then unwraps the root key from the record beside the key store.
//
//   key   = Argon2id(pass-phrase, salt, passes, memory), 32 bytes
//   check = HMAC-SHA-256(HKDF-Expand(key, "paravent/v1/unseal.check"), parameters | salt | set id)
//   the root key is under XChaCha20-Poly1305, which does not commit to its key; the check does
// The pass-phrase is taken as bytes, without the line ending it may come with.

#pragma once

#include <functional>

#include "crypto/vault/unseal/unseal_provider.h"

namespace paravent::crypto::vault {

// Where a secret comes from when nobody is asked: a file, a descriptor. Called for each open().
using SecretSource = std::function<Result<SecretBytes>()>;

struct Argon2Cost {
  std::uint32_t passes = 3;
  std::uint32_t memory_kib = 256 * 1024;  // the floor is 64 MiB and 3 passes (RFC 9106, section 4)
};

class PassphraseProvider final : public UnsealProvider {
 public:
  // Without a source a person is asked. establish() takes the pass-phrase from the source.
  PassphraseProvider(std::filesystem::path keys_folder, SecretSource source, Argon2Cost cost = {})
      : folder_(std::move(keys_folder)), source_(std::move(source)), cost_(cost) {}

  UnsealMethod method() const noexcept override { return UnsealMethod::passphrase; }
  Result<std::optional<RootKey>> open(const RootCheck& check) override;
  Result<std::optional<RootKey>> give(const SecretBytes& secret, const RootCheck& check) override;
  UnsealProgress progress() const override { return {0, 1}; }
  // ErrorKind::usage: the pass-phrase is too easy to guess (passphrase_rule.h).
  Result<Handouts> establish(const RootKey& root, const Id& installation,
                             RecordPlace place) override;

 private:
  std::filesystem::path folder_;
  SecretSource source_;
  Argon2Cost cost_;
};

// A view without the line ending that a file or a terminal puts behind a secret.
ByteView without_line_ending(ByteView secret) noexcept;

}  // namespace paravent::crypto::vault
