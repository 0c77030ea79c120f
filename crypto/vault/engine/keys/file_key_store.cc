#include "crypto/vault/engine/keys/file_key_store.h"

#include <string>
#include <system_error>
#include <utility>

#include "crypto/primitives/hmac_sha256.h"
#include "crypto/vault/engine/base/durable_file.h"

namespace paravent::crypto::vault {
namespace {

Error altered(const std::filesystem::path& path) {
  return Error(ErrorKind::data, "The key store " + path.string() +
                                    " is truncated or altered; restore it from a key backup.");
}

}  // namespace

FileKeyStore::FileKeyStore(std::filesystem::path path, SecretBytes mac_key,
                           KeyStoreImage image) noexcept
    : path_(std::move(path)), mac_key_(std::move(mac_key)), image_(std::move(image)) {}

Result<std::unique_ptr<FileKeyStore>> FileKeyStore::create(const std::filesystem::path& path,
                                                           const Id& installation,
                                                           const RootKey& root) {
  KeyStoreImage image;
  image.installation = installation;
  image.root_check = root.check_value(installation);
  SecretBytes mac_key = root.key_store_mac_key();
  if (auto s = write(path, mac_key, image, Existing::refuse); !s) return s.error();
  return std::unique_ptr<FileKeyStore>(
      new FileKeyStore(path, std::move(mac_key), std::move(image)));
}

Result<SecretBytes> FileKeyStore::read_whole(const std::filesystem::path& path,
                                             KeyStoreHeader& header) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return Error(ErrorKind::data, "The key store " + path.string() +
                                      " is missing, and nothing opens without it; restore it from "
                                      "a key backup.");
  }
  if (auto s = check_private(path); !s) return s.error();
  auto file = read_file(path, kMaxKeyStoreSize);
  if (!file) return file.error();
  const auto parsed = parse_key_store_header(file->bytes());
  if (!parsed || parsed->format == 0) return altered(path);
  if (parsed->format < kKeyStoreFormat) {
    return Error(ErrorKind::data, "The key store " + path.string() +
                                      " was written by a version of paravent before the first "
                                      "release; make a new vault with: paravent init.");
  }
  if (parsed->format > kKeyStoreFormat) {
    return Error(ErrorKind::data, "The key store " + path.string() +
                                      " was written by a newer version of paravent; install that "
                                      "version.");
  }
  header = *parsed;
  return file;
}

Result<KeyStoreHeader> FileKeyStore::read_header(const std::filesystem::path& path) {
  KeyStoreHeader header;
  if (auto file = read_whole(path, header); !file) return file.error();
  return header;
}

Result<std::unique_ptr<FileKeyStore>> FileKeyStore::open(const std::filesystem::path& path,
                                                         const RootKey& root) {
  KeyStoreHeader header;
  const auto file = read_whole(path, header);
  if (!file) return file.error();
  // Before anything is decrypted, so that a mistaken key gets a plain sentence.
  if (!equal_constant_time(root.check_value(header.installation), header.root_check)) {
    return Error(ErrorKind::data, "The root key is not the one that " + path.string() +
                                      " was made with; name the right one with --root-key.");
  }
  if (file->size() < kKeyStoreHeaderSize + kKeyStoreMacSize) return altered(path);
  const ByteView body = file->bytes().first(file->size() - kKeyStoreMacSize);
  SecretBytes mac_key = root.key_store_mac_key();
  if (!equal_constant_time(hmac_sha256(mac_key.bytes(), body),
                           file->bytes().last(kKeyStoreMacSize))) {
    return altered(path);
  }
  auto image = parse_key_store(body);
  if (!image) return altered(path);
  return std::unique_ptr<FileKeyStore>(
      new FileKeyStore(path, std::move(mac_key), std::move(*image)));
}

std::optional<Bytes> FileKeyStore::get(const RecordRef& ref) const {
  const auto it = image_.records.find(ref);
  if (it == image_.records.end()) return std::nullopt;
  return it->second;
}

void FileKeyStore::for_each(const std::function<void(const RecordRef&, ByteView)>& visitor) const {
  for (const auto& [ref, payload] : image_.records) visitor(ref, payload);
}

Status FileKeyStore::change_if_generation(std::uint64_t expected, const StoreChange& change) {
  KeyStoreImage next = image_;
  if (auto s = next.apply(expected, change); !s) return s;
  if (auto s = write(path_, mac_key_, next, Existing::replace); !s) return s;
  image_ = std::move(next);
  return {};
}

Status FileKeyStore::replace_root(std::uint64_t expected, const StoreChange& change,
                                  const RootKey& next_root) {
  KeyStoreImage next = image_;
  if (auto s = next.apply(expected, change); !s) return s;
  next.root_check = next_root.check_value(next.installation);
  SecretBytes mac_key = next_root.key_store_mac_key();
  if (auto s = write(path_, mac_key, next, Existing::replace); !s) return s;
  image_ = std::move(next);
  mac_key_ = std::move(mac_key);
  return {};
}

Status FileKeyStore::read_back() const {
  auto file = read_file(path_, kMaxKeyStoreSize);
  if (!file) return file.error();
  if (file->size() < kKeyStoreMacSize) return altered(path_);
  const Bytes expected = encode_key_store(image_);
  const ByteView body = file->bytes().first(file->size() - kKeyStoreMacSize);
  if (as_text(body) != as_text(expected) ||
      !equal_constant_time(hmac_sha256(mac_key_.bytes(), body),
                           file->bytes().last(kKeyStoreMacSize))) {
    return altered(path_);
  }
  return {};
}

Status FileKeyStore::write(const std::filesystem::path& path, const SecretBytes& mac_key,
                           const KeyStoreImage& image, Existing existing) {
  Bytes file = encode_key_store(image);
  const Sha256Digest mac = hmac_sha256(mac_key.bytes(), file);
  file.insert(file.end(), mac.begin(), mac.end());
  return write_file_durably(path, file, existing);
}

}  // namespace paravent::crypto::vault
