// RocksdbTokenStore: the token store of one machine, in DATA/store.
//
// Column families: default (whose store this is), rows (id -> row), index (blind index -> id),
// subjects (subject reference | id -> nothing), aliases (alias key -> id, all zero once retired;
// made in stores that are older than it). Every commit is one WriteBatch and one sync of the
// log. When a write fails the store goes on reading, and writes again some seconds after the cause
// is gone. Removed rows are gone from every file when forget_removed() returns (docs/vault.md says
// how, and where the limits are). Thread safe. Memory: what it is given for what was read, 32 MiB
// of write buffers, and some six bytes for each row; two background threads.

#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <set>

#include "crypto/vault/engine/rows/token_store.h"

namespace rocksdb {
class FileSystem;
class WriteBatch;
}  // namespace rocksdb

namespace paravent::crypto::vault {

class RocksdbTokenStore final : public TokenStore {
 public:
  // For what was read: some 200 000 tokens (docs/vault.md says what others need).
  static constexpr std::size_t kDefaultMemory = std::size_t{64} << 20U;

  // `file_system`: for tests that inject faults; empty: the disk. `memory`: as above. create:
  // DATA/store is empty, else ErrorKind::data. open: ErrorKind::data, one sentence each: missing,
  // damaged, of another installation, of a newer version. Both: ErrorKind::configuration when the
  // system does not give `memory`.
  static Result<std::unique_ptr<RocksdbTokenStore>> create(
      const std::filesystem::path& folder, const Id& installation,
      std::shared_ptr<rocksdb::FileSystem> file_system = nullptr,
      std::size_t memory = kDefaultMemory);
  static Result<std::unique_ptr<RocksdbTokenStore>> open(
      const std::filesystem::path& folder, const Id& installation,
      std::shared_ptr<rocksdb::FileSystem> file_system = nullptr,
      std::size_t memory = kDefaultMemory);

  ~RocksdbTokenStore() override;

  Status find(std::span<const IndexKey> keys, std::span<std::optional<FoundFacts>> out) override;
  Status facts(std::span<const Id> ids, std::span<std::optional<std::string>> out) override;
  Status resolve(std::span<const Id> ids, std::span<std::optional<std::string>> out) override;
  Status find_aliases(std::span<const AliasKey> keys, std::span<std::optional<Id>> out) override;
  Status commit(std::span<NewRow> create, std::span<const ChangedRow> change,
                std::span<NewAlias> aliases) override;
  Status replace(std::span<ReplacedRow> rows) override;
  Result<std::vector<Id>> by_subject(const SubjectReference& subject) override;
  Status remove(std::span<const Id> ids) override;
  Status forget_removed() override;
  Result<std::vector<FoundRow>> scan(const Id& after, std::size_t limit) override;
  Status add_index(std::span<const IndexEntry> entries) override;
  Status drop_index(std::span<const IndexKey> keys) override;
  Status forget_dropped() override;
  Result<std::unique_ptr<StoreSnapshot>> snapshot() override;
  Status import(std::span<const StoreRecord> records) override;
  Result<std::uint32_t> renewals_noted() override;
  Status note_renewals(std::uint32_t count) override;
  StoreStatistics statistics() const override;

 private:
  struct Database;
  class Removal;
  class Snapshot;
  explicit RocksdbTokenStore(std::unique_ptr<Database> database);
  // ErrorKind::busy: one of them is not what it was.
  Status check_changed(std::span<const ChangedRow> change) const;
  // The parts of commit(). `lost`: candidates whose index had a row already.
  Status add_rows(std::span<NewRow> create, rocksdb::WriteBatch& batch, std::set<Id>& lost);
  Status add_aliases(std::span<NewAlias> aliases, const std::set<Id>& lost,
                     rocksdb::WriteBatch& batch);

  std::unique_ptr<Database> database_;
};

}  // namespace paravent::crypto::vault
