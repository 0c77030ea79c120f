// RocksdbDatabase: the opened RocksDB under RocksdbTokenStore, with its options and column
// families. Private to rocksdb_token_store.cc; reads are thread safe, writes are serialised by
// write_mutex.

#pragma once

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/write_batch.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/vault/engine/rocksdb_token_store.h"

namespace paravent::crypto::vault {

// One sentence for whatever RocksDB says; its own texts name internals.
Error rocksdb_error(const rocksdb::Status& status);

struct RocksdbTokenStore::Database {
  std::unique_ptr<rocksdb::Env> env;
  std::unique_ptr<rocksdb::DB> db;  // after env, which it uses to its end
  rocksdb::ColumnFamilyHandle* owner = nullptr;
  rocksdb::ColumnFamilyHandle* rows = nullptr;
  rocksdb::ColumnFamilyHandle* index = nullptr;
  rocksdb::ColumnFamilyHandle* subjects = nullptr;
  rocksdb::ColumnFamilyHandle* aliases = nullptr;
  std::mutex write_mutex;     // makes look-up and creation one step
  bool needs_resume = false;  // under write_mutex

  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  rocksdb::Status start(const std::string& folder, bool create,
                        std::shared_ptr<rocksdb::FileSystem> file_system);

  // One durable write. REQUIRES: write_mutex is held.
  Status write(rocksdb::WriteBatch& batch);

  // Looks many keys of one family up at once. Absent: nullopt.
  Status get(rocksdb::ColumnFamilyHandle* family, const std::vector<rocksdb::Slice>& keys,
             std::vector<std::optional<std::string>>& out) const;
};

}  // namespace paravent::crypto::vault
