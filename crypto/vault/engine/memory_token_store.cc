#include "crypto/vault/engine/memory_token_store.h"

#include <set>

namespace paravent::crypto::vault {

Status MemoryTokenStore::find(std::span<const IndexKey> keys,
                              std::span<std::optional<FoundRow>> out) {
  const std::scoped_lock lock(mutex_);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    out[i].reset();
    const auto entry = index_.find(keys[i]);
    if (entry == index_.end()) continue;
    const auto row = rows_.find(entry->second);
    if (row != rows_.end()) out[i] = FoundRow{row->first, row->second};
  }
  return {};
}

Status MemoryTokenStore::resolve(std::span<const Id> ids,
                                 std::span<std::optional<std::string>> out) {
  const std::scoped_lock lock(mutex_);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto row = rows_.find(ids[i]);
    out[i] = row == rows_.end() ? std::nullopt : std::optional(row->second);
  }
  return {};
}

Status MemoryTokenStore::find_aliases(std::span<const AliasKey> keys,
                                      std::span<std::optional<Id>> out) {
  const std::scoped_lock lock(mutex_);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto entry = aliases_.find(keys[i]);
    out[i] = entry == aliases_.end() ? std::nullopt : std::optional(entry->second);
  }
  return {};
}

Status MemoryTokenStore::commit(std::span<NewRow> create, std::span<const ChangedRow> change,
                                std::span<NewAlias> aliases) {
  const std::scoped_lock lock(mutex_);
  for (NewRow& row : create) {
    const auto entry = row.index ? index_.find(*row.index) : index_.end();
    row.created = entry == index_.end() || !rows_.contains(entry->second);
    if (!row.created) {
      row.id = entry->second;
      continue;
    }
    if (row.index) index_[*row.index] = row.id;
    rows_[row.id] = row.row;
    if (row.subject) subjects_.emplace(*row.subject, row.id);
  }
  for (const ChangedRow& row : change) rows_[row.id] = row.row;
  for (NewAlias& alias : aliases) {
    const bool there = rows_.contains(alias.id);
    const auto entry =
        there ? aliases_.try_emplace(alias.alias, alias.id).first : aliases_.find(alias.alias);
    alias.holder = entry == aliases_.end() ? kNoId : entry->second;
  }
  return {};
}

Result<std::vector<Id>> MemoryTokenStore::by_subject(const SubjectReference& subject) {
  const std::scoped_lock lock(mutex_);
  std::vector<Id> ids;
  for (auto it = subjects_.lower_bound({subject, kNoId});
       it != subjects_.end() && it->first == subject; ++it) {
    ids.push_back(it->second);
  }
  return ids;
}

Status MemoryTokenStore::expire(std::span<const Id> ids) {
  const std::scoped_lock lock(mutex_);
  const std::set<Id> gone(ids.begin(), ids.end());
  for (const Id& id : ids) rows_.erase(id);
  std::erase_if(index_, [&](const auto& entry) { return gone.contains(entry.second); });
  std::erase_if(subjects_, [&](const auto& entry) { return gone.contains(entry.second); });
  for (auto& [alias, id] : aliases_) {
    if (gone.contains(id)) id = kNoId;
  }
  return {};
}

}  // namespace paravent::crypto::vault
