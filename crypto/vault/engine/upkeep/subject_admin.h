// SubjectAdmin: what people's rights and the events of their life do to data subjects: who they
// are, what is kept of them, restriction, objection, events, erasure. Opens no value.
//
// Every change is durable when the call returns. Nothing is recorded here: the caller writes its
// audit entry first. Thread safe, as the vault. ErrorKind::refused without a sentence: nobody knows
// such a person; unreachable: the token store cannot be read.
//
// Sources: GDPR 15 to 21; constructions 4.11.

#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/tokens/kind.h"
#include "crypto/tokens/token_text.h"
#include "crypto/vault/engine/vault/subject_desk.h"
#include "crypto/vault/engine/vault/vault.h"

namespace paravent::crypto::vault {

// A subject for one purpose. Days, UTC, as WallTime of midnight.
struct SubjectPurpose {
  Id id{};
  std::string name;
  WallTime since{};  // when the key was made
  WallTime last_contact{};
  std::optional<WallTime> event;     // the end of a contract, a case closed
  std::optional<WallTime> disabled;  // about to be destroyed
};

struct SubjectInfo {
  Id id{};
  Id tenant{};
  SubjectReference reference{};
  bool identified = false;  // false: of one request, and never found again but by its tokens
  bool restricted = false;
  bool objected = false;
  WallTime since{};
  std::vector<SubjectPurpose> purposes;
};

// A subject as it will be asked about: by reference, for one purpose.
struct ErasedSubject {
  SubjectReference reference{};
  std::size_t keys = 0;
  std::size_t tokens = 0;  // rows of the token store that went
};

struct Erasure {
  std::vector<ErasedSubject> people;
  // No older copy of the keys opens their values any more.
  bool is_final = false;
  // Of what they had in the token store something is still in its files.
  bool rows_left = false;
};

class SubjectAdmin {
 public:
  // The vault must outlive it.
  explicit SubjectAdmin(Vault& vault) noexcept : vault_(vault) {}

  // ErrorKind::refused without a sentence: nobody; sealed: a key that would tell is out of use, so
  // whether there is somebody is not known; unreachable: the store cannot be read. By reference
  // everybody is found, whatever the state of the keys.

  // By what tells the person: the normal form of the field that a policy's `subject` names.
  Result<Id> find(const Id& tenant, Kind kind, std::string_view value) const;
  Result<Id> find(const Id& tenant, const SubjectReference& reference) const;
  // By any value of theirs. A token of another tenant, and one that belongs to no subject, is
  // unknown.
  Result<Id> of_token(const Id& tenant, const ParsedToken& token) const;
  // By a vault token in a shape; a text that tokens of several domains have is unknown.
  Result<Id> of_shaped(const Id& tenant, std::string_view text) const;

  Result<SubjectInfo> info(const Id& subject) const;
  // Their vault tokens. Encrypted values are not kept here, so they are not listed.
  Result<std::vector<ParsedToken>> tokens(const Id& subject) const;

  // nullopt leaves it as it is.
  Status mark(const Id& subject, std::optional<bool> restricted, std::optional<bool> objected);
  // For one purpose; nullopt takes the event back. ErrorKind::refused: no such key.
  Status note_event(const Id& subject, std::string_view purpose, std::optional<WallTime> day);
  // A contact that did not come through the gateway. Only ever later than the one that is known.
  Status note_contact(const Id& subject, std::string_view purpose, WallTime day);

  // Keys, rows and index entries of these people, gone for good. When it returns nothing of theirs
  // opens here any more, and what `Erasure` says was left is gone on with by KeyAdmin and
  // SubjectKeeper, and by the next opening. Nobody but the caller waits for the walk over the
  // store. An error: nobody was erased. ErrorKind::busy: a hold covers one of them.
  Result<Erasure> erase(std::span<const Id> subjects);

 private:
  bool is_held(const Id& subject) const;
  Result<std::map<Id, std::vector<Id>>> rows_of(const std::set<Id>& subjects) const;
  Result<std::vector<ErasedSubject>> end(const std::set<Id>& subjects);
  Result<Id> purpose_key(const Id& subject, std::string_view purpose, const SubjectTable& table,
                         std::uint32_t& contact_day) const;

  Vault& vault_;
};

}  // namespace paravent::crypto::vault
