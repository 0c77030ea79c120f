// DescribedToken and Grant: the second and third tickets of the staircase (DESIGN 4).
//
//   Reidentifier::describe -> DescribedToken -> GrantAuthority::issue -> Grant
//
// A Grant is the right of one principal to one re-identification of one token for one purpose at
// one level. Only a GrantAuthority issues it; the composition root hands that to the access policy.
// Move-only; a grant that was moved from is spent. Each object has one owner at a time; the
// authority is immutable.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "crypto/audit/audit_log.h"
#include "crypto/base/result.h"
#include "crypto/reveal/principal.h"
#include "crypto/tokens/token_text.h"
#include "crypto/vault/engine/reverse/reverse.h"

namespace paravent::crypto::reveal {

using TokenDigest = std::array<std::uint8_t, 32>;

// How a surrogate appears in grants and audit entries. Of a token: SHA-256 of its canonical text.
// Of a value without a key id: SHA-256("paravent/v1/bare" | 0x00 | u8 alg | u32be key_id | text),
// so that the row it was taken to belong to is on the record too.
TokenDigest token_digest(const ParsedToken& token) noexcept;
TokenDigest token_digest(const vault::BareValue& value);

// How much of the value is given.
enum class RevealLevel : std::uint8_t {
  clear = 1,
  masked = 2,    // see mask.h
  replaced = 3,  // a fixed text; the value is not even opened
};

// A token and what is known about it without opening it.
class DescribedToken {
 public:
  const vault::TokenDescription& description() const noexcept { return description_; }
  const TokenDigest& digest() const noexcept { return digest_; }

 private:
  friend class Reidentifier;
  friend class GrantAuthority;
  DescribedToken(std::shared_ptr<const StaircaseMark> mark, const TokenDigest& digest,
                 vault::TokenDescription description)
      : mark_(std::move(mark)), digest_(digest), description_(std::move(description)) {}

  std::shared_ptr<const StaircaseMark> mark_;
  TokenDigest digest_;
  vault::TokenDescription description_;
};

class Grant {
 public:
  Grant(Grant&&) noexcept = default;
  Grant& operator=(Grant&&) noexcept = default;
  Grant(const Grant&) = delete;
  Grant& operator=(const Grant&) = delete;

  bool valid() const noexcept { return mark_ != nullptr; }
  const vault::Id& id() const noexcept { return id_; }
  RevealLevel level() const noexcept { return level_; }
  const vault::Id& tenant() const noexcept { return tenant_; }
  const std::string& purpose() const noexcept { return purpose_; }

  // What the receipt must have been written for: names everything this grant is about.
  std::string binding() const;
  // The entry to append to the tenant's log before reidentify(), with the binding in it.
  audit::AuditEntry audit_entry(std::string reason) const;

 private:
  friend class GrantAuthority;
  friend class Reidentifier;
  Grant() = default;

  std::shared_ptr<const StaircaseMark> mark_;
  vault::Id id_{};
  TokenDigest digest_{};
  std::uint32_t key_id_ = 0;
  Kind kind_ = Kind::text;
  RevealLevel level_ = RevealLevel::replaced;
  vault::Id tenant_{};
  std::string operator_name_;
  std::string role_;
  std::string purpose_;
  std::optional<vault::SubjectReference> subject_;
};

// The right to issue grants. Handed to the access policy, and to nobody else.
class GrantAuthority {
 public:
  GrantAuthority(GrantAuthority&&) noexcept = default;
  GrantAuthority& operator=(GrantAuthority&&) noexcept = default;
  GrantAuthority(const GrantAuthority&) = delete;
  GrantAuthority& operator=(const GrantAuthority&) = delete;

  // To be called once it was decided. ErrorKind::refused without a sentence where no decision could
  // allow it: another tenant's token, a purpose that the value was not collected for, a pseudonym,
  // or tickets of another staircase.
  Result<Grant> issue(const Principal& principal, const DescribedToken& token,
                      const std::string& purpose, RevealLevel level) const;

 private:
  friend Staircase build_staircase(vault::Vault& vault);
  explicit GrantAuthority(std::shared_ptr<const StaircaseMark> mark) noexcept
      : mark_(std::move(mark)) {}

  std::shared_ptr<const StaircaseMark> mark_;
};

}  // namespace paravent::crypto::reveal
