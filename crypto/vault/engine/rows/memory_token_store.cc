#include "crypto/vault/engine/rows/memory_token_store.h"

#include <algorithm>
#include <set>
#include <utility>

#include "crypto/vault/engine/rows/row_facts.h"

namespace paravent::crypto::vault {
namespace {

class CopiedSnapshot final : public StoreSnapshot {
 public:
  explicit CopiedSnapshot(std::vector<StoreRecord> records) : records_(std::move(records)) {}
  Result<bool> next(StoreRecord& record) override {
    if (at_ == records_.size()) return false;
    record = records_[at_++];
    return true;
  }

 private:
  std::vector<StoreRecord> records_;
  std::size_t at_ = 0;
};

}  // namespace

Status MemoryTokenStore::find(std::span<const IndexKey> keys,
                              std::span<std::optional<FoundFacts>> out) {
  const std::scoped_lock lock(mutex_);
  std::string scratch;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    out[i].reset();
    const auto entry = index_.find(keys[i]);
    if (entry == index_.end()) continue;
    const auto row = rows_.find(entry->second);
    if (row == rows_.end()) continue;
    out[i] = FoundFacts{row->first, ShortText(row_facts(row->second, scratch))};
  }
  return {};
}

Status MemoryTokenStore::facts(std::span<const Id> ids, std::span<std::optional<std::string>> out) {
  if (auto s = resolve(ids, out); !s) return s;
  std::string scratch;
  for (std::optional<std::string>& row : out) {
    if (row) row = std::string(row_facts(*row, scratch));
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
  std::string scratch;
  for (const ChangedRow& row : change) {
    if (!row.facts) continue;
    const auto there = rows_.find(row.id);
    if (there == rows_.end() || row_facts(there->second, scratch) != *row.facts) {
      return Error(ErrorKind::busy);
    }
  }
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

Status MemoryTokenStore::replace(std::span<ReplacedRow> rows) {
  const std::scoped_lock lock(mutex_);
  for (ReplacedRow& row : rows) {
    const auto there = rows_.find(row.id);
    row.done = there != rows_.end() && there->second == row.from;
    if (row.done) there->second = row.to;
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

Status MemoryTokenStore::remove(std::span<const Id> ids) {
  const std::scoped_lock lock(mutex_);
  for (const Id& id : ids) rows_.erase(id);
  removed_.insert(ids.begin(), ids.end());
  return {};
}

Status MemoryTokenStore::forget_removed() {
  const std::scoped_lock lock(mutex_);
  const auto is_gone = [&](const Id& id) { return removed_.contains(id); };
  std::erase_if(index_, [&](const auto& entry) { return is_gone(entry.second); });
  std::erase_if(subjects_, [&](const auto& entry) { return is_gone(entry.second); });
  for (auto& [alias, id] : aliases_) {
    if (is_gone(id)) id = kNoId;
  }
  removed_.clear();
  return {};
}

Result<std::vector<FoundRow>> MemoryTokenStore::scan(const Id& after, std::size_t limit) {
  const std::scoped_lock lock(mutex_);
  std::vector<FoundRow> out;
  for (auto it = rows_.upper_bound(after); it != rows_.end() && out.size() < limit; ++it) {
    out.push_back({it->first, it->second});
  }
  return out;
}

Status MemoryTokenStore::add_index(std::span<const IndexEntry> entries) {
  const std::scoped_lock lock(mutex_);
  for (const IndexEntry& entry : entries) {
    if (!rows_.contains(entry.id)) continue;
    const auto [it, first] = index_.try_emplace(entry.index, entry.id);
    if (!first && !rows_.contains(it->second)) it->second = entry.id;
  }
  return {};
}

Status MemoryTokenStore::drop_index(std::span<const IndexKey> keys) {
  const std::scoped_lock lock(mutex_);
  for (const IndexKey& key : keys) index_.erase(key);
  return {};
}

Result<std::unique_ptr<StoreSnapshot>> MemoryTokenStore::snapshot() {
  const std::scoped_lock lock(mutex_);
  std::vector<StoreRecord> records;
  for (const auto& [id, row] : rows_) {
    records.push_back({StoreRecordKind::row, std::string(id_text(id)), row});
  }
  for (const auto& [subject, id] : subjects_) {
    std::string key(as_text(subject));
    append_bytes(key, id);
    records.push_back({StoreRecordKind::subject, std::move(key), {}});
  }
  for (const auto& [alias, id] : aliases_) {
    records.push_back(
        {StoreRecordKind::alias, std::string(as_text(alias)), std::string(id_text(id))});
  }
  return std::unique_ptr<StoreSnapshot>(std::make_unique<CopiedSnapshot>(std::move(records)));
}

Status MemoryTokenStore::import(std::span<const StoreRecord> records) {
  const std::scoped_lock lock(mutex_);
  for (const StoreRecord& record : records) {
    if (!has_sizes_of_its_kind(record)) return Error(ErrorKind::malformed);
    const ByteView key = as_bytes(record.key);
    if (record.kind == StoreRecordKind::row) {
      rows_[id_from(record.key)] = record.value;
    } else if (record.kind == StoreRecordKind::subject) {
      SubjectReference subject{};
      std::copy_n(key.begin(), subject.size(), subject.begin());
      subjects_.emplace(subject, id_from(std::string_view(record.key).substr(subject.size())));
    } else {
      AliasKey alias{};
      std::copy_n(key.begin(), alias.size(), alias.begin());
      aliases_[alias] = id_from(record.value);
    }
  }
  return {};
}

Result<std::uint32_t> MemoryTokenStore::renewals_noted() {
  const std::scoped_lock lock(mutex_);
  return renewals_;
}

Status MemoryTokenStore::note_renewals(std::uint32_t count) {
  const std::scoped_lock lock(mutex_);
  renewals_ = count;
  return {};
}

StoreStatistics MemoryTokenStore::statistics() const {
  const std::scoped_lock lock(mutex_);
  return {.rows = rows_.size()};
}

}  // namespace paravent::crypto::vault
