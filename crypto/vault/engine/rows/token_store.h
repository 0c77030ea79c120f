// TokenStore: the rows behind vault tokens, the blind index that finds them again by value, and the
// aliases that find them by shaped text. It sees ids, keyed hashes and sealed rows, never a clear
// value, never a text and never a key.
//
// Every call is batched. What find() and resolve() show is durable: a row appears only after its
// write has reached the disk. Thread safe. A failure is ErrorKind::disk_full (nothing more can be
// written), data (altered) or unreachable; after a failed commit nothing of it has happened.

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/vault/engine/base/id.h"
#include "crypto/vault/engine/base/short_text.h"

namespace paravent::crypto::vault {

using IndexKey = std::array<std::uint8_t, 32>;
using AliasKey = std::array<std::uint8_t, 32>;  // of a shaped text, see shape_key.h

struct FoundRow {
  Id id{};
  std::string row;  // encoded, see token_row.h
};

struct FoundFacts {
  Id id{};
  ShortText facts;  // of the row, see row_facts.h
};

struct NewRow {
  std::optional<IndexKey> index;  // none: a row that nothing finds again but its id
  Id id{};  // in: the candidate; out: the id that holds this index, ours or the one found
  std::string row;
  std::optional<SubjectReference> subject;
  bool created = false;  // out
};

struct ChangedRow {
  Id id{};
  std::string row;
  // What the row's facts (row_facts.h) were when `row` was made of them; nullopt: whatever they
  // are.
  std::optional<std::string> facts{};
};

struct ReplacedRow {
  Id id{};
  std::string from;  // what the row has to be still
  std::string to;
  bool done = false;  // out
};

struct NewAlias {
  AliasKey alias{};
  Id id{};      // of a row that is there, or is created in the same commit
  Id holder{};  // out: whose it is now; kNoId: nobody's, because the row was not created, or
                // retired
};

struct IndexEntry {
  IndexKey index{};
  Id id{};
};

// What a backup holds of a store: everything but the blind index, which would confirm guesses.
// Stored numbers: never renumber, never reuse.
enum class StoreRecordKind : std::uint8_t {
  row = 1,      // key: id 16; value: the row
  subject = 2,  // key: subject reference 32 | id 16; no value
  alias = 3,    // key: alias 32; value: id 16, all zero when retired
};

struct StoreRecord {
  StoreRecordKind kind = StoreRecordKind::row;
  std::string key;
  std::string value;
};

// Whether key and value have the sizes that the kind asks for.
inline bool has_sizes_of_its_kind(const StoreRecord& record) noexcept {
  switch (record.kind) {
    case StoreRecordKind::row:
      return record.key.size() == sizeof(Id) && !record.value.empty();
    case StoreRecordKind::subject:
      return record.key.size() == sizeof(SubjectReference) + sizeof(Id) && record.value.empty();
    case StoreRecordKind::alias:
      return record.key.size() == sizeof(AliasKey) && record.value.size() == sizeof(Id);
  }
  return false;
}

// Every record of a store as it stood when the snapshot was made, in ascending order of kind and
// key. Owned by one thread; the store must outlive it. Removed rows leave the files only after the
// snapshots that may still show them have gone: forget_removed() waits for them.
class StoreSnapshot {
 public:
  virtual ~StoreSnapshot() = default;
  // False: there is no further record. Fails as TokenStore does.
  virtual Result<bool> next(StoreRecord& record) = 0;
};

struct StoreStatistics {
  std::uint64_t rows = 0;    // an estimate: older versions of a row count until they are compacted
  std::uint64_t bytes = 0;   // of the tables on disk, and of what waits to become one
  std::uint64_t fsyncs = 0;  // since the store was opened
};

class TokenStore {
 public:
  virtual ~TokenStore() = default;

  // By blind index. REQUIRES: out.size() == keys.size(). An index entry without a row counts as
  // absent.
  virtual Status find(std::span<const IndexKey> keys, std::span<std::optional<FoundFacts>> out) = 0;

