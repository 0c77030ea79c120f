// RocksdbDatabase: the opened RocksDB under RocksdbTokenStore, with its options and column
// families. Private to rocksdb_token_store.cc; reads are thread safe, writes are serialised by
// write_mutex.

#pragma once

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/vault/engine/rows/read_memory.h"
#include "crypto/vault/engine/rows/rocksdb_file_system.h"
#include "crypto/vault/engine/rows/rocksdb_token_store.h"

namespace paravent::crypto::vault {

// One sentence for whatever RocksDB says; its own texts name internals.
Error rocksdb_error(const rocksdb::Status& status);

inline rocksdb::Slice slice_of(ByteView bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::string_view view_of(const rocksdb::Slice& slice) noexcept {
  return {slice.data(), slice.size()};
}

// Keys of the default family.
inline constexpr const char* kOwnerKey = "paravent";  // u16 schema | installation
// And an id: of a row that was removed, while something may lead to it or may be in files.
inline constexpr std::string_view kRemovedPrefix = "removed/";
inline std::string removed_key(std::string_view id) {
  return std::string(kRemovedPrefix).append(id);
}
// There while the files may hold what a removal that was interrupted could not name any more.
inline constexpr const char* kPurgeKey = "purge";
inline constexpr const char* kRenewalsKey = "renewals";  // u32 of the keys, as was noted last
inline constexpr const char* kDroppedKey = "dropped";    // u64, while index entries may be in files
inline constexpr const char* kPurgedKey = "purged";      // u64 how often they were purged

struct RocksdbTokenStore::Database {
  std::unique_ptr<rocksdb::Env> env;
  std::unique_ptr<rocksdb::DB> db;  // after env, which it uses to its end
  rocksdb::ColumnFamilyHandle* owner = nullptr;
  rocksdb::ColumnFamilyHandle* rows = nullptr;
  rocksdb::ColumnFamilyHandle* index = nullptr;
  rocksdb::ColumnFamilyHandle* subjects = nullptr;
  rocksdb::ColumnFamilyHandle* aliases = nullptr;
  // Of the index's entries, and of the rows' facts; told of every write by write().
  std::unique_ptr<ReadMemory> index_memory;
  std::unique_ptr<ReadMemory> facts_memory;
  std::mutex write_mutex;     // makes look-up and creation one step
  bool needs_resume = false;  // under write_mutex

  FsyncCount fsyncs = std::make_shared<std::atomic<std::uint64_t>>(0);
  std::mutex expiry_mutex;  // one removal at a time; taken first
  std::mutex snapshot_mutex;
  std::condition_variable snapshot_gone;
  int snapshots = 0;    // under snapshot_mutex
  std::thread purging;  // of what an interrupted removal left, started by open()
  std::atomic<bool> closing{false};

  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // `memory`: bytes for what was read, RocksDB's blocks and ours together.
  rocksdb::Status start(const std::string& folder, bool create,
                        std::shared_ptr<rocksdb::FileSystem> file_system, std::size_t memory);

  // Whether all is there that was when the store was opened last (store_openings.h); before
  // start().
  Status check_openings(const std::filesystem::path& folder,
                        const std::shared_ptr<rocksdb::FileSystem>& file_system) const;
  // This opening, with what is to be written first; before anybody else writes.
  Status note_opening(const std::filesystem::path& folder, rocksdb::WriteBatch& batch);

  // After start(): there is less than was asked for.
  bool memory_refused() const noexcept {
    return index_memory->refused() || facts_memory->refused();
  }

  // One durable write. Everything that is written to a family with a memory goes through here.
  // REQUIRES: write_mutex is held. Memory that runs out here ends the process: RocksDB promises
  // nothing of a write that an allocation broke off, nor may its memories miss what was written.
  Status write(rocksdb::WriteBatch& batch) noexcept;

  // Keys that are gone from a family, to be made to vanish from its files.
  using GoneKeys = std::pair<rocksdb::ColumnFamilyHandle*, std::vector<std::string>>;
  // Rewrites the tables that may still hold the keys, and the manifest that may name them as a
  // table's bound; and lets go of the log and the tables before. `removed`: ids of kRemovedPrefix
  // that are done with this. See rocksdb_purge.cc.
  Status purge(std::vector<GoneKeys> gone, std::span<const std::string> removed);
  // The same for everything.
  Status purge_all(std::span<const std::string> removed);
  // The same for the index alone. `dropped`: what lay under kDroppedKey before.
  Status purge_index(const std::string& dropped);
  // What lies under kDroppedKey; empty: nothing.
  Status read_dropped(std::string& dropped) const;
  // TokenStore::forget_removed(). REQUIRES: expiry_mutex is held. See rocksdb_expire.cc.
  Status forget_removed();
  // The ids under kRemovedPrefix.
  Status read_removed(std::vector<std::string>& ids) const;
  void wait_for_snapshots();
  void purge_in_background();
  // Before a page of `limit` rows is read in their order. See rocksdb_expire.cc.
  void settle_for_page(std::size_t limit);

  // Looks many keys of one family up at once. Absent: nullopt.
  Status get(rocksdb::ColumnFamilyHandle* family, const std::vector<rocksdb::Slice>& keys,
             std::vector<std::optional<std::string>>& out) const;
  // Calls `give` for each key that is there, in any order; the value is borrowed for the call.
  using Give = std::function<void(std::size_t i, std::string_view value)>;
  // Ids, by blind index. That nothing is there is remembered until somebody makes it.
  Status find_ids(std::span<const std::string_view> keys, const Give& give) const;
  // The facts of rows (row_facts.h), by id.
  Status find_facts(std::span<const std::string_view> ids, const Give& give) const;

 private:
  // Whether memory is told that nothing is under a key.
  enum class Absent : std::uint8_t { remembered, forgotten };
  template <typename Shortened>
  Status get_through(ReadMemory& memory, Absent absent, rocksdb::ColumnFamilyHandle* family,
                     std::span<const std::string_view> keys, Shortened shortened,
                     const Give& give) const;
  // `keep_blocks`: whether RocksDB's cache takes the blocks that are read for it.
  Status read(rocksdb::ColumnFamilyHandle* family, std::span<const rocksdb::Slice> keys,
              std::span<std::optional<std::string>> out, bool keep_blocks) const noexcept;
  void tell_memory(const rocksdb::WriteBatch& batch, bool written) const;
  Status flush_all();
  // What was purged, whose marks go now; of the index not if more was dropped meanwhile.
  struct Purged {
    bool rows = false;
    std::span<const std::string> removed{};
    std::string dropped{};
  };
  Status finish_purge(const Purged& purged);
  Status forget_marks(std::span<const std::string> removed);
};

}  // namespace paravent::crypto::vault
