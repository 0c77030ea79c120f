#include "crypto/vault/engine/rocksdb_token_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "crypto/vault/engine/byte_reader.h"
#include "crypto/vault/engine/rocksdb_file_system.h"

namespace paravent::crypto::vault {
namespace {

using rocksdb::ColumnFamilyHandle;
using rocksdb::Slice;

constexpr const char* kRows = "rows";
constexpr const char* kIndex = "index";
constexpr const char* kSubjects = "subjects";
constexpr std::size_t kExpireChunk = 4096;  // deletions per write
const Slice kOwnerKey("paravent");

Slice slice_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view view_of(const Slice& slice) { return {slice.data(), slice.size()}; }

// u16 schema | installation
std::string owner_value(const Id& installation) {
  std::string value;
  append_u16be(value, 1);
  append_bytes(value, installation);
  return value;
}

Error error_of(const rocksdb::Status& status) {
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kNoSpace) {
    return Error(ErrorKind::disk_full,
                 "The token store cannot be written because the disk is full; free some space.");
  }
  if (status.IsCorruption()) {
    return Error(ErrorKind::data,
                 "The token store is damaged; restore the store folder from a data backup.");
  }
  return Error(ErrorKind::unreachable,
               "The token store cannot be read or written; check the disk.");
}

rocksdb::ColumnFamilyOptions family_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  // Most look-ups of the index are for values never seen before.
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = std::size_t{8} << 20U;
  options.compression = rocksdb::kNoCompression;  // ciphertext and keyed hashes do not compress
  return options;
}

rocksdb::DBOptions database_options(rocksdb::Env* env, bool create) {
  rocksdb::DBOptions options;
  options.env = env;
  options.create_if_missing = create;
  options.error_if_exists = create;
  options.create_missing_column_families = create;
  options.paranoid_checks = true;
  // A torn last record is an unacknowledged write; any other damage must not pass for the end of
  // the log.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.max_background_jobs = 2;
  options.db_write_buffer_size = std::size_t{32} << 20U;
  options.max_total_wal_size = std::size_t{64} << 20U;
  options.max_open_files = 256;
  options.keep_log_file_num = 1;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.info_log_level = rocksdb::InfoLogLevel::FATAL_LEVEL;
  options.info_log = make_silent_logger();
  return options;
}

}  // namespace

struct RocksdbTokenStore::Database {
  std::unique_ptr<rocksdb::Env> env;
  std::unique_ptr<rocksdb::DB> db;
  ColumnFamilyHandle* owner = nullptr;
  ColumnFamilyHandle* rows = nullptr;
  ColumnFamilyHandle* index = nullptr;
  ColumnFamilyHandle* subjects = nullptr;
  std::mutex write_mutex;     // makes look-up and creation one step
  bool needs_resume = false;  // under write_mutex

  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() {
    if (db == nullptr) return;
    for (ColumnFamilyHandle* handle : {owner, rows, index, subjects}) {
      if (handle != nullptr) db->DestroyColumnFamilyHandle(handle);
    }
    db->Close();
  }

