#include "crypto/vault/engine/keys/key_tree.h"

#include <algorithm>
#include <cstdlib>

#include "crypto/primitives/random.h"
#include "crypto/vault/engine/keys/key_wrap.h"

namespace paravent::crypto::vault {
namespace {

Error does_not_open() {
  return Error(ErrorKind::data,
               "A key of the key store does not open; restore the keys folder from a key backup.");
}

Error out_of_use() { return Error(ErrorKind::sealed, "The key is disabled, compromised or over."); }

// Opening what was just wrapped: a wrap that does not open must not replace one that does.
Status verify(const KeyRecord& record, ByteView key, ByteView shred, ByteView outer) {
  SecretBytes again(kTreeKeySize);
  if (!unwrap_key(record, shred, outer, again.mutable_bytes()) ||
      !equal_constant_time(again.bytes(), key)) {
    return does_not_open();
  }
  return {};
}

}  // namespace

KeyPlace place_of(const KeyRecord& record) noexcept {
  return {record.key_class, record.tenant, record.domain, record.purpose, record.epoch};
}

KeyTree::KeyTree(const RootKey& root, const ShredSecret& shred)
    : root_wrap_(root.wrapping_key()),
      backup_key_(root.backup_key()),
      shred_wrap_(shred.wrapping_key()),
      shred_number_(shred.number()) {}

std::optional<Id> KeyTree::find(const KeyPlace& place) const {
  const auto it = places_.find(place);
  if (it == places_.end()) return std::nullopt;
  for (auto version = it->second.rbegin(); version != it->second.rend(); ++version) {
    if (!is_destroyed(records_.at(version->second).condition.state)) return version->second;
  }
  return std::nullopt;
}

std::optional<Id> KeyTree::oldest(const KeyPlace& place) const {
  for (const Id& id : versions(place)) {
    if (!is_destroyed(records_.at(id).condition.state)) return id;
  }
  return std::nullopt;
}

std::vector<Id> KeyTree::versions(const KeyPlace& place) const {
  std::vector<Id> out;
  const auto it = places_.find(place);
  if (it == places_.end()) return out;
  for (const auto& [version, id] : it->second) out.push_back(id);
  return out;
}

const KeyRecord* KeyTree::record(const Id& id) const {
  const auto it = records_.find(id);
  return it == records_.end() ? nullptr : &it->second;
}

Status KeyTree::add(const KeyRecord& record) {
  const bool known_secret =
      record.shred_number == shred_number_ || is_destroyed(record.condition.state);
  if (!known_secret || records_.contains(record.id) ||
      !places_[place_of(record)].emplace(record.version, record.id).second) {
    return Error(ErrorKind::data,
                 "Two keys of the key store claim one place; restore it from a "
                 "key backup.");
  }
  records_.emplace(record.id, record);
  return {};
}

void KeyTree::replace(const KeyRecord& record) { records_.at(record.id) = record; }

void KeyTree::clear() noexcept {
  records_.clear();
  places_.clear();
}

WallTime KeyTree::newest() const noexcept {
  return newest_but([](WallTime) { return false; });
}

std::uint32_t KeyTree::next_version(const KeyPlace& place) const {
  const auto it = places_.find(place);
  return it == places_.end() || it->second.empty() ? 1 : it->second.rbegin()->first + 1;
}

Result<SecretBytes> KeyTree::wrapping_key_under(const Id& parent) const {
  if (parent == kNoId) return root_wrap_.clone();
  const KeyRecord* found = record(parent);
  if (found == nullptr || is_destroyed(found->condition.state)) return does_not_open();
  auto key = unwrap(*found);
  if (!key) return key.error();
  return child_wrapping_key(key->bytes());
}

Result<KeyRecord> KeyTree::make(const KeyPlace& place, const Id& parent, WallTime now) {
  if (parent != kNoId && !usable(parent, KeyOperation::protect)) return out_of_use();
  auto outer = wrapping_key_under(parent);
  if (!outer) return outer.error();
  KeyRecord record{.id = random_id(),
                   .key_class = place.key_class,
                   .parent = parent,
                   .tenant = place.tenant,
                   .domain = place.domain,
                   .purpose = place.purpose,
                   .epoch = place.epoch,
                   .made = now,
                   .version = next_version(place),
                   .shred_number = shred_number_};
  record.condition.state = KeyState::pre_activation;
  record.since[0] = now;
  if (!apply(record, KeyOperation::activate, now)) std::abort();
  SecretBytes key(kTreeKeySize);
  random_bytes(key.mutable_bytes());
  wrap_key(record, key.bytes(), shred_wrap_.bytes(), outer->bytes());
  if (auto s = add(record); !s) return s.error();
  return record;
}

bool KeyTree::usable(const Id& id, KeyOperation operation) const {
  const KeyRecord* found = record(id);
  if (found == nullptr || !may_use(found->condition, operation)) return false;
  // Classes descend strictly, so this ends.
  const KeyRecord* parent = record(found->parent);
  return parent == nullptr || parent->key_class >= found->key_class ||
         usable(found->parent, operation);
}

Result<SecretBytes> KeyTree::open(const Id& id) const {
  const KeyRecord* found = record(id);
  if (found == nullptr || is_destroyed(found->condition.state)) return does_not_open();
  if (!usable(id, KeyOperation::open)) return out_of_use();
  return unwrap(*found);
}

Result<SecretBytes> KeyTree::open_kept(const Id& id) const {
  const KeyRecord* found = record(id);
  if (found == nullptr || is_destroyed(found->condition.state)) return does_not_open();
  const auto newest = find(place_of(*found));
  if (!newest || !usable(*newest, KeyOperation::open)) return out_of_use();
  return unwrap(*found);
}

Result<SecretBytes> KeyTree::unwrap(const KeyRecord& found) const {
  // A parent that is its own descendant cannot be wrapped so, but a loop must not be followed: the
  // classes descend strictly from tenant to domain to epoch.
  const KeyRecord* parent = record(found.parent);
  if (found.parent != kNoId && (parent == nullptr || parent->key_class >= found.key_class)) {
    return does_not_open();
  }
  auto outer = wrapping_key_under(found.parent);
  if (!outer) return outer.error();
  SecretBytes key(kTreeKeySize);
  if (!unwrap_key(found, shred_wrap_.bytes(), outer->bytes(), key.mutable_bytes())) {
    return does_not_open();
  }
  return key;
}

std::set<Id> KeyTree::with_descendants(std::span<const Id> ids) const {
  std::set<Id> all(ids.begin(), ids.end());
  // Three levels at most below a key, whatever the order of ids.
  for (std::size_t before = 0; before != all.size();) {
    before = all.size();
    for (const auto& [id, record] : records_) {
      if (record.parent != kNoId && all.contains(record.parent)) all.insert(id);
    }
  }
  return all;
}

std::map<Id, Id> KeyTree::superseded() const {
  std::map<Id, Id> out;
  for (const auto& [place, versions] : places_) {
    if (place.key_class != KeyClass::tenant && place.key_class != KeyClass::domain) continue;
    const auto newest = find(place);
    if (!newest) continue;
    for (const auto& [version, id] : versions) {
      if (id != *newest) out.emplace(id, *newest);
    }
  }
  return out;
}

Result<std::vector<KeyRecord>> KeyTree::renewed(const ShredSecret& next, const std::set<Id>& gone,
                                                const std::map<Id, Id>& moved) const {
  const SecretBytes shred = next.wrapping_key();
  std::vector<KeyRecord> out;
  std::map<Id, SecretBytes> outers;  // each parent is opened once
  const auto outer_of = [&](const Id& parent) -> Result<ByteView> {
    auto outer = outers.find(parent);
    if (outer == outers.end()) {
      auto made = wrapping_key_under(parent);
      if (!made) return made.error();
      outer = outers.emplace(parent, std::move(*made)).first;
    }
    return outer->second.bytes();
  };
  SecretBytes key(kTreeKeySize);
  for (const auto& [id, record] : records_) {
    if (gone.contains(id) || is_destroyed(record.condition.state)) continue;
    const auto from = outer_of(record.parent);
    if (!from) return from.error();
    if (!unwrap_key(record, shred_wrap_.bytes(), *from, key.mutable_bytes())) {
      return does_not_open();
    }
    KeyRecord fresh = record;
    fresh.shred_number = next.number();
    if (const auto to = moved.find(record.parent); to != moved.end()) fresh.parent = to->second;
    const auto under = outer_of(fresh.parent);
    if (!under) return under.error();
    wrap_key(fresh, key.bytes(), shred.bytes(), *under);
    if (auto s = verify(fresh, key.bytes(), shred.bytes(), *under); !s) return s.error();
    out.push_back(fresh);
  }
  return out;
}

Result<std::vector<KeyRecord>> KeyTree::rewrapped(const RootKey& next) const {
  const SecretBytes outer = next.wrapping_key();
  std::vector<KeyRecord> out;
  for (const auto& [id, record] : records_) {
    if (record.parent != kNoId || is_destroyed(record.condition.state)) continue;
    auto key = unwrap(record);
    if (!key) return key.error();
    KeyRecord fresh = record;
    wrap_key(fresh, key->bytes(), shred_wrap_.bytes(), outer.bytes());
    if (auto s = verify(fresh, key->bytes(), shred_wrap_.bytes(), outer.bytes()); !s) {
      return s.error();
    }
    out.push_back(fresh);
  }
  return out;
}

void KeyTree::adopt(const ShredSecret& next) {
  shred_wrap_ = next.wrapping_key();
  shred_number_ = next.number();
}

void KeyTree::adopt(const RootKey& next) {
  root_wrap_ = next.wrapping_key();
  backup_key_ = next.backup_key();
}

}  // namespace paravent::crypto::vault
