// IssuerKeys: what the record says of the keys of an issuer in a period, for the dossier of one of
// its subjects: which were trusted when the period began, and what changed in it. Whoever held such
// a key could sign as the subject. proxy/main/keepers/issuer_record.h writes these entries.
//
// Fed with the entries of one log in their order. Plain data, no thread rules.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crypto/audit/audit_log.h"
#include "crypto/base/clock.h"
#include "proxy/admin/dossier.h"

namespace paravent::proxy::admin {

class IssuerKeys {
 public:
  // The period and the operator of the question; of any other than "oidc:ISSUER/SUBJECT" nothing is
  // ever an entry of theirs.
  explicit IssuerKeys(const DossierQuestion& question);

  // Whether the entry is about this issuer's keys; it is kept where it counts.
  bool take(const crypto::audit::AuditRecord& record);

  // The entries by which each key in force when the period began came to be trusted, then those of
  // the period; in the order of the log.
  std::vector<crypto::audit::AuditRecord> entries() const;
  // Changes of operators and issuers that can be read no more and may have been one of these: of
  // the period, and of before it since the last time that the whole set was said.
  std::uint64_t unreadable() const { return unreadable_before_ + unreadable_; }

 private:
  std::string keys_;  // object of what says the whole set; empty: no issuer's subject
  std::string key_;   // how the objects begin that say one key
  std::optional<crypto::WallTime> from_;
  std::optional<crypto::WallTime> until_;
  std::map<std::string, crypto::audit::AuditRecord> in_force_;  // at from_, by kid and thumbprint
  std::vector<crypto::audit::AuditRecord> changes_;
  std::uint64_t unreadable_before_ = 0;
  std::uint64_t unreadable_ = 0;
};

}  // namespace paravent::proxy::admin
