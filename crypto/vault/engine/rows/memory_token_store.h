// MemoryTokenStore: rows that end with the process: for explain and test. The same behaviour as the
// store on disk, durability apart; the same tests run on both. Tests derive from it.

#pragma once

#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "crypto/vault/engine/rows/token_store.h"

namespace paravent::crypto::vault {

class MemoryTokenStore : public TokenStore {
 public:
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
  Status forget_dropped() override { return {}; }
  Result<std::unique_ptr<StoreSnapshot>> snapshot() override;
  Status import(std::span<const StoreRecord> records) override;
  Result<std::uint32_t> renewals_noted() override;
  Status note_renewals(std::uint32_t count) override;
  StoreStatistics statistics() const override;

 private:
  mutable std::mutex mutex_;
  std::map<IndexKey, Id> index_;
  std::map<AliasKey, Id> aliases_;
  std::map<Id, std::string> rows_;
  std::set<std::pair<SubjectReference, Id>> subjects_;
  std::set<Id> removed_;  // not forgotten yet
  std::uint32_t renewals_ = 0;
};

}  // namespace paravent::crypto::vault
