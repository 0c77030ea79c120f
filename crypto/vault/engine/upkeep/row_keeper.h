// RowKeeper: what a vault does to the rows of its tokens by itself, while traffic goes on:
//
//   purge     rows whose keys are destroyed leave the store; else an old token would come back when
//             its value does
//   re-seal   rows under an older epoch or version of a key are sealed under the current one
//   re-index  the blind index moves to a new version of its key, domain by domain; until it is
//             done, values are searched under both
//
// One walk over all rows does whatever is wanted. Values are opened inside the vault and go nowhere
// else; a row that changed meanwhile is left for the next walk. Each page is durable before the
// next; what is wanted stands in the key store (row_jobs.h), so a walk that was interrupted, by a
// crash too, begins anew and finds most of its work done. Rows under a key that is out of use wait.
//
// One owner, one thread; the vault must outlive it. The wishes are thread safe.
//
// Sources: constructions 4.1 (rotation), 4.11 (shredding).

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/vault/engine/vault/vault.h"

namespace paravent::crypto::vault {

// What one walk did.
struct RowReport {
  std::uint64_t rows = 0;      // looked at
  std::uint64_t resealed = 0;  // under a newer key now
  std::uint64_t moved = 0;     // found again under the new index
  std::uint64_t removed = 0;   // their keys were destroyed
  std::uint64_t waiting = 0;   // could not be opened: a key is out of use, or the row is damaged
};

// What is wanted now.
struct RowWork {
  bool purge = false;
  bool reseal = false;
  bool reindex = false;
  bool any() const noexcept { return purge || reseal || reindex; }
};

class RowKeeper {
 public:
  explicit RowKeeper(Vault& vault) : vault_(vault) {}

  static RowWork wanted(Vault& vault);
  // Durable when it returns; the walk that follows does it.
  static Status want_reseal(Vault& vault);
  // Once more, whatever was purged before: rows of keys that are destroyed may be back. Durable.
  static Status want_purge(Vault& vault);
  // Of one domain. ErrorKind::configuration: an unknown name; busy: it is being moved already;
  // sealed: its key is out of use.
  static Status want_reindex(Vault& vault, std::string_view tenant, std::string_view domain);

  // Everything that is wanted, in one walk or, where the index moves, several. `stopped` is asked
  // between pages. nullopt: it was stopped, and everything that is wanted still is.
  // `ending` hears what was done before it counts as done: a crash in between does it again, and
  // none leaves a walk behind that nobody heard of. Fails as the store and `ending` do; then too.
  Result<std::optional<RowReport>> run(const std::function<bool()>& stopped,
                                       const std::function<Status(const RowReport&)>& ending = {});

 private:
  struct Walk;
  Result<bool> page(Walk& walk);
  Status expire_dead(Walk& walk);
  Status finish(const Walk& walk);

  Vault& vault_;
};

}  // namespace paravent::crypto::vault
