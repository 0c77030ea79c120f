// KeyMemo: the keys that one request has opened, so that a batch of values under a few keys opens
// each once.
//
// Whether a key may still be used is asked each time; only the unwrapping is remembered. Belongs to
// one request and is used by one thread; gone with it, and the keys are wiped. The vault must
// outlive it.

#pragma once

#include <cstdint>
#include <map>

#include "crypto/base/result.h"
#include "crypto/keys/protection_key.h"
#include "crypto/vault/engine/catalogue/catalogue.h"
#include "crypto/vault/engine/subjects/subject_store.h"

namespace paravent::crypto::vault {

class KeyMemo {
 public:
  KeyMemo() = default;
  KeyMemo(const KeyMemo&) = delete;
  KeyMemo& operator=(const KeyMemo&) = delete;

  // The key of a context row that may open. REQUIRES: the catalogue's lock is held, and the caller
  // has found `record` usable. Valid as long as the memo.
  Result<const ProtectionKey*> key(const Catalogue& catalogue, const ContextRecord& record);
  // What a tenant's subject keys are wrapped under. REQUIRES: as above, of the tenant's key.
  Result<const TenantWrap*> wrap(const Catalogue& catalogue, const Id& tenant,
                                 const Id& tenant_key);

  // How many were opened.
  std::size_t size() const noexcept { return keys_.size() + wraps_.size(); }

 private:
  std::map<std::uint32_t, ProtectionKey> keys_;  // by key id
  std::map<Id, TenantWrap> wraps_;               // by the tenant's key
};

}  // namespace paravent::crypto::vault
