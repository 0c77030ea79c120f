// KeyTree: makes, wraps and opens the random keys of the tree (constructions 4.0): root, then
// tenant, then domain, then epoch; audit keys hang on the root. Holds the wrapping keys of root and
// shred secret and the wrapped records; a clear tree key exists only while the caller uses it.
//
// Not thread safe; the catalogue serialises and persists.

#pragma once

#include <map>
#include <optional>
#include <tuple>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/vault/engine/key_record.h"
#include "crypto/vault/engine/shred_secret.h"

namespace paravent::crypto::vault {

// What a tree key is for; with its parent, all that its wrap binds beside id and time.
struct KeyPlace {
  KeyClass key_class = KeyClass::tenant;
  Id tenant{};
  Id domain{};
  Id purpose{};
  Epoch epoch{};
  friend auto operator<=>(const KeyPlace&, const KeyPlace&) = default;
};

class KeyTree {
 public:
  KeyTree(const RootKey& root, const ShredSecret& shred);

  // The record of a key that exists in this place.
  std::optional<Id> find(const KeyPlace& place) const;
  const KeyRecord* record(const Id& id) const;

  // ErrorKind::data: the place or the id is taken twice.
  Status add(const KeyRecord& record);
  void clear() noexcept;

  // A new random key in this place, under `parent` (kNoId: the root). ErrorKind::data when the
  // parent does not open.
  Result<KeyRecord> make(const KeyPlace& place, const Id& parent, WallTime now);

  // The clear key. ErrorKind::data: unknown, or its wrap does not open.
  Result<SecretBytes> open(const Id& id) const;

  // The latest time at which any key was made: what the wall clock must not fall behind.
  WallTime newest() const noexcept { return newest_; }

 private:
  Result<SecretBytes> outer_key(const Id& parent) const;

  SecretBytes root_wrap_;
  SecretBytes shred_wrap_;
  std::uint32_t shred_number_;
  std::map<Id, KeyRecord> records_;
  std::map<KeyPlace, Id> places_;
  WallTime newest_ = WallTime::min();
};

}  // namespace paravent::crypto::vault
