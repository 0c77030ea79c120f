// The blind index of one vault token context, made from the catalogue (index_jobs.h asks it).

#pragma once

#include <memory>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/keys/scope.h"
#include "crypto/vault/engine/catalogue/catalogue.h"
#include "crypto/vault/engine/rows/token_store.h"
#include "crypto/vault/engine/vault/live_contexts.h"

namespace paravent::crypto::vault {

// REQUIRES: the catalogue has a vault_token row of this key id. ErrorKind::data: the domain's key
// is missing or does not open.
Result<std::shared_ptr<const LiveToken>> live_token(const Catalogue& catalogue,
                                                    std::uint32_t key_id, Scope scope);

}  // namespace paravent::crypto::vault
