// Removing rows: RocksdbTokenStore::remove(), what leads to them: forget_removed(), and the other
// parts of the store that walk it.

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstring>
#include <unordered_set>
#include <utility>

#include "crypto/vault/engine/base/byte_reader.h"
#include "crypto/vault/engine/rows/rocksdb_database.h"

namespace paravent::crypto::vault {
namespace {

using rocksdb::ColumnFamilyHandle;
using rocksdb::Slice;

constexpr std::size_t kChunk = 4096;  // deletions per write
// Rows in the write buffers that a page of a walk puts up with: so many times its own, or so many.
constexpr std::size_t kSortedPages = 4;
constexpr std::size_t kSortedAlways = 8192;
constexpr std::size_t kReadAhead = std::size_t{1} << 20U;

// Ids are random and not chosen by anybody outside: any eight bytes are a good hash.
struct IdHash {
  std::size_t operator()(const Id& id) const noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, id.data(), sizeof hash);
    return hash;
  }
};
using IdSet = std::unordered_set<Id, IdHash>;

rocksdb::ReadOptions walking() {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.total_order_seek = true;  // rows and index are hashed by their whole key
  options.readahead_size = kReadAhead;
  return options;
}

}  // namespace

// Rows that were removed: their ids, and what of them was found and deleted in each family.
class RocksdbTokenStore::Removal {
 public:
  Removal(Database& database, std::vector<std::string> ids)
      : database_(database), rows_(std::move(ids)) {
    for (const std::string& id : rows_) gone_.insert(id_from(id));
  }

  // That something of this may lie where nobody can name it, should it be interrupted.
  Status mark() {
    const std::scoped_lock lock(database_.write_mutex);
    std::string mark;
    owed_ = database_.db->Get(rocksdb::ReadOptions(), database_.owner, kPurgeKey, &mark).ok();
    if (owed_) return {};
    rocksdb::WriteBatch batch;
    batch.Put(database_.owner, kPurgeKey, Slice());
    return database_.write(batch);
  }

  // Entries of one family that lead to a removed row. The walk holds no lock.
  Status delete_entries(ColumnFamilyHandle* family) {
    found_.emplace_back(family, std::vector<std::string>());
    std::vector<std::string>& all = found_.back().second;
    std::size_t done = 0;
    const std::unique_ptr<rocksdb::Iterator> it(database_.db->NewIterator(walking(), family));
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      if (database_.closing) return Error(ErrorKind::unreachable);
      if (!leads_to_gone(family, view_of(it->key()), view_of(it->value()))) continue;
      all.emplace_back(view_of(it->key()));
      if (all.size() - done < kChunk) continue;
      if (auto s = delete_chunk(family, std::span(all).subspan(done)); !s) return s;
      done = all.size();
    }
    if (!it->status().ok()) return rocksdb_error(it->status());
    return delete_chunk(family, std::span(all).subspan(done));
  }

  Status purge() {
    // What an earlier one could not finish is not ours to name.
    if (owed_) return database_.purge_all(rows_);
    found_.emplace_back(database_.rows, rows_);
    return database_.purge(std::move(found_), rows_);
  }

 private:
  bool leads_to_gone(ColumnFamilyHandle* family, std::string_view key,
                     std::string_view value) const {
    return gone_.contains(
        id_from(family == database_.subjects ? key.substr(sizeof(SubjectReference)) : value));
  }

  // What was seen may have changed since: an index entry may lead to a new row by now.
  Status delete_chunk(ColumnFamilyHandle* family, std::span<const std::string> keys) {
    const std::scoped_lock lock(database_.write_mutex);
    const std::vector<Slice> slices(keys.begin(), keys.end());
    std::vector<std::optional<std::string>> values;
    if (auto s = database_.get(family, slices, values); !s) return s;
    rocksdb::WriteBatch batch;
    for (std::size_t i = 0; i < slices.size(); ++i) {
      if (!values[i] || !leads_to_gone(family, view_of(slices[i]), *values[i])) continue;
      if (family == database_.aliases) {
        batch.Put(family, slices[i], slice_of(kNoId));
      } else {
        batch.Delete(family, slices[i]);
      }
    }
    return database_.write(batch);
  }

  Database& database_;
  IdSet gone_;
  bool owed_ = false;
  std::vector<std::string> rows_;
  std::vector<Database::GoneKeys> found_;
};

