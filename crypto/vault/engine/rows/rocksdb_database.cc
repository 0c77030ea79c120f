#include "crypto/vault/engine/rows/rocksdb_database.h"

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/memtablerep.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/version.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <utility>

#include "crypto/vault/engine/rows/rocksdb_file_system.h"
#include "crypto/vault/engine/rows/row_facts.h"

namespace paravent::crypto::vault {
namespace {

// Before, a reader of a write buffer that hashes could miss an entry while another one came into
// its bucket (its history, 7.6.0); a value that is there would be minted again.
static_assert(ROCKSDB_MAJOR > 7 || (ROCKSDB_MAJOR == 7 && ROCKSDB_MINOR >= 6));

constexpr std::uint64_t kRewriteAfterSeconds = 30ULL * 24 * 3600;
// Of the store's memory, what RocksDB keeps of data blocks: enough for walks and the upper levels.
constexpr std::size_t kMinBlockCache = std::size_t{4} << 20U;
constexpr std::size_t kBlockCacheShare = 8;
// Held in memory: index entries, and the facts of rows of up to three purposes.
constexpr std::size_t kIndexValue = sizeof(Id);
constexpr std::size_t kFactsValue = 88;
// Filters of 10 bits for a row and for its index, and an entry for every block of 4 KiB.
constexpr std::size_t kBytesPerRow = 6;
// All write buffers together, and one of a family: of rows, which are written again with each day's
// first use, a large one. Whatever leaves it is merged with tables that it overlaps, which for
// random keys are all of a level: half as often is half the work.
constexpr std::size_t kAllBuffers = std::size_t{32} << 20U;
constexpr std::size_t kBuffer = std::size_t{8} << 20U;
constexpr std::size_t kRowBuffer = std::size_t{16} << 20U;
// Of the hash tables that writes go to: about as many as entries fit a write buffer.
constexpr std::size_t kRowBuckets = std::size_t{1} << 16U;
constexpr std::size_t kIndexBuckets = std::size_t{1} << 16U;
// Of each table that is merged, in place of one block at a time.
constexpr std::size_t kMergeReadahead = std::size_t{256} << 10U;

rocksdb::ColumnFamilyOptions family_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  // Index and filter whole and always in memory, about kBytesPerRow for each row: in pieces, which
  // come and go, they cost a look-up a sixth more among 10^3 rows and half as much again among
  // 10^6.
  table.cache_index_and_filter_blocks = true;
  table.metadata_cache_options.unpartitioned_pinning = rocksdb::PinningTier::kAll;
  table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
  // Most look-ups of the index are for values never seen before.
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  rocksdb::ColumnFamilyOptions options;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = kBuffer;
  options.target_file_size_base = std::uint64_t{32} << 20U;
  options.level_compaction_dynamic_level_bytes = true;
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = 0.05;
  // Older versions of rows leave the files with the next rewriting of their table.
  options.periodic_compaction_seconds = kRewriteAfterSeconds;
  options.compression = rocksdb::kNoCompression;  // ciphertext and keyed hashes do not compress
  return options;
}

// For a family that is looked up by whole keys that are hashes or random ids.
rocksdb::ColumnFamilyOptions hashed_options(const std::shared_ptr<rocksdb::Cache>& cache,
                                            std::size_t buckets, std::size_t buffer) {
  rocksdb::ColumnFamilyOptions options = family_options(cache);
  options.write_buffer_size = buffer;
  // New rows are found, and put, in a hash table instead of a skip list: of a durable new token's
  // processor time the two insertions were half. The whole key is the prefix that is hashed.
  options.prefix_extractor.reset(rocksdb::NewNoopTransform());
  // Neither huge pages of its own nor words about its buckets to a log that is silent.
  options.memtable_factory.reset(rocksdb::NewHashLinkListRepFactory(buckets, 0, 0, false));
  options.memtable_prefix_bloom_size_ratio = 0;
  return options;
}

rocksdb::DBOptions database_options(rocksdb::Env* env, bool create) {
  rocksdb::DBOptions options;
  options.env = env;
  options.create_if_missing = create;
  options.error_if_exists = create;
  // Not when it opens: a family that is gone was lost with a piece of the manifest, and an empty
  // one in its place would give out second tokens.
  options.create_missing_column_families = create;
  options.paranoid_checks = true;
  // A torn last record is an unacknowledged write; any other damage must not pass for the end of
  // the log.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.max_background_jobs = 2;
  options.compaction_readahead_size = kMergeReadahead;
  // One thread writes at a time, and hash tables allow no more.
  options.allow_concurrent_memtable_write = false;
  options.db_write_buffer_size = kAllBuffers;
  options.max_total_wal_size = std::size_t{64} << 20U;
  options.max_open_files = 2048;
  // A manifest begins anew at each change of files: it names the first and last key of each table,
  // and an old one would go on naming keys that are gone.
  options.max_manifest_file_size = 1;
  options.keep_log_file_num = 1;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.info_log_level = rocksdb::InfoLogLevel::FATAL_LEVEL;
  options.info_log = make_silent_logger();
  return options;
}

}  // namespace

