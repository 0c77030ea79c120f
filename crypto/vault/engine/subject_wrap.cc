#include "crypto/vault/engine/subject_wrap.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/random.h"
#include "crypto/primitives/xchacha20_poly1305.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::string_view kInner = "shred.subject";
constexpr std::string_view kOuter = "wrap.subject";
constexpr std::size_t kInnerSize = kTreeKeySize + kWrapOverhead;

std::string ad_of(std::string_view label, const SubjectKeyMade& made, const Id& tenant) {
  std::string ad(label);
  append_lp(ad, id_text(made.parent));
  append_lp(ad, id_text(made.handle));
  append_lp(ad, id_text(made.purpose));
  append_lp(ad, id_text(tenant));
  append_u64be(ad, static_cast<std::uint64_t>(made.made.time_since_epoch().count()));
  append_u8(ad, static_cast<std::uint8_t>(KeyClass::subject));
  append_lp(ad, id_text(made.subject));
  append_u32be(ad, made.created_day);
  append_u32be(ad, made.shred_number);
  return ad;
}

KeyCheckValue check_of(ByteView key, const Id& handle) {
  const Sha256Digest mac = HmacSha256(key).mac(as_bytes(std::string_view("kcv")), handle);
  KeyCheckValue check{};
  std::copy_n(mac.begin(), check.size(), check.begin());
  return check;
}

void seal(ByteView key, const std::string& ad, ByteView plain, MutableBytes out) {
  random_bytes(out.first(kXchachaNonceSize));
  if (!xchacha20_poly1305_seal(key, out.first(kXchachaNonceSize), as_bytes(ad), plain,
                               out.subspan(kXchachaNonceSize))) {
    std::abort();  // only sizes can be wrong, and they are constants
  }
}

bool open(ByteView key, const std::string& ad, ByteView wrapped, MutableBytes out) {
  return xchacha20_poly1305_open(key, wrapped.first(kXchachaNonceSize), as_bytes(ad),
                                 wrapped.subspan(kXchachaNonceSize), out)
      .has_value();
}

}  // namespace

SecretBytes subject_wrapping_key(ByteView tenant_key) {
  SecretBytes out(kTreeKeySize);
  constexpr std::string_view kInfo = "paravent/v1/wrap.subject";
  if (!hkdf_expand_sha256(tenant_key, as_bytes(kInfo), out.mutable_bytes())) std::abort();
  return out;
}

void wrap_subject_key(SubjectKeyMade& made, const Id& tenant, ByteView key, ByteView shred_wrap,
                      ByteView outer) {
  if (key.size() != kTreeKeySize) std::abort();
  made.check = check_of(key, made.handle);
  std::array<std::uint8_t, kInnerSize> inner{};
  seal(shred_wrap, ad_of(kInner, made, tenant), key, inner);
  seal(outer, ad_of(kOuter, made, tenant), inner, made.wrapped);
}

Status unwrap_subject_key(const SubjectKeyMade& made, const Id& tenant, ByteView shred_wrap,
                          ByteView outer, MutableBytes key) {
  std::array<std::uint8_t, kInnerSize> inner{};
  if (open(outer, ad_of(kOuter, made, tenant), made.wrapped, inner) &&
      open(shred_wrap, ad_of(kInner, made, tenant), inner, key) &&
      equal_constant_time(check_of(key, made.handle), made.check)) {
    return {};
  }
  wipe(key);
  return Error(ErrorKind::data);
}

}  // namespace paravent::crypto::vault
