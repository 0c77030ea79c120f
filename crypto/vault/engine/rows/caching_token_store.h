// CachingTokenStore: a token store with the known tokens in front of it, so that whoever removes
// rows or index entries also makes the cache forget them, and cannot forget to.
//
// Takes the store over. Reads go to the store: the cache answers the resolver (resolver.h), which
// knows days and purposes. Thread safe, as the store.

#pragma once

#include <memory>
#include <utility>

#include "crypto/vault/engine/rows/known_tokens.h"
#include "crypto/vault/engine/rows/token_store.h"

namespace paravent::crypto::vault {

class CachingTokenStore final : public TokenStore {
 public:
  explicit CachingTokenStore(std::unique_ptr<TokenStore> store,
                             std::size_t known_bytes = KnownTokens::kDefaultBytes)
      : known_(known_bytes), store_(std::move(store)) {}

  KnownTokens& known() noexcept { return known_; }

  Status find(std::span<const IndexKey> keys, std::span<std::optional<FoundFacts>> out) override {
    return store_->find(keys, out);
  }
  Status facts(std::span<const Id> ids, std::span<std::optional<std::string>> out) override {
    return store_->facts(ids, out);
  }
  Status resolve(std::span<const Id> ids, std::span<std::optional<std::string>> out) override {
    return store_->resolve(ids, out);
  }
  Status find_aliases(std::span<const AliasKey> keys, std::span<std::optional<Id>> out) override {
    return store_->find_aliases(keys, out);
  }
  Status commit(std::span<NewRow> create, std::span<const ChangedRow> change,
                std::span<NewAlias> aliases) override {
    return store_->commit(create, change, aliases);
  }
  Status replace(std::span<ReplacedRow> rows) override { return store_->replace(rows); }
  Result<std::vector<Id>> by_subject(const SubjectReference& subject) override {
    return store_->by_subject(subject);
  }
  Status remove(std::span<const Id> ids) override;
  Status forget_removed() override { return store_->forget_removed(); }
  Result<std::vector<FoundRow>> scan(const Id& after, std::size_t limit) override {
    return store_->scan(after, limit);
  }
  Status add_index(std::span<const IndexEntry> entries) override {
    return store_->add_index(entries);
  }
  Status drop_index(std::span<const IndexKey> keys) override;
  Status forget_dropped() override { return store_->forget_dropped(); }
  Result<std::unique_ptr<StoreSnapshot>> snapshot() override { return store_->snapshot(); }
  Status import(std::span<const StoreRecord> records) override { return store_->import(records); }
  Result<std::uint32_t> renewals_noted() override { return store_->renewals_noted(); }
  Status note_renewals(std::uint32_t count) override { return store_->note_renewals(count); }
  StoreStatistics statistics() const override { return store_->statistics(); }

 private:
  KnownTokens known_;
  std::unique_ptr<TokenStore> store_;
};

}  // namespace paravent::crypto::vault
