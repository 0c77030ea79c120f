// RetentionKeeper: ends keys on time (constructions 4.11). A key whose epoch is over protects no
// more; one that is due is disabled, and destroyed after 72 hours of running time, before its
// limit.
//
// tick() does everything that is due now; the gateway calls it from a thread of its own, every
// minute or so, and tests with clocks of their own. Running time is what a monotonic clock counted
// while a keeper ran, and is kept with the keys, so that neither a restart nor the wall clock makes
// the 72 hours shorter. A wall clock that jumps by more than a day against the monotonic one while
// the keeper runs, or lies more than a day behind what was seen before a restart or the newest key,
// freezes destruction, as a shortened retention does, until KeyAdmin::confirm().
//
// One owner, one thread; the vault must outlive it.

#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/upkeep/key_admin.h"

namespace paravent::crypto::vault {

// Writes what the keeper is about to do, durably, before it does it.
class KeeperJournal {
 public:
  virtual ~KeeperJournal() = default;
  virtual Status record(KeyOperation operation, std::span<const KeyInfo> keys) = 0;
  virtual Status record_freeze(Freeze cause) = 0;
};

class RetentionKeeper {
 public:
  RetentionKeeper(Vault& vault, const MonotonicClock& monotonic, KeeperJournal& journal)
      : vault_(vault), monotonic_(monotonic), journal_(journal) {}

  // Fails as the journal or the key store does; then the next tick tries again.
  Status tick();

 private:
  // What is to be done now.
  struct Plan {
    std::vector<KeyInfo> deactivate;
    std::vector<KeyInfo> disable;
    std::vector<KeyInfo> guard;    // due, and out of use already: its 72 hours begin
    std::vector<KeyInfo> unguard;  // not due any more
    std::vector<KeyInfo> destroy;
  };

  Status keep_time(WallTime now, const KeeperRecord& keeper);
  Status store(WallTime now, bool freeze);
  Plan plan(WallTime now) const;
  Status change(const Plan& plan, WallTime now);
  Status destroy(std::span<const KeyInfo> keys, WallTime now);

  Vault& vault_;
  const MonotonicClock& monotonic_;
  KeeperJournal& journal_;
  std::optional<MonotonicTime> last_tick_;
  WallTime last_wall_{};
  bool jumped_ = false;                  // seen, and not stored yet
  std::chrono::milliseconds running_{};  // as of the last tick; stored less often
  std::chrono::milliseconds stored_{};
};

}  // namespace paravent::crypto::vault
