// RootKey: the 32 bytes that open the key store, and nothing else, from a key file.
//
// File: mode 0600 (or 0400), one line, one spelling, 70 bytes:
//   "paravent-root-key-v1 " base64url(key 32 | check 4) "\n"      check = HMAC-SHA-256(key, label)
//   cut
// so that a truncated or mistyped file is told from the key of another installation. A file is
// created once, by create(), and never overwritten. Move-only; the key lives in SecretBytes.

#pragma once

#include <array>
#include <filesystem>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/vault/engine/base/id.h"

namespace paravent::crypto::vault {

using KeyCheckValue = std::array<std::uint8_t, 8>;

class RootKey {
 public:
  // ErrorKind::data, one sentence each: missing, readable by others, truncated, altered.
  static Result<RootKey> read(const std::filesystem::path& path);
  // A new random key, durable in a new file; makes the missing last folder (0700). ErrorKind::data
  // when the file exists: it may be the only key to something.
  static Result<RootKey> create(const std::filesystem::path& path);
  // What init and serve need: reads the file when it exists; else creates it, unless the data
  // directory was initialised before: then only its own key opens it (ErrorKind::data).
  static Result<RootKey> obtain(const std::filesystem::path& path, bool data_initialised);
  // Random, never written anywhere: for explain and test.
  static RootKey ephemeral();

  // From 32 bytes that something else kept: a wrapped record, a token, shares.
  // ErrorKind::malformed: another size. key() is for whoever keeps them so.
  static Result<RootKey> from_bytes(SecretBytes key);
  const SecretBytes& key() const noexcept { return key_; }

  // The text of a key file, without the file; ErrorKind::malformed for anything else.
  static Result<RootKey> parse(std::string_view text);
  SecretBytes file_text() const;

  // HMAC-SHA-256(root key, "kcv" | installation id), 8 bytes: compared before anything is
  // decrypted.
  KeyCheckValue check_value(const Id& installation) const;
  // The key that wraps tenant keys, and the key of the key store's MAC: one key, one use.
  SecretBytes wrapping_key() const;
  SecretBytes key_store_mac_key() const;
  // The key that backups are made under (backup_file.h).
  SecretBytes backup_key() const;

 private:
  explicit RootKey(SecretBytes key) noexcept : key_(std::move(key)) {}

  SecretBytes key_;
};

}  // namespace paravent::crypto::vault
