// RocksdbTokenStore: the token store of one machine, in DATA/store.
//
// Column families: default (whose store this is), rows (id -> row), index (blind index -> id),
// subjects (subject reference | id -> nothing). Every commit is one WriteBatch and one sync of the
// log. When a write fails the store goes on reading, and writes again some seconds after the cause
// is gone. Thread safe; memory: 64 MiB of cache and 32 MiB of write buffers; two background
// threads.

#pragma once

#include <filesystem>
#include <memory>

#include "crypto/vault/engine/token_store.h"

namespace rocksdb {
class FileSystem;
}

namespace paravent::crypto::vault {

class RocksdbTokenStore final : public TokenStore {
 public:
  // `file_system`: for tests that inject faults; empty: the disk. create: DATA/store is empty, else
  // ErrorKind::data. open: ErrorKind::data, one sentence each: missing, damaged, of another
  // installation, of a newer version.
  static Result<std::unique_ptr<RocksdbTokenStore>> create(
      const std::filesystem::path& folder, const Id& installation,
      std::shared_ptr<rocksdb::FileSystem> file_system = nullptr);
  static Result<std::unique_ptr<RocksdbTokenStore>> open(
      const std::filesystem::path& folder, const Id& installation,
      std::shared_ptr<rocksdb::FileSystem> file_system = nullptr);

  ~RocksdbTokenStore() override;

  Status find(std::span<const IndexKey> keys, std::span<std::optional<FoundRow>> out) override;
  Status resolve(std::span<const Id> ids, std::span<std::optional<std::string>> out) override;
  Status commit(std::span<NewRow> create, std::span<const ChangedRow> change) override;
  Result<std::vector<Id>> by_subject(const SubjectReference& subject) override;
  Status expire(std::span<const Id> ids) override;

 private:
  struct Database;
  explicit RocksdbTokenStore(std::unique_ptr<Database> database);

  std::unique_ptr<Database> database_;
};

}  // namespace paravent::crypto::vault
