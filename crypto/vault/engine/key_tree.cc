#include "crypto/vault/engine/key_tree.h"

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

// out = nonce | ciphertext | tag
void wrap(ByteView key, std::string_view ad, ByteView plain, MutableBytes out) {
  random_bytes(out.first(kXchachaNonceSize));
  if (!xchacha20_poly1305_seal(key, out.first(kXchachaNonceSize), as_bytes(ad), plain,
                               out.subspan(kXchachaNonceSize))) {
    std::abort();  // only sizes can be wrong, and they are constants
  }
}

Status unwrap(ByteView key, std::string_view ad, ByteView wrapped, MutableBytes out) {
  return xchacha20_poly1305_open(key, wrapped.first(kXchachaNonceSize), as_bytes(ad),
                                 wrapped.subspan(kXchachaNonceSize), out);
}

Error does_not_open() {
  return Error(ErrorKind::data,
               "A key of the key store does not open; restore the keys folder from a key backup.");
}

}  // namespace

KeyTree::KeyTree(const RootKey& root, const ShredSecret& shred)
    : root_wrap_(root.wrapping_key()),
      shred_wrap_(shred.wrapping_key()),
      shred_number_(shred.number()) {}

std::optional<Id> KeyTree::find(const KeyPlace& place) const {
  const auto it = places_.find(place);
  if (it == places_.end()) return std::nullopt;
  return it->second;
}

const KeyRecord* KeyTree::record(const Id& id) const {
  const auto it = records_.find(id);
  return it == records_.end() ? nullptr : &it->second;
}

Status KeyTree::add(const KeyRecord& record) {
  const KeyPlace place{record.key_class, record.tenant, record.domain, record.purpose,
                       record.epoch};
  if (records_.contains(record.id) || !places_.emplace(place, record.id).second) {
    return Error(ErrorKind::data,
                 "Two keys of the key store claim one place; restore it from a "
                 "key backup.");
  }
  records_.emplace(record.id, record);
  newest_ = std::max(newest_, record.made);
  return {};
}

void KeyTree::clear() noexcept {
  records_.clear();
  places_.clear();
  newest_ = WallTime::min();
}

Result<SecretBytes> KeyTree::outer_key(const Id& parent) const {
  if (parent == kNoId) return root_wrap_.clone();
  auto key = open(parent);
  if (!key) return key.error();
  // Not the parent itself: a domain key is also the parent of use keys, and one key has one use.
  SecretBytes out(kTreeKeySize);
  constexpr std::string_view kInfo = "paravent/v1/wrap";
  if (!hkdf_expand_sha256(key->bytes(), as_bytes(kInfo), out.mutable_bytes())) std::abort();
  return out;
}

Result<KeyRecord> KeyTree::make(const KeyPlace& place, const Id& parent, WallTime now) {
  auto outer = outer_key(parent);
  if (!outer) return outer.error();
  KeyRecord record{.id = random_id(),
                   .key_class = place.key_class,
                   .parent = parent,
                   .tenant = place.tenant,
                   .domain = place.domain,
                   .purpose = place.purpose,
                   .epoch = place.epoch,
                   .made = now,
                   .shred_number = shred_number_};
  SecretBytes key(kTreeKeySize);
  random_bytes(key.mutable_bytes());
  record.check = check_value(key.bytes(), record.id);
  std::array<std::uint8_t, kInnerSize> inner{};
  wrap(shred_wrap_.bytes(), wrap_ad(kInnerLabel, record), key.bytes(), inner);
  wrap(outer->bytes(), wrap_ad(kOuterLabel, record), inner, record.wrapped);
  if (auto s = add(record); !s) return s.error();
  return record;
}

Result<SecretBytes> KeyTree::open(const Id& id) const {
  const KeyRecord* found = record(id);
  if (found == nullptr) return does_not_open();
  // A parent that is its own descendant cannot be wrapped so, but a loop must not be followed: the
  // classes descend strictly from tenant to domain to epoch.
  const KeyRecord* parent = record(found->parent);
  if (found->parent != kNoId && (parent == nullptr || parent->key_class >= found->key_class)) {
    return does_not_open();
  }
  auto outer = outer_key(found->parent);
  if (!outer) return outer.error();
  std::array<std::uint8_t, kInnerSize> inner{};
  SecretBytes key(kTreeKeySize);
  if (!unwrap(outer->bytes(), wrap_ad(kOuterLabel, *found), found->wrapped, inner) ||
      !unwrap(shred_wrap_.bytes(), wrap_ad(kInnerLabel, *found), inner, key.mutable_bytes()) ||
      !equal_constant_time(check_value(key.bytes(), id), found->check)) {
    return does_not_open();
  }
  return key;
}

}  // namespace paravent::crypto::vault
