#include "crypto/vault/engine/keys/root_key.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

#include "crypto/base/encoding.h"
#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/random.h"
#include "crypto/vault/engine/base/durable_file.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::string_view kLabel = "paravent-root-key-v1 ";
constexpr std::size_t kKeySize = 32;
constexpr std::size_t kCheckSize = 4;
constexpr std::size_t kTextSize = 48;  // base64url of 36 bytes, no spare bits
constexpr std::size_t kFileSize = kLabel.size() + kTextSize + 1;

// A check, not a secret: it lies in the key file beside the key itself.
Bytes check_of(ByteView key) {
  const Sha256Digest mac = hmac_sha256(key, as_bytes(kLabel));
  return {mac.begin(), mac.begin() + kCheckSize};
}

SecretBytes expand(ByteView key, std::string_view info) {
  SecretBytes out(kKeySize);
  if (!hkdf_expand_sha256(key, as_bytes(info), out.mutable_bytes())) std::abort();
  return out;
}

}  // namespace

Result<RootKey> RootKey::parse(std::string_view text) {
  if (text.size() != kFileSize || !text.starts_with(kLabel) || text.back() != '\n') {
    return Error(ErrorKind::malformed);
  }
  auto decoded = from_base64url(text.substr(kLabel.size(), kTextSize));
  if (!decoded || decoded->size() != kKeySize + kCheckSize) return Error(ErrorKind::malformed);
  const ByteView all(*decoded);
  RootKey root(SecretBytes::copy_of(all.first(kKeySize)));
  const bool good = equal_constant_time(all.subspan(kKeySize), check_of(all.first(kKeySize)));
  wipe(MutableBytes(*decoded));
  if (!good) return Error(ErrorKind::malformed);
  return root;
}

SecretBytes RootKey::file_text() const {
  SecretBytes joined(kKeySize + kCheckSize);
  const Bytes check = check_of(key_.bytes());
  std::copy_n(key_.bytes().begin(), kKeySize, joined.mutable_bytes().begin());
  std::copy_n(check.begin(), kCheckSize, joined.mutable_bytes().subspan(kKeySize).begin());
  std::string text;
  text.reserve(kFileSize);  // one buffer, so that growing it leaves no copy of the key behind
  text.append(kLabel);
  append_base64url(text, joined.bytes());
  text.push_back('\n');
  SecretBytes out = SecretBytes::copy_of(text);
  wipe(text);
  return out;
}

Result<RootKey> RootKey::read(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return Error(ErrorKind::data,
                 "The root key file " + path.string() +
                     " is missing; name it with --root-key or --config where it lies elsewhere, or "
                     "put it back from your copy.");
  }
  if (auto s = check_private(path); !s) return s.error();
  auto bytes = read_file(path, 4096);
  if (!bytes) return bytes.error();
  const std::string_view text = as_text(bytes->bytes());
  if (text.size() < kFileSize && text.substr(0, kLabel.size()) == kLabel.substr(0, text.size())) {
    return Error(ErrorKind::data, "The root key file " + path.string() +
                                      " is truncated; put it back from your copy.");
  }
  auto root = parse(text);
  if (!root) {
    return Error(ErrorKind::data, "The root key file " + path.string() +
                                      " is altered or is no root key; put it back from your copy.");
  }
  return root;
}

Result<RootKey> RootKey::create(const std::filesystem::path& path) {
  RootKey root = ephemeral();
  if (auto s = make_folder_of(path); !s) return s.error();
  const SecretBytes text = root.file_text();
  if (auto s = write_file_durably(path, text.bytes(), Existing::refuse); !s) return s.error();
  return root;
}

Result<RootKey> RootKey::obtain(const std::filesystem::path& path, bool data_initialised) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) return read(path);
  if (!data_initialised) return create(path);
  return Error(ErrorKind::data,
               "The root key file " + path.string() +
                   " is missing, and only that key opens the existing data; name it with "
                   "--root-key or --config where it lies elsewhere, or put it back from your copy "
                   "(a new one would not help and is not made).");
}

RootKey RootKey::ephemeral() {
  SecretBytes key(kKeySize);
  random_bytes(key.mutable_bytes());
  return RootKey(std::move(key));
}

Result<RootKey> RootKey::from_bytes(SecretBytes key) {
  if (key.size() != kKeySize) return Error(ErrorKind::malformed);
  return RootKey(std::move(key));
}

KeyCheckValue RootKey::check_value(const Id& installation) const {
  const Sha256Digest mac =
      HmacSha256(key_.bytes()).mac(as_bytes(std::string_view("kcv")), installation);
  KeyCheckValue kcv{};
  std::copy_n(mac.begin(), kcv.size(), kcv.begin());
  return kcv;
}

SecretBytes RootKey::wrapping_key() const { return expand(key_.bytes(), "paravent/v1/root.wrap"); }

SecretBytes RootKey::backup_key() const { return expand(key_.bytes(), "paravent/v1/backup"); }

SecretBytes RootKey::key_store_mac_key() const {
  return expand(key_.bytes(), "paravent/v1/keystore.mac");
}

}  // namespace paravent::crypto::vault
