#include "crypto/vault/engine/catalogue/tenant_contexts.h"

#include <algorithm>

namespace paravent::crypto::vault {
namespace {

bool is_before(const std::pair<std::uint32_t, const ContextRecord*>& row, std::uint32_t key_id) {
  return row.first < key_id;
}

}  // namespace

void TenantContexts::add(const ContextRecord& record) {
  Rows& rows = tenants_[id_from(record.row.tenant_id)];
  const std::uint32_t key_id = record.row.key_id;
  const auto at = std::lower_bound(rows.by_key_id.begin(), rows.by_key_id.end(), key_id, is_before);
  rows.by_key_id.insert(at, {key_id, &record});
  rows.stand_ins.insert_or_assign(record.row.algorithm, &record);
}

TenantContexts::Found TenantContexts::find(const Id& tenant, std::uint32_t key_id,
                                           Algorithm algorithm) const {
  const auto it = tenants_.find(tenant);
  if (it == tenants_.end()) return {};
  const Rows& rows = it->second;
  // Both are looked for, whichever it will be.
  const auto stand_in = rows.stand_ins.find(algorithm);
  const auto at = std::lower_bound(rows.by_key_id.begin(), rows.by_key_id.end(), key_id, is_before);
  Found found;
  found.own = at != rows.by_key_id.end() && at->first == key_id;
  if (stand_in != rows.stand_ins.end()) found.record = stand_in->second;
  if (found.own) found.record = at->second;
  return found;
}

}  // namespace paravent::crypto::vault
