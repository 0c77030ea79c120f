#include "crypto/vault/engine/id.h"

#include "crypto/base/encoding.h"
#include "crypto/primitives/random.h"

namespace paravent::crypto::vault {

Id random_id() {
  Id id{};
  do {
    random_bytes(id);
  } while (id == kNoId);
  return id;
}

std::string id_hex(const Id& id) { return to_hex(id); }

}  // namespace paravent::crypto::vault
