// FileKeyStore: the key store as one small file, DATA/keys/keystore, replaced whole at each change
// (durable_file.h), authenticated under the root key (key_store_image.h).
//
// The whole file is in memory. It is meant for thousands of records: subject keys, which may be
// millions, get their own place.

#pragma once

#include <filesystem>
#include <memory>

#include "crypto/vault/engine/base/durable_file.h"
#include "crypto/vault/engine/keys/key_store_image.h"

namespace paravent::crypto::vault {

inline constexpr const char* kKeyStoreFile = "keystore";  // in DATA/keys

class FileKeyStore final : public KeyStore {
 public:
  // A new store in a new file. ErrorKind::data when the file exists.
  static Result<std::unique_ptr<FileKeyStore>> create(const std::filesystem::path& path,
                                                      const Id& installation, const RootKey& root);
  // ErrorKind::data, one sentence each: missing, readable by others, truncated or altered, of a
  // newer or older version, not of this root key.
  static Result<std::unique_ptr<FileKeyStore>> open(const std::filesystem::path& path,
                                                    const RootKey& root);
  // What can be read without the root key, with the same sentences.
  static Result<KeyStoreHeader> read_header(const std::filesystem::path& path);

  const Id& installation() const noexcept override { return image_.installation; }
  std::uint64_t generation() const noexcept override { return image_.generation; }
  std::uint32_t shred_number() const noexcept override { return image_.shred_number; }
  std::optional<Bytes> get(const RecordRef& ref) const override;
  void for_each(const std::function<void(const RecordRef&, ByteView)>& visitor) const override;
  Status change_if_generation(std::uint64_t expected, const StoreChange& change) override;
  Status replace_root(std::uint64_t expected, const StoreChange& change,
                      const RootKey& next) override;
  Status read_back() const override;

 private:
  // The whole file, of a format that this version reads.
  static Result<SecretBytes> read_whole(const std::filesystem::path& path, KeyStoreHeader& header);
  FileKeyStore(std::filesystem::path path, SecretBytes mac_key, KeyStoreImage image) noexcept;
  static Status write(const std::filesystem::path& path, const SecretBytes& mac_key,
                      const KeyStoreImage& image, Existing existing);

  std::filesystem::path path_;
  SecretBytes mac_key_;
  KeyStoreImage image_;
};

}  // namespace paravent::crypto::vault