  rocksdb::Status start(const std::string& folder, bool create,
                        std::shared_ptr<rocksdb::FileSystem> file_system) {
    if (file_system == nullptr) file_system = rocksdb::FileSystem::Default();
    env = rocksdb::NewCompositeEnv(make_strict_file_system(std::move(file_system)));
    const auto cache = rocksdb::NewLRUCache(std::size_t{64} << 20U);
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : {rocksdb::kDefaultColumnFamilyName, std::string(kRows),
                                    std::string(kIndex), std::string(kSubjects)}) {
      families.emplace_back(name, family_options(cache));
    }
    std::vector<ColumnFamilyHandle*> handles;
    rocksdb::DB* raw = nullptr;
    auto status =
        rocksdb::DB::Open(database_options(env.get(), create), folder, families, &handles, &raw);
    if (!status.ok()) return status;
    db.reset(raw);
    owner = handles[0];
    rows = handles[1];
    index = handles[2];
    subjects = handles[3];
    return status;
  }

  // REQUIRES: write_mutex is held.
  Status write(rocksdb::WriteBatch& batch) {
    if (batch.Count() == 0) return {};
    // After a full disk RocksDB watches the free space and recovers by itself, within some seconds;
    // other faults need to be told. Either way the write below says how it stands.
    if (needs_resume) (void)db->Resume();
    rocksdb::WriteOptions options;
    options.sync = true;
    const auto status = db->Write(options, &batch);
    needs_resume = false;
    if (status.ok()) return {};
    Error error = error_of(status);
    needs_resume = error.kind() != ErrorKind::disk_full;
    return error;
  }

  // Looks many keys of one family up at once. Absent: nullopt.
  Status get(ColumnFamilyHandle* family, const std::vector<Slice>& keys,
             std::vector<std::optional<std::string>>& out) {
    out.assign(keys.size(), std::nullopt);
    if (keys.empty()) return {};
    std::vector<rocksdb::PinnableSlice> values(keys.size());
    std::vector<rocksdb::Status> statuses(keys.size());
    db->MultiGet(rocksdb::ReadOptions(), family, keys.size(), keys.data(), values.data(),
                 statuses.data());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (statuses[i].ok()) {
        out[i].emplace(values[i].data(), values[i].size());
      } else if (!statuses[i].IsNotFound()) {
        return error_of(statuses[i]);
      }
    }
    return {};
  }
};

RocksdbTokenStore::RocksdbTokenStore(std::unique_ptr<Database> database)
    : database_(std::move(database)) {}

RocksdbTokenStore::~RocksdbTokenStore() = default;

Result<std::unique_ptr<RocksdbTokenStore>> RocksdbTokenStore::create(
    const std::filesystem::path& folder, const Id& installation,
    std::shared_ptr<rocksdb::FileSystem> file_system) {
  auto database = std::make_unique<Database>();
  auto status = database->start(folder.string(), true, std::move(file_system));
  if (status.IsInvalidArgument()) {
    return Error(ErrorKind::data,
                 "The token store " + folder.string() + " exists already and is not overwritten.");
  }
  if (!status.ok()) return error_of(status);
  rocksdb::WriteBatch batch;
  batch.Put(database->owner, kOwnerKey, owner_value(installation));
  if (auto s = database->write(batch); !s) return s.error();
  return std::unique_ptr<RocksdbTokenStore>(new RocksdbTokenStore(std::move(database)));
}

Result<std::unique_ptr<RocksdbTokenStore>> RocksdbTokenStore::open(
    const std::filesystem::path& folder, const Id& installation,
    std::shared_ptr<rocksdb::FileSystem> file_system) {
  std::error_code missing;
  if (!std::filesystem::exists(folder / "CURRENT", missing)) {
    return Error(ErrorKind::data, "The token store " + folder.string() +
                                      " is missing; restore it from a data backup.");
  }
  auto database = std::make_unique<Database>();
  const auto status = database->start(folder.string(), false, std::move(file_system));
  if (!status.ok()) {
    const Error error = error_of(status);
    if (error.kind() == ErrorKind::disk_full) return error;
    return Error(ErrorKind::data, "The token store " + folder.string() +
                                      " is damaged or cannot be read; check the disk, or restore "
                                      "it from a data backup.");
  }
  std::string owner;
  const auto got = database->db->Get(rocksdb::ReadOptions(), database->owner, kOwnerKey, &owner);
  ByteReader in(as_bytes(owner));
  const std::uint16_t schema = in.u16();
  const Id found = in.id();
  if (got.ok() && schema > 1) {
    return Error(ErrorKind::data, "The token store " + folder.string() +
                                      " was written by a newer version of paravent; install that "
                                      "version.");
  }
  if (!got.ok() || !in.done() || schema != 1) return error_of(rocksdb::Status::Corruption());
  if (found != installation) {
    return Error(ErrorKind::data, "The token store " + folder.string() +
                                      " belongs to another installation than the keys beside it; "
                                      "restore the one that does.");
  }
  return std::unique_ptr<RocksdbTokenStore>(new RocksdbTokenStore(std::move(database)));
}

