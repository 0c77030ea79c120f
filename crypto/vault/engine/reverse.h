// The way back: what a token is, and what is behind it. Only crypto/reveal (and main, which hands
// the vault to it) may include this header; tests/hygiene reads the includes.
//
// describe() opens no value. open_value() asks for an OpeningPermit, which only the Reidentifier
// can make, after authentication, decision and a durable audit entry (DESIGN 4). Thread safe, as
// the vault.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/keys/algorithm.h"
#include "crypto/keys/epoch.h"
#include "crypto/tokens/kind.h"
#include "crypto/tokens/token_text.h"
#include "crypto/vault/engine/vault.h"

namespace paravent::crypto::reveal {
class Reidentifier;
}

namespace paravent::crypto::vault {

// The right to open one value, made by nobody else.
class OpeningPermit {
 public:
  OpeningPermit(OpeningPermit&&) noexcept = default;
  OpeningPermit& operator=(OpeningPermit&&) noexcept = default;
  OpeningPermit(const OpeningPermit&) = delete;
  OpeningPermit& operator=(const OpeningPermit&) = delete;

 private:
  friend class paravent::crypto::reveal::Reidentifier;
  OpeningPermit() noexcept {}  // not defaulted: that would let anybody write OpeningPermit{}
};

// One legal purpose that a value was collected for, and its clock: days, UTC, as WallTime of
// midnight.
struct PurposeClock {
  Id id{};
  std::string name;
  WallTime created;
  WallTime last_contact;
};

struct TokenDescription {
  std::uint32_t key_id = 0;
  Algorithm algorithm = Algorithm::vault_token;
  Kind kind = Kind::text;
  Id tenant_id{};
  std::string tenant;
  std::string domain;
  std::string space;
  // A vault token has one or more. Derived, encrypted and pseudonym have exactly one, whose clock
  // is the beginning of the key's epoch (or the making of the key, when the epoch is none): never
  // later than the collection.
  std::vector<PurposeClock> purposes;
  Epoch epoch;  // of the key that opens the value
  std::optional<SubjectReference> subject;
  bool reversible = false;  // false: pseudonym
};

class ReverseVault {
 public:
  // The vault must outlive it.
  explicit ReverseVault(Vault& vault) noexcept : vault_(vault) {}

  // ErrorKind::refused without a sentence: unknown, foreign, erased or expired, in one manner;
  // unreachable: the store cannot be read.
  Result<TokenDescription> describe(const ParsedToken& token) const;

  // The clear value as it was normalised. ErrorKind::refused without a sentence: all of the above,
  // a pseudonym, and any altered bit of token or row; unreachable: the store cannot be read.
  Result<SecretBytes> open_value(const ParsedToken& token, OpeningPermit permit) const;

 private:
  Vault& vault_;
};

}  // namespace paravent::crypto::vault
