// ShredSecret: the local random secret that is needed beside the root key to open any key of the
// tree. Replacing it after a destroy batch makes every older copy of the key store useless
// (constructions 4.11); therefore it is never part of a data backup. Replacing it is ShredFiles'.
//
// File, mode 0600, 70 bytes:
//   "PVTSHRD1" | installation 16 | u32 number | secret 32 | u16 zero | HMAC(secret, all before) cut
//   to 8

#pragma once

#include <cstdint>
#include <filesystem>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/vault/engine/base/durable_file.h"
#include "crypto/vault/engine/base/id.h"

namespace paravent::crypto::vault {

class ShredSecret {
 public:
  static ShredSecret random() { return random_with(1); }
  // A new random secret with the next number.
  ShredSecret next() const { return random_with(number_ + 1); }
  static Result<ShredSecret> create(const std::filesystem::path& path, const Id& installation);
  // ErrorKind::data, one sentence each: missing, truncated or altered, of another installation.
  static Result<ShredSecret> read(const std::filesystem::path& path, const Id& installation);

  Status write(const std::filesystem::path& path, const Id& installation, Existing existing) const;

  ShredSecret clone() const { return {number_, secret_.clone()}; }

  std::uint32_t number() const noexcept { return number_; }
  // The key of the inner wrap.
  SecretBytes wrapping_key() const;

 private:
  static ShredSecret random_with(std::uint32_t number);
  ShredSecret(std::uint32_t number, SecretBytes secret) noexcept
      : number_(number), secret_(std::move(secret)) {}

  std::uint32_t number_;
  SecretBytes secret_;
};

}  // namespace paravent::crypto::vault
