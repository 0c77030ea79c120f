// Taking a store out for a backup, and putting it back: RocksdbTokenStore::snapshot(), import() and
// statistics().

#include <rocksdb/write_batch.h>

#include <array>
#include <utility>

#include "crypto/vault/engine/rows/rocksdb_database.h"

namespace paravent::crypto::vault {

// One view of all families: RocksDB's sequence number spans them.
class RocksdbTokenStore::Snapshot final : public StoreSnapshot {
 public:
  explicit Snapshot(Database& database) : database_(database) {
    {
      const std::scoped_lock lock(database_.snapshot_mutex);
      ++database_.snapshots;
    }
    snapshot_ = database_.db->GetSnapshot();
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() override {
    iterator_.reset();
    database_.db->ReleaseSnapshot(snapshot_);
    {
      const std::scoped_lock lock(database_.snapshot_mutex);
      --database_.snapshots;
    }
    database_.snapshot_gone.notify_all();
  }

  Result<bool> next(StoreRecord& record) override {
    const std::array families{std::pair{StoreRecordKind::row, database_.rows},
                              std::pair{StoreRecordKind::subject, database_.subjects},
                              std::pair{StoreRecordKind::alias, database_.aliases}};
    while (family_ < families.size()) {
      const auto& [kind, handle] = families[family_];
      if (iterator_ == nullptr) {
        rocksdb::ReadOptions options;
        options.snapshot = snapshot_;
        options.fill_cache = false;
        options.total_order_seek = true;  // rows are hashed by their whole key
        options.readahead_size = std::size_t{1} << 20U;
        iterator_.reset(database_.db->NewIterator(options, handle));
        iterator_->SeekToFirst();
      } else {
        iterator_->Next();
      }
      if (iterator_->Valid()) {
        record.kind = kind;
        record.key.assign(view_of(iterator_->key()));
        record.value.assign(view_of(iterator_->value()));
        return true;
      }
      if (!iterator_->status().ok()) return rocksdb_error(iterator_->status());
      iterator_.reset();
      ++family_;
    }
    return false;
  }

 private:
  Database& database_;
  const rocksdb::Snapshot* snapshot_ = nullptr;
  std::unique_ptr<rocksdb::Iterator> iterator_;
  std::size_t family_ = 0;
};

Result<std::unique_ptr<StoreSnapshot>> RocksdbTokenStore::snapshot() {
  return std::unique_ptr<StoreSnapshot>(std::make_unique<Snapshot>(*database_));
}

Status RocksdbTokenStore::import(std::span<const StoreRecord> records) {
  rocksdb::WriteBatch batch;
  for (const StoreRecord& record : records) {
    if (!has_sizes_of_its_kind(record)) return Error(ErrorKind::malformed);
    rocksdb::ColumnFamilyHandle* family = record.kind == StoreRecordKind::row ? database_->rows
                                          : record.kind == StoreRecordKind::subject
                                              ? database_->subjects
                                              : database_->aliases;
    batch.Put(family, record.key, record.value);
  }
  const std::scoped_lock lock(database_->write_mutex);
  return database_->write(batch);
}

StoreStatistics RocksdbTokenStore::statistics() const {
  StoreStatistics out;
  (void)database_->db->GetIntProperty(database_->rows, rocksdb::DB::Properties::kEstimateNumKeys,
                                      &out.rows);
  std::uint64_t waiting = 0;
  (void)database_->db->GetAggregatedIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize,
                                                &out.bytes);
  (void)database_->db->GetAggregatedIntProperty(rocksdb::DB::Properties::kCurSizeAllMemTables,
                                                &waiting);
  out.bytes += waiting;
  out.fsyncs = database_->fsyncs->load(std::memory_order_relaxed);
  return out;
}

}  // namespace paravent::crypto::vault
