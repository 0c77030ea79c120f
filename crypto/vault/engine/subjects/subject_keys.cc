#include "crypto/vault/engine/subjects/subject_keys.h"

#include <utility>

#include "crypto/keys/key_use.h"

namespace paravent::crypto::vault {

Result<HmacSha256> subject_reference_key(const Catalogue& catalogue, const Id& tenant) {
  const auto oldest = catalogue.keys().oldest({.key_class = KeyClass::tenant, .tenant = tenant});
  if (!oldest) return Error(ErrorKind::data, "The key of a tenant is missing.");
  ContextRow row;
  row.tenant_id = id_text(tenant);
  row.algorithm = Algorithm::subject_reference;
  const auto parent = catalogue.keys().open_kept(*oldest);
  if (!parent) return parent.error();
  const SecretBytes key = derive_use_key(parent->bytes(), KeyUse::prf_subject, context_string(row));
  return HmacSha256(key.bytes());
}

Result<TenantWrap> tenant_wrap(const Catalogue& catalogue, const Id& tenant, const Id& tenant_key) {
  auto outer = catalogue.keys().wrapping_key_under(tenant_key);
  if (!outer) return outer.error();
  return TenantWrap{tenant, tenant_key, std::move(*outer)};
}

}  // namespace paravent::crypto::vault