  // Of rows, by id, what find() gives of them. REQUIRES: out.size() == ids.size().
  virtual Status facts(std::span<const Id> ids, std::span<std::optional<std::string>> out) = 0;

  // Whole rows, by id. REQUIRES: out.size() == ids.size().
  virtual Status resolve(std::span<const Id> ids, std::span<std::optional<std::string>> out) = 0;

  // By shaped text. kNoId: retired, the row is gone and the text is never given again. REQUIRES:
  // out.size() == keys.size().
  virtual Status find_aliases(std::span<const AliasKey> keys, std::span<std::optional<Id>> out) = 0;

  // Get-or-create of all of `create` and of all of `aliases`, and replacement of all of `change`,
  // in one atomic and durable step. Of several candidates with one index or alias the first wins. A
  // row that was not created takes none of the aliases that were asked for its candidate.
  // ErrorKind::busy: a row of `change` is not what it was, or went; nothing was written, and the
  // caller looks again.
  virtual Status commit(std::span<NewRow> create, std::span<const ChangedRow> change,
                        std::span<NewAlias> aliases) = 0;

  // Replaces the rows that are exactly what they were when they were read; a row that changed
  // meanwhile, or went, stays as it is now. For work behind the back of commit(). Durable.
  virtual Status replace(std::span<ReplacedRow> rows) = 0;

  // Ids of all rows of one person, ascending.
  virtual Result<std::vector<Id>> by_subject(const SubjectReference& subject) = 0;

  // Removes rows: one durable write, after which nobody finds them. What leads to them and what the
  // files still hold goes with forget_removed(), which the store remembers that it owes.
  virtual Status remove(std::span<const Id> ids) = 0;
  // Whatever remove() removed before: its index entries and subject entries go, its aliases are
  // retired (a text that once named a person must not come to name another), and all of it is gone
  // from the store's files when this returns; cheap where there is nothing. Walks the whole index,
  // because a row does not hold its index value (a copy of the rows must not confirm guesses), and
  // waits for snapshots, so call it without a lock. Nobody else waits for the walk. Interrupted, it
  // is done at the next start.
  virtual Status forget_removed() = 0;
  // Both.
  Status expire(std::span<const Id> ids) {
    if (auto s = remove(ids); !s) return s;
    return forget_removed();
  }

  // Rows in ascending order of id behind `after` (kNoId: from the first), at most `limit` of them;
  // fewer: that was the last. For walks that may stop and go on.
  virtual Result<std::vector<FoundRow>> scan(const Id& after, std::size_t limit) = 0;

  // Index entries of rows that are there already: after a restore, or under a new version of the
  // index. An index that is another row's already stays that row's; a row that is not there gets
  // none. Durable.
  virtual Status add_index(std::span<const IndexEntry> entries) = 0;
  // Removes index entries, rows stay. Durable; they leave the files with forget_dropped().
  virtual Status drop_index(std::span<const IndexKey> keys) = 0;
  // Whatever drop_index() removed before is gone from the store's files when this returns; cheap
  // where there is nothing. Rewrites the whole index: the entries are keyed hashes, so a few of
  // them lie in all of its tables. Interrupted, it is done at the next start.
  virtual Status forget_dropped() = 0;

  virtual Result<std::unique_ptr<StoreSnapshot>> snapshot() = 0;
  // Puts records of a snapshot into a store that is being restored. Durable. ErrorKind::malformed:
  // a key or value of a wrong size.
  virtual Status import(std::span<const StoreRecord> records) = 0;

  // How many renewals of the keys (key_renewal.h) the store was told of, which a backup does not
  // hold: keys of fewer are older than the store, and would bring back what was destroyed. 0: never
  // told. note: durable, and whatever was noted before.
  virtual Result<std::uint32_t> renewals_noted() = 0;
  virtual Status note_renewals(std::uint32_t count) = 0;

  virtual StoreStatistics statistics() const = 0;
};

}  // namespace paravent::crypto::vault
