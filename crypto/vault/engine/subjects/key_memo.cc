#include "crypto/vault/engine/subjects/key_memo.h"

#include <utility>

#include "crypto/vault/engine/subjects/subject_keys.h"

namespace paravent::crypto::vault {

Result<const ProtectionKey*> KeyMemo::key(const Catalogue& catalogue, const ContextRecord& record) {
  const auto known = keys_.find(record.row.key_id);
  if (known != keys_.end()) return &known->second;
  SecretBytes parent;
  if (record.parent != kNoId) {
    auto opened = catalogue.keys().open(record.parent);
    if (!opened) return opened.error();
    parent = std::move(*opened);
  }
  auto made = make_protection_key(record.row, parent.bytes());
  if (!made) return made.error();
  return &keys_.emplace(record.row.key_id, std::move(*made)).first->second;
}

Result<const TenantWrap*> KeyMemo::wrap(const Catalogue& catalogue, const Id& tenant,
                                        const Id& tenant_key) {
  const auto known = wraps_.find(tenant_key);
  if (known != wraps_.end() && known->second.tenant == tenant) return &known->second;
  auto made = tenant_wrap(catalogue, tenant, tenant_key);
  if (!made) return made.error();
  return &wraps_.insert_or_assign(tenant_key, std::move(*made)).first->second;
}

}  // namespace paravent::crypto::vault