Status RocksdbTokenStore::find(std::span<const IndexKey> keys,
                               std::span<std::optional<FoundRow>> out) {
  std::vector<Slice> slices;
  slices.reserve(keys.size());
  for (const IndexKey& key : keys) slices.push_back(slice_of(key));
  std::vector<std::optional<std::string>> ids;
  if (auto s = database_->get(database_->index, slices, ids); !s) return s;

  slices.clear();
  std::vector<std::size_t> where;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    out[i].reset();
    if (!ids[i]) continue;
    slices.emplace_back(*ids[i]);
    where.push_back(i);
  }
  std::vector<std::optional<std::string>> rows;
  if (auto s = database_->get(database_->rows, slices, rows); !s) return s;
  for (std::size_t j = 0; j < where.size(); ++j) {
    if (rows[j]) out[where[j]] = FoundRow{id_from(*ids[where[j]]), std::move(*rows[j])};
  }
  return {};
}

Status RocksdbTokenStore::resolve(std::span<const Id> ids,
                                  std::span<std::optional<std::string>> out) {
  std::vector<Slice> slices;
  slices.reserve(ids.size());
  for (const Id& id : ids) slices.push_back(slice_of(id));
  std::vector<std::optional<std::string>> rows;
  if (auto s = database_->get(database_->rows, slices, rows); !s) return s;
  std::move(rows.begin(), rows.end(), out.begin());
  return {};
}

Status RocksdbTokenStore::commit(std::span<NewRow> create, std::span<const ChangedRow> change) {
  const std::scoped_lock lock(database_->write_mutex);
  std::vector<IndexKey> keys;
  keys.reserve(create.size());
  for (const NewRow& row : create) keys.push_back(row.index);
  std::vector<std::optional<FoundRow>> found(keys.size());
  if (auto s = find(keys, found); !s) return s;

  rocksdb::WriteBatch batch;
  std::map<IndexKey, Id> made;
  for (std::size_t i = 0; i < create.size(); ++i) {
    NewRow& row = create[i];
    const auto [it, first] = made.try_emplace(row.index, found[i] ? found[i]->id : row.id);
    row.created = first && !found[i];
    row.id = it->second;
    if (!row.created) continue;
    batch.Put(database_->index, slice_of(row.index), slice_of(row.id));
    batch.Put(database_->rows, slice_of(row.id), row.row);
    if (row.subject) {
      std::string key(as_text(*row.subject));
      append_bytes(key, row.id);
      batch.Put(database_->subjects, key, Slice());
    }
  }
  for (const ChangedRow& row : change) batch.Put(database_->rows, slice_of(row.id), row.row);
  return database_->write(batch);
}

Result<std::vector<Id>> RocksdbTokenStore::by_subject(const SubjectReference& subject) {
  std::vector<Id> ids;
  const std::unique_ptr<rocksdb::Iterator> it(
      database_->db->NewIterator(rocksdb::ReadOptions(), database_->subjects));
  for (it->Seek(slice_of(subject)); it->Valid() && it->key().starts_with(slice_of(subject));
       it->Next()) {
    ids.push_back(id_from(view_of(it->key()).substr(subject.size())));
  }
  if (!it->status().ok()) return error_of(it->status());
  return ids;
}

Status RocksdbTokenStore::expire(std::span<const Id> ids) {
  const std::scoped_lock lock(database_->write_mutex);
  const std::set<Id> gone(ids.begin(), ids.end());
  rocksdb::WriteBatch batch;
  // Rows first: an interruption then leaves index entries without a row, which count as absent.
  for (const Id& id : ids) batch.Delete(database_->rows, slice_of(id));
  if (auto s = database_->write(batch); !s) return s;
  for (ColumnFamilyHandle* family : {database_->index, database_->subjects}) {
    batch.Clear();
    const std::unique_ptr<rocksdb::Iterator> it(
        database_->db->NewIterator(rocksdb::ReadOptions(), family));
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
      const std::string_view id = family == database_->index
                                      ? view_of(it->value())
                                      : view_of(it->key()).substr(sizeof(SubjectReference));
      if (!gone.contains(id_from(id))) continue;
      batch.Delete(family, it->key());
      if (batch.Count() < kExpireChunk) continue;
      if (auto s = database_->write(batch); !s) return s;
      batch.Clear();
    }
    if (!it->status().ok()) return error_of(it->status());
    if (auto s = database_->write(batch); !s) return s;
  }
  return {};
}

}  // namespace paravent::crypto::vault
