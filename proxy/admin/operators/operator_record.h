// OperatorRecord: what is kept of one operator: who that is, and of every credential only what it
// takes to recognise it.
//
// Plain values; no thread rules. Nothing here gives access: credentials and codes are hashes, a
// pass-phrase is an Argon2id verifier, and the second factor's secret lies sealed under the
// pass-phrase (crypto/primitives/passphrase.h).

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/primitives/passphrase.h"
#include "crypto/primitives/sha256.h"
#include "crypto/primitives/totp.h"
#include "crypto/vault/engine/base/id.h"

namespace paravent::proxy::admin {

inline constexpr std::size_t kMaxOperators = 10'000;
inline constexpr std::size_t kMaxCredentials = 16;  // of one operator
inline constexpr std::size_t kMaxScopeWords = 32;
inline constexpr auto kEnrolmentLife = std::chrono::hours(72);

// What a credential may be used for. Empty: everything that its operator may.
struct CredentialScope {
  std::vector<std::string> purposes;
  std::vector<std::string> paths;  // the word behind /v1/ or /: "reidentify", "subjects", "metrics"

  bool operator==(const CredentialScope&) const = default;
};

struct KeptCredential {
  crypto::Sha256Digest hash{};
  crypto::WallTime created;
  std::optional<crypto::WallTime> expires;
  CredentialScope scope;

  bool operator==(const KeptCredential&) const = default;
};

// An admin's invitation to choose a pass-phrase: a code that works once.
struct Enrolment {
  crypto::Sha256Digest code_hash{};
  crypto::WallTime expires;
  crypto::TotpSecret
      secret{};  // of the second factor, until the pass-phrase that seals it is there

  bool operator==(const Enrolment&) const = default;
};

// Logins that failed, and the last code that was used.
struct Attempts {
  std::uint32_t failures = 0;  // in a row
  crypto::WallTime locked_until;
  std::uint64_t last_step = 0;  // of RFC 6238; a code of this step or an earlier one is spent

  bool operator==(const Attempts&) const = default;
};

struct OperatorRecord {
  std::string name;
  crypto::vault::Id tenant{};  // kNoId: none yet
  std::string role;
  bool person = true;  // else a program
  crypto::WallTime created;
  std::optional<crypto::WallTime> revoked;  // kept all the same, so that a name means one operator
  std::vector<KeptCredential> credentials;
  std::optional<crypto::PassphraseVerifier> passphrase;
  std::optional<Enrolment> enrolment;
  Attempts attempts;

  bool operator==(const OperatorRecord&) const = default;
};

// How a credential is named in listings and on the record: 12 hexadecimal digits that say nothing
// about it.
std::string credential_id(const crypto::Sha256Digest& hash);

// 1 to 32 lower-case letters, digits and hyphens.
bool is_operator_name(std::string_view name) noexcept;
// The same without a hyphen in front, which earlier lists may hold: "-" stands for nobody in files.
bool is_new_operator_name(std::string_view name) noexcept;
// 1 to 64 bytes without blanks.
bool is_role_name(std::string_view role) noexcept;

}  // namespace paravent::proxy::admin