Status RocksdbTokenStore::remove(std::span<const Id> ids) {
  if (ids.empty()) return {};
  const std::scoped_lock lock(database_->write_mutex);
  rocksdb::WriteBatch batch;
  for (const Id& id : ids) {
    batch.Delete(database_->rows, slice_of(id));
    batch.Put(database_->owner, removed_key(id_text(id)), Slice());
  }
  return database_->write(batch);
}

Status RocksdbTokenStore::forget_removed() {
  const std::scoped_lock one(database_->expiry_mutex);
  return database_->forget_removed();
}

Status RocksdbTokenStore::Database::read_removed(std::vector<std::string>& ids) const {
  const std::unique_ptr<rocksdb::Iterator> it(db->NewIterator(rocksdb::ReadOptions(), owner));
  const Slice prefix(kRemovedPrefix.data(), kRemovedPrefix.size());
  for (it->Seek(prefix); it->Valid() && it->key().starts_with(prefix); it->Next()) {
    const std::string_view id = view_of(it->key()).substr(kRemovedPrefix.size());
    if (id.size() != sizeof(Id)) return rocksdb_error(rocksdb::Status::Corruption());
    ids.emplace_back(id);
  }
  return it->status().ok() ? Status() : rocksdb_error(it->status());
}

void RocksdbTokenStore::Database::wait_for_snapshots() {
  std::unique_lock lock(snapshot_mutex);
  snapshot_gone.wait(lock, [this] { return snapshots == 0; });
}

Status RocksdbTokenStore::Database::forget_removed() {
  std::vector<std::string> ids;
  if (auto s = read_removed(ids); !s) return s;
  std::string mark;
  const auto marked = db->Get(rocksdb::ReadOptions(), owner, kPurgeKey, &mark);
  if (!marked.ok() && !marked.IsNotFound()) return rocksdb_error(marked);
  if (ids.empty() && !marked.ok()) return {};
  const bool some = !ids.empty();
  Removal removal(*this, std::move(ids));
  if (auto s = removal.mark(); !s) return s;
  if (some) {
    for (ColumnFamilyHandle* family : {index, aliases, subjects}) {
      if (auto s = removal.delete_entries(family); !s) return s;
    }
  }
  wait_for_snapshots();
  return removal.purge();
}

// Each look at the rows in their order sorts what lies in the write buffers, which hash: all of it,
// for each page of a walk. More than some pages of that becomes a table first. When it cannot be
// written the walk goes on, and sorts.
void RocksdbTokenStore::Database::settle_for_page(std::size_t limit) {
  using Properties = rocksdb::DB::Properties;
  std::uint64_t entries = 0;
  for (const std::string& property :
       {Properties::kNumEntriesActiveMemTable, Properties::kNumEntriesImmMemTables}) {
    std::uint64_t some = 0;
    if (db->GetIntProperty(rows, property, &some)) entries += some;
  }
  if (entries <= std::max(kSortedPages * limit, kSortedAlways)) return;
  rocksdb::FlushOptions flush;
  flush.allow_write_stall = true;
  (void)db->Flush(flush, rows);
}

