// How removed rows leave the files. A deletion in RocksDB is a note; what was deleted stays in the
// log and in older tables until they are rewritten, and in the manifest as the bound of a table.
// So:
//
//   flush     the log that held them becomes obsolete and is deleted (logs are not recycled)
//   compact   every table whose range holds a key is rewritten down to the last level, where note
//             and value both go; the old tables are deleted
//   manifest  one more change of files begins a new manifest (rocksdb_database.cc), whose bounds
//             are those of the new tables
//
// Deleted files are unlinked, not overwritten: what file system, snapshots and flash keep is beyond
// our reach, and for that the keys are destroyed.

#include <algorithm>

#include "crypto/vault/engine/base/byte_reader.h"
#include "crypto/vault/engine/rows/rocksdb_database.h"

namespace paravent::crypto::vault {
namespace {

using rocksdb::Slice;

struct KeyRange {
  std::string first;
  std::string last;
};

rocksdb::CompactRangeOptions rewriting() {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;
  options.allow_write_stall = true;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  return options;
}

// Neighbouring keys of one table of the last level share a range, so that no table is rewritten
// twice. `keys` ascending.
std::vector<KeyRange> ranges_of(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family,
                                const std::vector<std::string>& keys) {
  rocksdb::ColumnFamilyMetaData metadata;
  db.GetColumnFamilyMetaData(family, &metadata);
  const rocksdb::LevelMetaData* last = nullptr;
  for (const rocksdb::LevelMetaData& level : metadata.levels) {
    if (level.level > 0 && !level.files.empty()) last = &level;
  }
  std::vector<KeyRange> ranges;
  std::size_t at = 0;  // of last->files, which ascend
  std::size_t range_table = static_cast<std::size_t>(-1);
  for (const std::string& key : keys) {
    while (last != nullptr && at < last->files.size() && last->files[at].largestkey < key) ++at;
    // Without a last level everything is in the first, which is compacted as one.
    const bool joins = !ranges.empty() && range_table == at;
    if (joins) {
      ranges.back().last = key;
    } else {
      ranges.push_back({key, key});
      range_table = at;
    }
  }
  return ranges;
}

}  // namespace

Status RocksdbTokenStore::Database::flush_all() {
  rocksdb::FlushOptions flush;
  flush.allow_write_stall = true;
  const auto status = db->Flush(flush, {owner, rows, index, subjects, aliases});
  if (!status.ok()) return rocksdb_error(status);
  return {};
}

Status RocksdbTokenStore::Database::purge(std::vector<GoneKeys> gone,
                                          std::span<const std::string> removed) {
  if (auto s = flush_all(); !s) return s;
  for (auto& [family, keys] : gone) {
    std::sort(keys.begin(), keys.end());
    for (const KeyRange& range : ranges_of(*db, family, keys)) {
      const Slice first(range.first);
      const Slice last(range.last);
      const auto status = db->CompactRange(rewriting(), family, &first, &last);
      if (!status.ok()) return rocksdb_error(status);
    }
  }
  return finish_purge({.rows = true, .removed = removed});
}

Status RocksdbTokenStore::Database::read_dropped(std::string& dropped) const {
  const auto status = db->Get(rocksdb::ReadOptions(), owner, kDroppedKey, &dropped);
  if (status.IsNotFound()) dropped.clear();
  return status.ok() || status.IsNotFound() ? Status() : rocksdb_error(status);
}

Status RocksdbTokenStore::Database::purge_index(const std::string& dropped) {
  if (auto s = flush_all(); !s) return s;
  const auto status = db->CompactRange(rewriting(), index, nullptr, nullptr);
  if (!status.ok()) return rocksdb_error(status);
  return finish_purge({.dropped = dropped});
}

Status RocksdbTokenStore::Database::purge_all(std::span<const std::string> removed) {
  std::string dropped;
  if (auto s = read_dropped(dropped); !s) return s;
  if (auto s = flush_all(); !s) return s;
  for (rocksdb::ColumnFamilyHandle* family : {rows, index, subjects, aliases}) {
    const auto status = db->CompactRange(rewriting(), family, nullptr, nullptr);
    if (!status.ok()) return rocksdb_error(status);
  }
  return finish_purge({.rows = true, .removed = removed, .dropped = dropped});
}

// The marks name the rows: they leave log and tables too, before kPurgeKey goes.
Status RocksdbTokenStore::Database::forget_marks(std::span<const std::string> removed) {
  if (removed.empty()) return {};
  {
    const std::scoped_lock lock(write_mutex);
    rocksdb::WriteBatch batch;
    for (const std::string& id : removed) batch.Delete(owner, removed_key(id));
    if (auto s = write(batch); !s) return s;
  }
  if (auto s = flush_all(); !s) return s;
  const auto status = db->CompactRange(rewriting(), owner, nullptr, nullptr);
  return status.ok() ? Status() : rocksdb_error(status);
}

Status RocksdbTokenStore::Database::finish_purge(const Purged& purged) {
  if (auto s = forget_marks(purged.removed); !s) return s;
  std::string counted;
  (void)db->Get(rocksdb::ReadOptions(), owner, kPurgedKey, &counted);
  ByteReader in(as_bytes(counted));
  const std::uint64_t count = in.u64() + 1;
  counted.clear();
  append_u64be(counted, count);
  {
    const std::scoped_lock lock(write_mutex);
    rocksdb::WriteBatch batch;
    batch.Put(owner, kPurgedKey, counted);
    if (purged.rows) batch.Delete(owner, kPurgeKey);
    std::string now;
    if (auto s = read_dropped(now); !s) return s;
    if (!purged.dropped.empty() && now == purged.dropped) batch.Delete(owner, kDroppedKey);
    if (auto s = write(batch); !s) return s;
  }
  rocksdb::FlushOptions flush;
  flush.allow_write_stall = true;
  auto status = db->Flush(flush, owner);
  // Deletes obsolete files now; a background thread may still be about to.
  if (status.ok()) status = db->DisableFileDeletions();
  if (status.ok()) status = db->EnableFileDeletions(false);
  if (!status.ok()) return rocksdb_error(status);
  return {};
}

void RocksdbTokenStore::Database::purge_in_background() {
  std::string mark;
  const auto marked = [&](const char* key) {
    return db->Get(rocksdb::ReadOptions(), owner, key, &mark).ok();
  };
  std::vector<std::string> removed;
  const bool some_removed = !read_removed(removed) || !removed.empty();
  if (!some_removed && !marked(kPurgeKey) && !marked(kDroppedKey)) return;
  purging = std::thread([this] {
    const std::scoped_lock lock(expiry_mutex);
    // A failure leaves the marks, and the next start tries again.
    std::string dropped;
    if (!forget_removed() || !read_dropped(dropped) || dropped.empty()) return;
    wait_for_snapshots();
    (void)purge_index(dropped);
  });
}

}  // namespace paravent::crypto::vault
