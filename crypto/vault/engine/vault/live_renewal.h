// LiveRenewal: what resolve() uses, as part of a batch in which keys of tenants give way to newer
// versions (key_renewal.h). While subject keys change from one parent to the other, both parents'
// wraps are there; and who makes subject keys afterwards makes them under the new one.
//
// REQUIRES: it takes part in front of the subject store, whose writers stand still until the store
// itself has finished: so no subject key is ever made under a version that was left.

#pragma once

#include <map>

#include "crypto/vault/engine/keys/key_renewal.h"
#include "crypto/vault/engine/vault/live_contexts.h"

namespace paravent::crypto::vault {

class LiveRenewal final : public RenewalPart {
 public:
  // The cell must outlive it. Called under the vault's lock only, which is what serialises the
  // snapshots that are made here with those of bind().
  explicit LiveRenewal(LiveContextsCell& live) noexcept : live_(live) {}
  Status prepare(const Renewal& renewal) override;
  void finish(std::uint32_t number) override;
  void cancel() override;

 private:
  LiveContextsCell& live_;
  std::map<Id, std::shared_ptr<const TenantWrap>> successors_;  // by the version that is left
};

}  // namespace paravent::crypto::vault
