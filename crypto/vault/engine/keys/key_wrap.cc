#include "crypto/vault/engine/keys/key_wrap.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string>

#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/xchacha20_poly1305.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::string_view kInnerLabel = "shred";
constexpr std::string_view kOuterLabel = "wrap";
constexpr std::size_t kInnerSize = kTreeKeySize + kWrapOverhead;

KeyCheckValue check_value(ByteView key, const Id& id) {
  const Sha256Digest mac = HmacSha256(key).mac(as_bytes(std::string_view("kcv")), id);
  KeyCheckValue kcv{};
  std::copy_n(mac.begin(), kcv.size(), kcv.begin());
  return kcv;
}

std::string ad_of(std::string_view label, const KeyRecord& record, std::string_view binding) {
  std::string ad = wrap_ad(label, record);
  ad.append(binding);
  return ad;
}

// out = nonce | ciphertext | tag
void seal(ByteView key, std::string_view ad, ByteView plain, MutableBytes out) {
  random_bytes(out.first(kXchachaNonceSize));
  if (!xchacha20_poly1305_seal(key, out.first(kXchachaNonceSize), as_bytes(ad), plain,
                               out.subspan(kXchachaNonceSize))) {
    std::abort();  // only sizes can be wrong, and they are constants
  }
}

Status open(ByteView key, std::string_view ad, ByteView wrapped, MutableBytes out) {
  return xchacha20_poly1305_open(key, wrapped.first(kXchachaNonceSize), as_bytes(ad),
                                 wrapped.subspan(kXchachaNonceSize), out);
}

}  // namespace

SecretBytes child_wrapping_key(ByteView parent) {
  SecretBytes out(kTreeKeySize);
  constexpr std::string_view kInfo = "paravent/v1/wrap";
  if (!hkdf_expand_sha256(parent, as_bytes(kInfo), out.mutable_bytes())) std::abort();
  return out;
}

void wrap_key(KeyRecord& record, ByteView key, ByteView shred, ByteView outer,
              std::string_view binding) {
  record.check = check_value(key, record.id);
  std::array<std::uint8_t, kInnerSize> inner{};
  seal(shred, ad_of(kInnerLabel, record, binding), key, inner);
  seal(outer, ad_of(kOuterLabel, record, binding), inner, record.wrapped);
}

Status unwrap_key(const KeyRecord& record, ByteView shred, ByteView outer, MutableBytes out,
                  std::string_view binding) {
  std::array<std::uint8_t, kInnerSize> inner{};
  if (!open(outer, ad_of(kOuterLabel, record, binding), record.wrapped, inner) ||
      !open(shred, ad_of(kInnerLabel, record, binding), inner, out) ||
      !equal_constant_time(check_value(out, record.id), record.check)) {
    wipe(out);
    return Error(ErrorKind::malformed);
  }
  return {};
}

}  // namespace paravent::crypto::vault
