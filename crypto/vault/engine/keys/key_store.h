// KeyStore: where wrapped keys, names and context rows are kept. Opaque records by type and id,
// changed together or not at all, under optimistic concurrency: every change names the generation
// it builds on, so that several gateways over one shared store cannot overwrite each other.
//
// A change is durable when the call returns. The store never sees a key that is not wrapped. Not
// thread safe: the vault serialises.

#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/base/id.h"

namespace paravent::crypto::vault {

class RootKey;

// Stored numbers: never renumber, never reuse.
enum class RecordType : std::uint8_t {
  key = 1,          // a wrapped key of the tree, KeyRecord
  name = 2,         // a tenant, domain, purpose or space, NameRecord
  context = 3,      // what a key id stands for, ContextRecord; id = 12 zero bytes | u32be key_id
  subject_key = 4,  // never here: keys of data subjects may be millions (subject_store.h)
  retention = 5,    // how long a purpose's keys live, RetentionRecord; id = the purpose's
  hold = 6,         // what must not be destroyed meanwhile, HoldRecord
  keeper = 7,       // what the retention keeper remembers, KeeperRecord; one, id = 15 zeros | 1
  rows = 8,         // what is still to be done to token rows, RowWishes; one, id = 15 zeros | 1
  index = 9,        // versions of a domain's blind index, IndexVersions; id = the domain's
  backup = 10,      // a key backup that was made, KeyBackupEntry; id = the backup's
};

struct RecordRef {
  RecordType type = RecordType::key;
  Id id{};
  friend auto operator<=>(const RecordRef&, const RecordRef&) = default;
};

struct StoredRecord {
  RecordRef ref;
  Bytes payload;
};

// One change of a store: everything in it, or nothing.
struct StoreChange {
  std::span<const StoredRecord> put;          // new or replaced
  std::span<const RecordRef> remove;          // those that do not exist are no error
  std::optional<std::uint32_t> shred_number;  // the shred secret that all its keys are under now
};

class KeyStore {
 public:
  virtual ~KeyStore() = default;

  virtual const Id& installation() const noexcept = 0;
  // Counts changes; 0 for a store in which nothing was ever put.
  virtual std::uint64_t generation() const noexcept = 0;

  // Which shred secret the keys of the store are wrapped under.
  virtual std::uint32_t shred_number() const noexcept = 0;

  virtual std::optional<Bytes> get(const RecordRef& ref) const = 0;
  // In ascending order of type and id. The view holds until the next change.
  virtual void for_each(const std::function<void(const RecordRef&, ByteView)>& visitor) const = 0;

  // ErrorKind::busy when the store's generation is not `expected`; disk_full or data when it cannot
  // be written: then nothing has changed.
  virtual Status change_if_generation(std::uint64_t expected, const StoreChange& change) = 0;
  // The same, and from now on the store opens with `next` only: `change.put` holds every key that
  // hangs on the root.
  virtual Status replace_root(std::uint64_t expected, const StoreChange& change,
                              const RootKey& next) = 0;
  // Whether what is durable is what this process believes. ErrorKind::data: it is not.
  virtual Status read_back() const = 0;

  Status put_if_generation(std::uint64_t expected, std::span<const StoredRecord> records) {
    return change_if_generation(expected, {.put = records, .remove = {}, .shred_number = {}});
  }
  Status destroy(std::uint64_t expected, std::span<const RecordRef> refs) {
    return change_if_generation(expected, {.put = {}, .remove = refs, .shred_number = {}});
  }
};

}  // namespace paravent::crypto::vault
