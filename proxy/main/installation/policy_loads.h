// What a set of policies would put in force, tenant by tenant, for PolicyConsent.

#pragma once

#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/primitives/sha256.h"
#include "crypto/vault/engine/vault/vault.h"
#include "proxy/admin/grants/policy_consent.h"
#include "proxy/main/installation/policy_set.h"

namespace paravent::proxy::main {

// `set` must outlive the answer. REQUIRES: its names were admitted.
inline std::vector<admin::PolicyConsent::Load> loads_of(const PolicySet& set,
                                                        const crypto::vault::Vault& vault) {
  std::vector<admin::PolicyConsent::Load> loads;
  for (std::size_t i = 0; i < set.policies.size(); ++i) {
    const auto id = vault.tenant_id(set.policies[i].tenant.value);
    loads.push_back({id.value_or(crypto::vault::kNoId), &set.policies[i],
                     crypto::to_hex(crypto::sha256(crypto::as_bytes(set.sources[i].text)))});
  }
  return loads;
}

}  // namespace paravent::proxy::main
