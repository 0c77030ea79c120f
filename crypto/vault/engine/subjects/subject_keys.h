// What of the key tree a tenant's subjects hang on. REQUIRES: the catalogue's lock is held.

#pragma once

#include "crypto/base/result.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/vault/engine/catalogue/catalogue.h"
#include "crypto/vault/engine/subjects/subject_store.h"

namespace paravent::crypto::vault {

// prf.subject of a tenant, from the oldest version of the tenant's key: one for all purposes, and
// the same for ever, because the value that a reference was made of is kept nowhere.
// ErrorKind::data, sealed: the key does not open.
Result<HmacSha256> subject_reference_key(const Catalogue& catalogue, const Id& tenant);

// What its subject keys are wrapped under.
Result<TenantWrap> tenant_wrap(const Catalogue& catalogue, const Id& tenant, const Id& tenant_key);

}  // namespace paravent::crypto::vault
