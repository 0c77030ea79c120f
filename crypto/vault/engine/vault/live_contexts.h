// LiveContexts: the keys that resolve() needs, of all contexts bound now. An immutable snapshot:
// bind() makes the next one, the vault's threads keep the one they took for the length of one
// round.

#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "crypto/keys/protection_key.h"
#include "crypto/keys/scope.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/tokens/kind.h"
#include "crypto/vault/engine/base/id.h"
#include "crypto/vault/engine/subjects/subject_store.h"
#include "crypto/vault/engine/vault/shape_key.h"

namespace paravent::crypto::vault {

// Behind the key id of vault tokens: the blind index of (tenant, domain, space, scope), its context
// hashed; and the shapes of the domain.
// bound: its values are a data subject's each.
// before: the index's version before, while it is being moved.
struct LiveToken {
  HmacSha256 index;
  Scope scope = Scope::person;
  ShapeKey shapes;
  bool bound = false;
  std::optional<HmacSha256> before;
};

// Behind the key id of subject references: whose subjects, for which purpose. The key of the
// reference is the tenant's; `wrap` makes new subject keys.
struct LiveSubject {
  HmacSha256 reference;
  Kind kind = Kind::text;
  Id tenant{};
  Id purpose{};
  std::shared_ptr<const TenantWrap> wrap;
};

// Behind a seal key id: the vault.row key of (domain, purpose, space, epoch).
//
// noted_daily: each day's first use is noted in the row, because the purpose's retention counts
// from an event, or one that waits for consent does, or none was ever stated; or the space has no
// current key. Where it is not, all uses since the newest of the space's current epochs began say
// the same of a row that has the purpose and lies under a current key (constructions 4.1: a reuse
// restarts a clock that counts from the last contact, and brings the row under the current epoch).
struct LiveSeal {
  std::shared_ptr<const ProtectionKey> key;
  Id purpose{};
  WallTime epoch_end;
  std::uint32_t newest_epoch = 0;  // of the space: the day on which it began
  bool noted_daily = true;
};

// Of uses that say the same the same number, 24 bits; of others another one. On the day on which an
// epoch begins those before it are others than those after.
inline std::uint32_t use_number(const LiveSeal& seal, std::uint32_t today) noexcept {
  constexpr std::uint32_t kSinceEpoch = 1U << 23U;
  if (seal.noted_daily) return today << 1U | (seal.newest_epoch == today ? 1U : 0U);
  return seal.newest_epoch | kSinceEpoch;
}

struct LiveContexts {
  std::unordered_map<std::uint32_t, std::shared_ptr<const LiveToken>> tokens;
  std::unordered_map<std::uint32_t, LiveSeal> seals;
  std::unordered_map<std::uint32_t, std::shared_ptr<const LiveSubject>> subjects;
  // What opens subject keys, by the tenant's key that they are wrapped under.
  std::map<Id, std::shared_ptr<const TenantWrap>> wraps;
  // From every seal key id there ever was to the current one of the same domain, purpose and space.
  std::unordered_map<std::uint32_t, std::uint32_t> current_seal;
  // Grows whenever an index has another version.
  std::uint64_t index_generation = 0;
  // Seal key ids whose key is destroyed: a row under one of them is none any more.
  std::unordered_set<std::uint32_t> ended_seals;
};

// The published snapshot. Thread safe.
class LiveContextsCell {
 public:
  std::shared_ptr<const LiveContexts> load() const {
    const std::scoped_lock lock(mutex_);
    return current_;
  }
  void store(std::shared_ptr<const LiveContexts> next) {
    const std::scoped_lock lock(mutex_);
    current_ = std::move(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const LiveContexts> current_ = std::make_shared<const LiveContexts>();
};

}  // namespace paravent::crypto::vault
