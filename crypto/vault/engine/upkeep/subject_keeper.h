// SubjectKeeper: ends the keys of data subjects on time, as RetentionKeeper does for epochs: a key
// that is due is disabled, and destroyed with its rows after 72 hours of running time.
//
// When a key is due follows from the retention of its purpose, counted from the person's last
// contact or from the event that the purpose names (the end of a contract, a case closed; before it
// there is no end), and for a subject that nobody can find again from its only request. A hold, a
// contact and an event that is taken back put it off, up to the moment in which the key goes; a
// freeze of the retention keeper stops all of it, but not the end of what was destroyed before.
//
// What cannot be done for one tenant keeps nobody else's from being done. People are taken in
// pieces of kPiece, each recorded and then done, so that nobody waits long for the locks.
//
// tick() does everything that is due now. One owner, one thread; the vault must outlive it. Listing
// is thread safe.
//
// Sources: constructions 4.11.

#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/catalogue/retention.h"
#include "crypto/vault/engine/keys/key_record.h"
#include "crypto/vault/engine/vault/vault.h"

namespace paravent::crypto::vault {

// One person for one purpose, by reference, so that they can be asked first.
struct DueSubject {
  Id handle{};
  Id subject{};
  Id tenant{};
  SubjectReference reference{};
  bool identified = false;
  std::string tenant_name;
  std::string purpose;
  DueTimes due{};
  std::optional<WallTime> disabled;
  std::optional<WallTime> held_until;
};

// Writes what the keeper is about to do, durably, before it does it.
class SubjectJournal {
 public:
  virtual ~SubjectJournal() = default;
  // disable, enable or destroy.
  virtual Status record(KeyOperation operation, std::span<const DueSubject> subjects) = 0;
};

class SubjectKeeper {
 public:
  static constexpr std::size_t kPiece = 500;

  SubjectKeeper(Vault& vault, SubjectJournal& journal) : vault_(vault), journal_(journal) {}

  // The first failure of the journal or the stores; then the next tick tries again.
  Status tick();

  // What disables itself until then, soonest first; also what is held or disabled already.
  static std::vector<DueSubject> due_before(Vault& vault, WallTime until);

 private:
  Status change(KeyOperation operation, std::span<const DueSubject> subjects, WallTime now,
                std::chrono::milliseconds running);
  Status destroy(std::span<const DueSubject> subjects);
  Result<std::vector<Id>> rows_of(const Id& subject, const std::set<Id>& ending);
  Status finish();

  Vault& vault_;
  SubjectJournal& journal_;
};

}  // namespace paravent::crypto::vault
