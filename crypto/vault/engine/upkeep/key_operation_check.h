// Whether an operation on a key is possible, and the refusals that say why not. Internal to
// KeyAdmin; the caller has the vault's lock.

#pragma once

#include <string>
#include <utility>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/catalogue/catalogue.h"

namespace paravent::crypto::vault {

inline Error refused(std::string sentence) {
  return Error(ErrorKind::refused, std::move(sentence));
}

// KeyAdmin::check().
Status check_operation(const Catalogue& catalogue, const Id& key, KeyOperation operation,
                       WallTime now);

}  // namespace paravent::crypto::vault
