// MemoryKeyStore: a key store that forgets everything with the process: for explain and test.

#pragma once

#include "crypto/vault/engine/key_store_image.h"

namespace paravent::crypto::vault {

class MemoryKeyStore final : public KeyStore {
 public:
  explicit MemoryKeyStore(const Id& installation) { image_.installation = installation; }

  const Id& installation() const noexcept override { return image_.installation; }
  std::uint64_t generation() const noexcept override { return image_.generation; }
  std::optional<Bytes> get(const RecordRef& ref) const override;
  void for_each(const std::function<void(const RecordRef&, ByteView)>& visitor) const override;
  Status put_if_generation(std::uint64_t expected, std::span<const StoredRecord> records) override {
    return image_.put(expected, records);
  }
  Status destroy(std::uint64_t expected, std::span<const RecordRef> refs) override {
    return image_.destroy(expected, refs);
  }

 private:
  KeyStoreImage image_;
};

}  // namespace paravent::crypto::vault
