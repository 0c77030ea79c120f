// MemoryKeyStore: a key store that forgets everything with the process: for explain and test.

#pragma once

#include "crypto/vault/engine/keys/key_store_image.h"

namespace paravent::crypto::vault {

class MemoryKeyStore final : public KeyStore {
 public:
  explicit MemoryKeyStore(const Id& installation) { image_.installation = installation; }

  const Id& installation() const noexcept override { return image_.installation; }
  std::uint64_t generation() const noexcept override { return image_.generation; }
  std::uint32_t shred_number() const noexcept override { return image_.shred_number; }
  std::optional<Bytes> get(const RecordRef& ref) const override;
  void for_each(const std::function<void(const RecordRef&, ByteView)>& visitor) const override;
  Status change_if_generation(std::uint64_t expected, const StoreChange& change) override {
    return image_.apply(expected, change);
  }
  Status replace_root(std::uint64_t expected, const StoreChange& change,
                      const RootKey& /*next*/) override {
    return image_.apply(expected, change);
  }
  Status read_back() const override { return {}; }

 private:
  KeyStoreImage image_;
};

}  // namespace paravent::crypto::vault