Result<std::vector<FoundRow>> RocksdbTokenStore::scan(const Id& after, std::size_t limit) {
  database_->settle_for_page(limit);
  std::vector<FoundRow> out;
  const std::unique_ptr<rocksdb::Iterator> it(
      database_->db->NewIterator(walking(), database_->rows));
  it->Seek(slice_of(after));
  if (it->Valid() && after != kNoId && it->key() == slice_of(after)) it->Next();
  for (; it->Valid() && out.size() < limit; it->Next()) {
    out.push_back({id_from(view_of(it->key())), it->value().ToString()});
  }
  if (!it->status().ok()) return rocksdb_error(it->status());
  return out;
}

Status RocksdbTokenStore::add_index(std::span<const IndexEntry> entries) {
  const std::scoped_lock lock(database_->write_mutex);
  std::vector<IndexKey> keys;
  std::vector<Id> ids;
  for (const IndexEntry& entry : entries) {
    keys.push_back(entry.index);
    ids.push_back(entry.id);
  }
  std::vector<std::optional<FoundFacts>> taken(keys.size());
  if (auto s = find(keys, taken); !s) return s;
  // One that was removed meanwhile must not leave an entry: the walk of its removal may be over.
  std::vector<std::optional<std::string>> there(ids.size());
  if (auto s = facts(ids, there); !s) return s;
  rocksdb::WriteBatch batch;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (taken[i] || !there[i]) continue;
    batch.Put(database_->index, slice_of(entries[i].index), slice_of(entries[i].id));
  }
  return database_->write(batch);
}

Status RocksdbTokenStore::replace(std::span<ReplacedRow> rows) {
  const std::scoped_lock lock(database_->write_mutex);
  std::vector<Slice> keys;
  keys.reserve(rows.size());
  for (const ReplacedRow& row : rows) keys.push_back(slice_of(row.id));
  std::vector<std::optional<std::string>> there;
  if (auto s = database_->get(database_->rows, keys, there); !s) return s;
  rocksdb::WriteBatch batch;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!there[i] || *there[i] != rows[i].from) continue;
    batch.Put(database_->rows, keys[i], rows[i].to);
  }
  if (batch.Count() > 0) {
    if (auto s = database_->write(batch); !s) return s;
  }
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i].done = there[i] && *there[i] == rows[i].from;
  return {};
}

Result<std::uint32_t> RocksdbTokenStore::renewals_noted() {
  std::string noted;
  const auto status =
      database_->db->Get(rocksdb::ReadOptions(), database_->owner, kRenewalsKey, &noted);
  if (status.IsNotFound()) return 0U;
  if (!status.ok()) return rocksdb_error(status);
  ByteReader in(as_bytes(noted));
  const std::uint32_t count = in.u32();
  if (!in.done()) return Error(ErrorKind::data, "The token store is damaged.");
  return count;
}

Status RocksdbTokenStore::note_renewals(std::uint32_t count) {
  const std::scoped_lock lock(database_->write_mutex);
  std::string noted;
  append_u32be(noted, count);
  rocksdb::WriteBatch batch;
  batch.Put(database_->owner, kRenewalsKey, noted);
  return database_->write(batch);
}

Status RocksdbTokenStore::drop_index(std::span<const IndexKey> keys) {
  const std::scoped_lock lock(database_->write_mutex);
  std::string dropped;
  if (auto s = database_->read_dropped(dropped); !s) return s;
  ByteReader in(as_bytes(dropped));
  const std::uint64_t count = dropped.empty() ? 1 : in.u64() + 1;
  dropped.clear();
  append_u64be(dropped, count);
  rocksdb::WriteBatch batch;
  for (const IndexKey& key : keys) batch.Delete(database_->index, slice_of(key));
  batch.Put(database_->owner, kDroppedKey, dropped);
  return database_->write(batch);
}

Status RocksdbTokenStore::forget_dropped() {
  Database& database = *database_;
  const std::scoped_lock one(database.expiry_mutex);
  std::string dropped;
  if (auto s = database.read_dropped(dropped); !s) return s;
  if (dropped.empty()) return {};
  database.wait_for_snapshots();
  return database.purge_index(dropped);
}

}  // namespace paravent::crypto::vault
