#include "crypto/vault/engine/keys/memory_key_store.h"

namespace paravent::crypto::vault {

std::optional<Bytes> MemoryKeyStore::get(const RecordRef& ref) const {
  const auto it = image_.records.find(ref);
  if (it == image_.records.end()) return std::nullopt;
  return it->second;
}

void MemoryKeyStore::for_each(
    const std::function<void(const RecordRef&, ByteView)>& visitor) const {
  for (const auto& [ref, payload] : image_.records) visitor(ref, payload);
}

}  // namespace paravent::crypto::vault