Error rocksdb_error(const rocksdb::Status& status) {
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

RocksdbTokenStore::Database::~Database() {
  if (db == nullptr) return;
  if (purging.joinable()) {
    closing = true;
    db->DisableManualCompaction();
    purging.join();
  }
  for (rocksdb::ColumnFamilyHandle* handle : {owner, rows, index, subjects, aliases}) {
    if (handle != nullptr) db->DestroyColumnFamilyHandle(handle);
  }
  db->Close();
}

rocksdb::Status RocksdbTokenStore::Database::start(const std::string& folder, bool create,
                                                   std::shared_ptr<rocksdb::FileSystem> file_system,
                                                   std::size_t memory) {
  if (file_system == nullptr) file_system = rocksdb::FileSystem::Default();
  env = rocksdb::NewCompositeEnv(make_strict_file_system(std::move(file_system), fsyncs));
  const std::size_t blocks = std::max(kMinBlockCache, memory / kBlockCacheShare);
  const auto cache = rocksdb::NewLRUCache(blocks);
  const std::vector<rocksdb::ColumnFamilyDescriptor> families{
      {rocksdb::kDefaultColumnFamilyName, family_options(cache)},
      {"rows", hashed_options(cache, kRowBuckets, kRowBuffer)},
      {"index", hashed_options(cache, kIndexBuckets, kBuffer)},
      {"subjects", family_options(cache)},
      {"aliases", family_options(cache)}};
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  auto status =
      rocksdb::DB::Open(database_options(env.get(), create), folder, families, &handles, &raw);
  if (!status.ok()) return status;
  db.reset(raw);
  owner = handles[0];
  rows = handles[1];
  index = handles[2];
  subjects = handles[3];
  aliases = handles[4];
  // What is always in memory counts as cached; the rows' own share stays.
  std::uint64_t count = 0;
  if (db->GetIntProperty(rows, rocksdb::DB::Properties::kEstimateNumKeys, &count)) {
    cache->SetCapacity(blocks + static_cast<std::size_t>(count) * kBytesPerRow);
  }
  const std::size_t ours = memory > blocks ? memory - blocks : 0;
  // As many index entries as rows.
  constexpr std::size_t kEntry = ReadMemory::bytes_per_slot(kIndexValue);
  constexpr std::size_t kFacts = ReadMemory::bytes_per_slot(kFactsValue);
  const std::size_t entries = ours / (kEntry + kFacts) * kEntry;
  index_memory = std::make_unique<ReadMemory>(kIndexValue, entries);
  facts_memory = std::make_unique<ReadMemory>(kFactsValue, ours - entries);
  return status;
}

// Told while the write is being answered: who reads in between reads what was there before.
void RocksdbTokenStore::Database::tell_memory(const rocksdb::WriteBatch& batch,
                                              bool written) const {
  class Telling final : public rocksdb::WriteBatch::Handler {
   public:
    Telling(const Database& database, bool written)
        : index_(database.index->GetID()), rows_(database.rows->GetID()), written_(written) {}
    rocksdb::Status PutCF(std::uint32_t family, const rocksdb::Slice& key,
                          const rocksdb::Slice& value) override {
      if (written_) return note(family, {view_of(key), view_of(value)});
      return note(family, {view_of(key), std::nullopt});
    }
    rocksdb::Status DeleteCF(std::uint32_t family, const rocksdb::Slice& key) override {
      return note(family, {view_of(key), std::nullopt});
    }

    // They borrow from the batch.
    std::vector<ReadMemory::Change> of_index;
    std::vector<ReadMemory::Change> of_rows;

   private:
    rocksdb::Status note(std::uint32_t family, ReadMemory::Change change) {
      if (family == index_) of_index.push_back(change);
      if (family != rows_) return rocksdb::Status::OK();
      if (change.value) {
        std::string joined;
        change.value = row_facts(*change.value, joined);
        if (!joined.empty()) {
          joined_.push_back(std::move(joined));
          change.value = joined_.back();
        }
      }
      of_rows.push_back(change);
      return rocksdb::Status::OK();
    }
    std::deque<std::string> joined_;  // facts that are no piece of a row
    const std::uint32_t index_;
    const std::uint32_t rows_;
    const bool written_;
  };
  Telling telling(*this, written);
  // A kind of change that is not told would be answered from memory for ever.
  if (!batch.Iterate(&telling).ok()) std::abort();
  index_memory->changed(telling.of_index);
  facts_memory->changed(telling.of_rows);
}

Status RocksdbTokenStore::Database::write(rocksdb::WriteBatch& batch) noexcept {
  if (batch.Count() == 0) return {};
  // After a full disk RocksDB watches the free space and recovers by itself, within some seconds;
  // other faults need to be told. Either way the write below says how it stands.
  if (needs_resume) (void)db->Resume();
  rocksdb::WriteOptions options;
  options.sync = true;
  const auto status = db->Write(options, &batch);
  needs_resume = false;
  tell_memory(batch, status.ok());
  if (status.ok()) return {};
  Error error = rocksdb_error(status);
  needs_resume = error.kind() != ErrorKind::disk_full;
  return error;
}

Status RocksdbTokenStore::Database::read(rocksdb::ColumnFamilyHandle* family,
                                         std::span<const rocksdb::Slice> keys,
                                         std::span<std::optional<std::string>> out,
                                         bool keep_blocks) const noexcept {
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  rocksdb::ReadOptions options;
  options.fill_cache = keep_blocks;
  db->MultiGet(options, family, keys.size(), keys.data(), values.data(), statuses.data());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].ok()) {
      out[i].emplace(values[i].data(), values[i].size());
    } else if (!statuses[i].IsNotFound()) {
      return rocksdb_error(statuses[i]);
    }
  }
  return {};
}

