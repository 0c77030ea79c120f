// KeyFacts: what people have settled about keys and about persons, as it stands at one moment:
// holds, retentions, the freeze, restrictions, objections, events. A data backup carries them
// beside the states of the keys, so that a restore with older keys can say what it would undo.
//
// No key and no value. A subject and a handle are random ids; the reference in a hold is a keyed
// hash, as the audit log has it.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "crypto/vault/engine/base/id.h"
#include "crypto/vault/engine/catalogue/retention.h"
#include "crypto/vault/engine/upkeep/key_admin.h"
#include "crypto/vault/engine/vault/vault.h"

namespace paravent::crypto::vault {

inline constexpr std::uint8_t kRestricted = 1;
inline constexpr std::uint8_t kObjected = 2;

struct RetentionFact {
  std::string tenant;   // names, as they are at that moment; empty: of the audit logs' details
  std::string purpose;  // "audit" of these
  RetentionRecord record;
  friend bool operator==(const RetentionFact&, const RetentionFact&) = default;
};

struct KeyFacts {
  KeysMoment moment;
  std::map<Id, HoldInfo> holds;            // by their id, without their reasons
  std::map<Id, RetentionFact> retentions;  // by purpose; kNoId: the details of the audit logs
  std::uint8_t freezes = 0;                // of KeeperRecord
  std::map<Id, std::uint8_t> marks;        // of people who have any, by subject
  std::map<Id, std::uint32_t> events;      // days since 1970, by handle of a person's key
  std::optional<Id> newest_key;            // handle of the person's key that was made last
};

// Reads them. Thread safe, as the vault, which must outlive it.
class KeyFactsReader {
 public:
  explicit KeyFactsReader(const Vault& vault) noexcept : vault_(vault) {}

  // All of one moment.
  KeyFacts read() const;
  // Whether this key of a person is there.
  bool knows_person_key(const Id& handle) const;
  // How a person is called in lists and in the audit log; nullopt: nobody knows them.
  std::optional<SubjectReference> reference_of(const Id& subject) const;

 private:
  const Vault& vault_;
};

}  // namespace paravent::crypto::vault
