// LiveContexts: the keys that resolve() needs, of all contexts bound now. An immutable snapshot:
// bind() makes the next one, the vault's threads keep the one they took for the length of one
// round.

#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "crypto/keys/protection_key.h"
#include "crypto/keys/scope.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/vault/engine/id.h"
#include "crypto/vault/engine/shape_key.h"

namespace paravent::crypto::vault {

// Behind the key id of vault tokens: the blind index of (tenant, domain, space, scope), its context
// hashed; and the shapes of the domain.
struct LiveToken {
  HmacSha256 index;
  Scope scope = Scope::person;
  ShapeKey shapes;
};

// Behind a seal key id: the vault.row key of (domain, purpose, space, epoch).
struct LiveSeal {
  ProtectionKey key;
  Id purpose{};
  WallTime epoch_end;
};

struct LiveContexts {
  std::unordered_map<std::uint32_t, std::shared_ptr<const LiveToken>> tokens;
  std::unordered_map<std::uint32_t, std::shared_ptr<const LiveSeal>> seals;
  // From every seal key id there ever was to the current one of the same domain, purpose and space.
  std::unordered_map<std::uint32_t, std::uint32_t> current_seal;
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
