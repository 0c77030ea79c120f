// Reidentifier: the last step of the staircase, and the only way to a clear value (DESIGN 4).
//
//   authenticate -> Principal -> describe -> DescribedToken -> decide, issue -> Grant
//     -> AuditLog::append (durable) -> AuditReceipt -> reidentify -> SecretBytes
//
// Grant and receipt must be for this very token, principal and purpose, and both are consumed,
// whatever the answer. Thread safe. The vault must outlive it.

#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "crypto/audit/audit_receipt.h"
#include "crypto/reveal/grant.h"

namespace paravent::crypto::reveal {

// What a value is replaced by at RevealLevel::replaced.
inline constexpr std::string_view kReplacement = "[withheld]";

class Reidentifier {
 public:
  Reidentifier(const Reidentifier&) = delete;
  Reidentifier& operator=(const Reidentifier&) = delete;

  // What a text without a key id may stand for (vault/engine/reverse.h); opens no value, and what
  // it gives has still to climb every step.
  Result<std::vector<ParsedToken>> find_shaped(const vault::Id& tenant,
                                               std::string_view text) const {
    return vault_.find_shaped(tenant, text);
  }
  Result<vault::BareValue> find_bare(const vault::Id& tenant, const vault::ContextSpec& spec,
                                     std::string_view text, WallTime as_of) const {
    return vault_.find_bare(tenant, spec, text, as_of);
  }

  // Opens no value. ErrorKind::refused without a sentence for whatever is unknown, foreign, erased
  // or expired, in one manner; unreachable: the store cannot be read.
  // For whoever asks: a foreign token takes the way of an unknown one. `memo`: one for all
  // surrogates of a request.
  Result<DescribedToken> describe(const ParsedToken& token, const vault::Id& asker,
                                  vault::KeyMemo& memo) const;
  Result<DescribedToken> describe(const ParsedToken& token) const;
  Result<DescribedToken> describe(const vault::BareValue& value) const;

  // The value at the grant's level. ErrorKind::refused without a sentence: tickets that are not for
  // this token, not for each other, spent, or of another staircase; and all that describe()
  // refuses.
  Result<SecretBytes> reidentify(const ParsedToken& token, Grant grant, audit::AuditReceipt receipt,
                                 vault::KeyMemo& memo) const;
  Result<SecretBytes> reidentify(const ParsedToken& token, Grant grant,
                                 audit::AuditReceipt receipt) const;
  Result<SecretBytes> reidentify(const vault::BareValue& value, Grant grant,
                                 audit::AuditReceipt receipt) const;

 private:
  friend Staircase build_staircase(vault::Vault& vault);
  Reidentifier(std::shared_ptr<const StaircaseMark> mark, vault::Vault& vault)
      : mark_(std::move(mark)), vault_(vault) {}

  bool belongs(const TokenDigest& digest, const Grant& grant,
               const audit::AuditReceipt& receipt) const;
  Result<SecretBytes> opened(const ParsedToken& token, const Grant& grant,
                             vault::KeyMemo& memo) const;
  Result<SecretBytes> opened(const vault::BareValue& value, const Grant& grant,
                             vault::KeyMemo& memo) const;
  template <typename Surrogate>
  Result<SecretBytes> open(const Surrogate& surrogate, const Grant& grant,
                           const audit::AuditReceipt& receipt, vault::KeyMemo& memo) const;

  std::shared_ptr<const StaircaseMark> mark_;
  vault::ReverseVault vault_;
};

// The three rights, made together, each to be handed to one room by the composition root: the first
// to authentication, the second to the access policy, the third to the re-identification API.
struct Staircase {
  PrincipalAuthority authentication;
  GrantAuthority access;
  std::unique_ptr<const Reidentifier> reidentifier;
};

Staircase build_staircase(vault::Vault& vault);

}  // namespace paravent::crypto::reveal