template <typename Shortened>
Status RocksdbTokenStore::Database::get_through(ReadMemory& memory, Absent absent,
                                                rocksdb::ColumnFamilyHandle* family,
                                                std::span<const std::string_view> keys,
                                                Shortened shortened, const Give& give) const {
  if (keys.empty()) return {};
  std::vector<ReadMemory::Held> held(keys.size());
  const std::size_t stride = memory.value_bytes();
  const auto held_values = std::make_unique_for_overwrite<char[]>(keys.size() * stride);
  memory.find(keys, held, {held_values.get(), keys.size() * stride});

  std::vector<std::size_t> where;
  std::vector<rocksdb::Slice> missing;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (held[i].there) {
      give(i, {held_values.get() + i * stride, held[i].size});
    } else if (held[i].ticket != ReadMemory::kAbsent) {
      where.push_back(i);
      missing.emplace_back(keys[i].data(), keys[i].size());
    }
  }
  if (missing.empty()) return {};
  std::vector<std::optional<std::string>> values(missing.size());
  // Of each block we keep the one row, and its neighbours are strangers: to make room for it among
  // others costs a third of the read.
  if (auto s = read(family, missing, values, false); !s) return s;
  for (std::size_t j = 0; j < where.size(); ++j) {
    const std::string_view key = keys[where[j]];
    const ReadMemory::Ticket ticket = held[where[j]].ticket;
    if (values[j]) {
      shortened(*values[j]);
      memory.add(key, *values[j], ticket);
      give(where[j], *values[j]);
    } else if (absent == Absent::remembered) {
      memory.add_absent(key, ticket);
    }
  }
  return {};
}

Status RocksdbTokenStore::Database::find_ids(std::span<const std::string_view> keys,
                                             const Give& give) const {
  return get_through(
      *index_memory, Absent::remembered, index, keys, [](std::string&) {}, give);
}

Status RocksdbTokenStore::Database::get(rocksdb::ColumnFamilyHandle* family,
                                        const std::vector<rocksdb::Slice>& keys,
                                        std::vector<std::optional<std::string>>& out) const {
  out.assign(keys.size(), std::nullopt);
  if (family != index) return read(family, keys, out, true);
  std::vector<std::string_view> views;
  views.reserve(keys.size());
  for (const rocksdb::Slice& key : keys) views.push_back(view_of(key));
  return find_ids(views, [&](std::size_t i, std::string_view value) { out[i].emplace(value); });
}

Status RocksdbTokenStore::Database::find_facts(std::span<const std::string_view> ids,
                                               const Give& give) const {
  const auto shortened = [](std::string& row) {
    std::string joined;
    const std::string_view facts = row_facts(row, joined);
    if (facts.data() == row.data()) {
      row.resize(facts.size());
    } else {
      row = std::string(facts);
    }
  };
  // Ids that are not there come from outside, from whoever makes tokens up: not remembered.
  return get_through(*facts_memory, Absent::forgotten, rows, ids, shortened, give);
}

}  // namespace paravent::crypto::vault
