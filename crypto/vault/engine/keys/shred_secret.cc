#include "crypto/vault/engine/keys/shred_secret.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <system_error>

#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/random.h"
#include "crypto/vault/engine/base/byte_reader.h"
#include "crypto/vault/engine/base/durable_file.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::string_view kMagic = "PVTSHRD1";
constexpr std::size_t kSecretSize = 32;
constexpr std::size_t kCheckSize = 8;
constexpr std::size_t kSecretAt = 8 + 16 + 4;
constexpr std::size_t kBodySize = kSecretAt + kSecretSize + 2;
constexpr std::size_t kFileSize = kBodySize + kCheckSize;

}  // namespace

ShredSecret ShredSecret::random_with(std::uint32_t number) {
  SecretBytes secret(kSecretSize);
  random_bytes(secret.mutable_bytes());
  return {number, std::move(secret)};
}

Result<ShredSecret> ShredSecret::create(const std::filesystem::path& path, const Id& installation) {
  ShredSecret made = random();
  if (auto s = made.write(path, installation, Existing::refuse); !s) return s.error();
  return made;
}

Status ShredSecret::write(const std::filesystem::path& path, const Id& installation,
                          Existing existing) const {
  SecretBytes file(kFileSize);
  const MutableBytes out = file.mutable_bytes();
  const ByteView magic = as_bytes(kMagic);
  std::copy(magic.begin(), magic.end(), out.begin());
  std::copy(installation.begin(), installation.end(), out.subspan(8).begin());
  store_u32be(out.subspan(24).data(), number_);
  std::copy_n(secret_.bytes().begin(), kSecretSize, out.subspan(kSecretAt).begin());
  const Sha256Digest check = hmac_sha256(secret_.bytes(), file.bytes().first(kBodySize));
  std::copy_n(check.begin(), kCheckSize, out.subspan(kBodySize).begin());
  return write_file_durably(path, file.bytes(), existing);
}

Result<ShredSecret> ShredSecret::read(const std::filesystem::path& path, const Id& installation) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return Error(ErrorKind::data, "The shred secret " + path.string() +
                                      " is missing, and no key opens without it; restore it from "
                                      "a key backup.");
  }
  if (auto s = check_private(path); !s) return s.error();
  auto file = read_file(path, 4096);
  if (!file) return file.error();
  ByteReader in(file->bytes());
  const bool magic = as_text(in.take(kMagic.size())) == kMagic;
  const Id owner = in.id();
  const std::uint32_t number = in.u32();
  SecretBytes secret = SecretBytes::copy_of(in.take(kSecretSize));
  const std::uint16_t zero = in.u16();
  const ByteView check = in.take(kCheckSize);
  if (!in.done() || !magic || zero != 0 ||
      !equal_constant_time(
          ByteView(hmac_sha256(secret.bytes(), file->bytes().first(kBodySize))).first(kCheckSize),
          check)) {
    return Error(ErrorKind::data, "The shred secret " + path.string() +
                                      " is truncated or altered; restore it from a key backup.");
  }
  if (owner != installation) {
    return Error(ErrorKind::data, "The shred secret " + path.string() +
                                      " belongs to another installation; restore this one's from "
                                      "a key backup.");
  }
  return ShredSecret(number, std::move(secret));
}

SecretBytes ShredSecret::wrapping_key() const {
  SecretBytes out(kSecretSize);
  constexpr std::string_view kInfo = "paravent/v1/shred.wrap";
  if (!hkdf_expand_sha256(secret_.bytes(), as_bytes(kInfo), out.mutable_bytes())) std::abort();
  return out;
}

}  // namespace paravent::crypto::vault
