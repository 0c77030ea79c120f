// Removing rows: RocksdbTokenStore::expire() and the other parts of the store that walk it.

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

// One removal: which ids, and what of them was found and deleted in each family.
class RocksdbTokenStore::Removal {
 public:
  Removal(Database& database, std::span<const Id> ids)
      : database_(database), gone_(ids.begin(), ids.end()) {
    for (const Id& id : ids) rows_.emplace_back(id_text(id));
  }

  // Rows first: an interruption then leaves index entries without a row, which count as absent.
  Status delete_rows() {
    const std::scoped_lock lock(database_.write_mutex);
    std::string mark;
    owed_ = database_.db->Get(rocksdb::ReadOptions(), database_.owner, kPurgeKey, &mark).ok();
    rocksdb::WriteBatch batch;
    for (const std::string& id : rows_) batch.Delete(database_.rows, id);
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
    // What an earlier removal could not finish is not ours to name.
    if (owed_) return database_.purge_all();
    found_.emplace_back(database_.rows, std::move(rows_));
    return database_.purge(std::move(found_));
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

Status RocksdbTokenStore::expire(std::span<const Id> ids) {
  if (ids.empty()) return {};
  Database& database = *database_;
  const std::scoped_lock one(database.expiry_mutex);
  Removal removal(database, ids);
  if (auto s = removal.delete_rows(); !s) return s;
  // Subjects last: while they are there, an interrupted erasure can be asked for again.
  for (ColumnFamilyHandle* family : {database.index, database.aliases, database.subjects}) {
    if (auto s = removal.delete_entries(family); !s) return s;
  }
  {
    std::unique_lock lock(database.snapshot_mutex);
    database.snapshot_gone.wait(lock, [&] { return database.snapshots == 0; });
  }
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
  keys.reserve(entries.size());
  for (const IndexEntry& entry : entries) keys.push_back(entry.index);
  std::vector<std::optional<FoundFacts>> taken(keys.size());
  if (auto s = find(keys, taken); !s) return s;
  rocksdb::WriteBatch batch;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (taken[i]) continue;
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
  {
    std::unique_lock lock(database.snapshot_mutex);
    database.snapshot_gone.wait(lock, [&] { return database.snapshots == 0; });
  }
  return database.purge_index(dropped);
}

}  // namespace paravent::crypto::vault
