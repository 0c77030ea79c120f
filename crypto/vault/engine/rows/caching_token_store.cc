#include "crypto/vault/engine/rows/caching_token_store.h"

namespace paravent::crypto::vault {

Status CachingTokenStore::remove(std::span<const Id> ids) {
  const KnownTokens::Pause pause(known_);
  return store_->remove(ids);
}

Status CachingTokenStore::drop_index(std::span<const IndexKey> keys) {
  const KnownTokens::Pause pause(known_);
  return store_->drop_index(keys);
}

}  // namespace paravent::crypto::vault
