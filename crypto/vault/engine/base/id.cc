#include "crypto/vault/engine/base/id.h"

#include "crypto/base/encoding.h"
#include "crypto/primitives/random.h"

namespace paravent::crypto::vault {

namespace {

template <typename Fill>
Id random_id_by(Fill fill) {
  Id id{};
  do {
    fill(id);
  } while (id == kNoId);
  return id;
}

}  // namespace

Id random_id() {
  return random_id_by([](Id& id) { random_bytes(id); });
}

Id random_id(RandomBuffer& random) {
  return random_id_by([&](Id& id) { random.fill(id); });
}

std::string id_hex(const Id& id) { return to_hex(id); }

}  // namespace paravent::crypto::vault
