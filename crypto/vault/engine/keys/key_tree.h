// KeyTree: makes, wraps and opens the random keys of the tree (constructions 4.0): root, then
// tenant, then domain, then epoch; audit keys hang on the root. Holds the wrapping keys of root and
// shred secret and the wrapped records; a clear tree key exists only while the caller uses it.
//
// A place holds one key after the other: its versions. The highest that is not destroyed is its
// primary. What state a key is in is asked here, for it and for everything above it.
//
// Not thread safe; the catalogue serialises and persists.

#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/vault/engine/keys/key_record.h"
#include "crypto/vault/engine/keys/shred_secret.h"

namespace paravent::crypto::vault {

// What a tree key is for; with its parent, all that its wrap binds beside id, version and time.
struct KeyPlace {
  KeyClass key_class = KeyClass::tenant;
  Id tenant{};
  Id domain{};
  Id purpose{};
  Epoch epoch{};
  friend auto operator<=>(const KeyPlace&, const KeyPlace&) = default;
};

KeyPlace place_of(const KeyRecord& record) noexcept;

class KeyTree {
 public:
  KeyTree(const RootKey& root, const ShredSecret& shred);

  // The primary of this place; nullopt: it never had a key, or all are destroyed.
  std::optional<Id> find(const KeyPlace& place) const;
  // Whether the place ever had one.
  bool had(const KeyPlace& place) const { return places_.contains(place); }
  // Of a tenant or a domain: the oldest version that is not destroyed. What is derived from such a
  // key, and must stay what it is, hangs on this one: subject references, and texts in a shape.
  std::optional<Id> oldest(const KeyPlace& place) const;
  // Every key that the place ever had, oldest first.
  std::vector<Id> versions(const KeyPlace& place) const;
  const KeyRecord* record(const Id& id) const;
  const std::map<Id, KeyRecord>& records() const noexcept { return records_; }

  // ErrorKind::data: the id, or the version of the place, is taken; or another shred secret's.
  Status add(const KeyRecord& record);
  // Replaces the record of a key that is there by its next state.
  void replace(const KeyRecord& record);
  void clear() noexcept;

  // A new random key in this place, active, under `parent` (kNoId: the root): the next version.
  // ErrorKind::data when the parent does not open; sealed when its state forbids it.
  Result<KeyRecord> make(const KeyPlace& place, const Id& parent, WallTime now);

  // Whether its state and those of everything above allow the operation, protect or open.
  bool usable(const Id& id, KeyOperation operation) const;

  // The clear key. ErrorKind::data: unknown, or its wrap does not open; sealed: its state, or that
  // of a key above it, does not allow it.
  Result<SecretBytes> open(const Id& id) const;
  // The same for an older version that is kept for reading: what counts is the state of its newest
  // version, not its own. ErrorKind::data, sealed.
  Result<SecretBytes> open_kept(const Id& id) const;
  // What the children of this key are wrapped under (kNoId: of the root), whatever its state: for
  // renewing wraps, which must reach disabled keys too.
  Result<SecretBytes> wrapping_key_under(const Id& parent) const;

  // These keys and everything below them.
  std::set<Id> with_descendants(std::span<const Id> ids) const;
  // From each older version of a tenant's or domain's key to the newest one that is not destroyed:
  // where what still hangs on an older one belongs.
  std::map<Id, Id> superseded() const;
  // Every key but those in `gone` and those destroyed before, wrapped anew, each opened once more
  // from its new wrap; what hangs on a key in `moved` hangs on the one it leads to afterwards.
  // ErrorKind::data: a key does not open.
  Result<std::vector<KeyRecord>> renewed(const ShredSecret& next, const std::set<Id>& gone,
                                         const std::map<Id, Id>& moved) const;
  // The same for the keys that hang on the root, under another root key: the only ones it touches.
  Result<std::vector<KeyRecord>> rewrapped(const RootKey& next) const;
  // From now on. REQUIRES: the records are replaced by renewed or rewrapped ones next.
  void adopt(const ShredSecret& next);
  void adopt(const RootKey& next);

  // Of the root key in force: what backups are made under (backup_file.h).
  const SecretBytes& backup_key() const noexcept { return backup_key_; }

  // The latest time at which any key was made, WallTime::min() without keys; destroyed ones count.
  WallTime newest() const noexcept;
  // The same of those whose time `doubted` is false for.
  template <typename Doubted>
  WallTime newest_but(const Doubted& doubted) const {
    WallTime newest = WallTime::min();
    for (const auto& [id, record] : records_) {
      if (record.made > newest && !doubted(record.made)) newest = record.made;
    }
    return newest;
  }

 private:
  Result<SecretBytes> unwrap(const KeyRecord& record) const;
  std::uint32_t next_version(const KeyPlace& place) const;

  SecretBytes root_wrap_;
  SecretBytes backup_key_;
  SecretBytes shred_wrap_;
  std::uint32_t shred_number_;
  std::map<Id, KeyRecord> records_;
  std::map<KeyPlace, std::map<std::uint32_t, Id>> places_;  // by version
};

}  // namespace paravent::crypto::vault
