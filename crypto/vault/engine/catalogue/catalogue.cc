#include "crypto/vault/engine/catalogue/catalogue.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <tuple>
#include <utility>

#include "crypto/primitives/random.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::chrono::seconds kClockTolerance{5};

std::string content_of(ContextRow row, const Id& parent) {
  row.key_id = 0;
  return encode_context_row(row).append(id_text(parent));
}

Error inconsistent() {
  return Error(ErrorKind::data,
               "The key store contradicts itself or was written by a newer version "
               "of paravent; restore it from a key backup.");
}

}  // namespace

Result<std::unique_ptr<Catalogue>> Catalogue::load(std::unique_ptr<KeyStore> store, KeyTree tree,
                                                   ShredSecret shred, ShredFiles files) {
  std::unique_ptr<Catalogue> catalogue(
      new Catalogue(std::move(store), std::move(tree), std::move(shred), std::move(files)));
  if (auto s = catalogue->read_all(); !s) return s.error();
  return catalogue;
}

Result<std::unique_ptr<Catalogue>> Catalogue::load(std::unique_ptr<KeyStore> store,
                                                   const RootKey& root) {
  ShredSecret shred = ShredSecret::random();
  KeyTree tree(root, shred);
  return load(std::move(store), std::move(tree), std::move(shred), ShredFiles());
}

Status Catalogue::read_all() {
  tree_.clear();
  names_ = NameRegistry();
  tenant_contexts_.clear();
  contexts_.clear();
  context_by_content_.clear();
  retentions_.clear();
  holds_.clear();
  keeper_ = {};
  row_wishes_ = {};
  index_versions_.clear();
  key_backups_.clear();
  Status status;
  store_->for_each([&](const RecordRef& ref, ByteView payload) {
    if (status) status = read_one(ref, payload);
  });
  return status;
}

Status Catalogue::read_one(const RecordRef& ref, ByteView payload) {
  switch (ref.type) {
    case RecordType::key: {
      auto record = decode_key_record(ref.id, payload);
      if (!record || !tree_.add(*record)) return inconsistent();
      return {};
    }
    case RecordType::name: {
      auto record = decode_name_record(ref.id, payload);
      if (!record || !names_.add(std::move(*record))) return inconsistent();
      return {};
    }
    case RecordType::context: {
      auto record = decode_context_record(ref.id, payload);
      if (!record) return inconsistent();
      const std::uint32_t key_id = record->row.key_id;
      if (!context_by_content_.emplace(content_of(record->row, record->parent), key_id).second) {
        return inconsistent();
      }
      const auto [at, added] = contexts_.emplace(key_id, std::move(*record));
      if (!added) return inconsistent();
      tenant_contexts_.add(at->second);
      return {};
    }
    case RecordType::retention: {
      const auto record = decode_retention(payload);
      if (!record || !retentions_.emplace(ref.id, *record).second) return inconsistent();
      return {};
    }
    case RecordType::hold: {
      auto record = decode_hold(ref.id, payload);
      if (!record || !holds_.emplace(ref.id, std::move(*record)).second) return inconsistent();
      return {};
    }
    case RecordType::keeper: {
      const auto record = decode_keeper(payload);
      if (!record || ref != kKeeperRef) return inconsistent();
      keeper_ = *record;
      return {};
    }
    case RecordType::rows: {
      const auto record = decode_row_wishes(payload);
      if (!record || ref != kRowWishesRef) return inconsistent();
      row_wishes_ = *record;
      return {};
    }
    case RecordType::index: {
      const auto record = decode_index_versions(payload);
      if (!record || !index_versions_.emplace(ref.id, *record).second) return inconsistent();
      return {};
    }
    case RecordType::backup: {
      const auto entry = decode_key_backup(ref.id, payload);
      if (!entry) return inconsistent();
      key_backups_.push_back(*entry);
      return {};
    }
    case RecordType::subject_key:
      break;
  }
  return inconsistent();
}

const ContextRecord* Catalogue::context(std::uint32_t key_id) const {
  const auto it = contexts_.find(key_id);
  return it == contexts_.end() ? nullptr : &it->second;
}

const ContextRecord* Catalogue::find_context(const ContextRow& row, const Id& parent) const {
  const auto it = context_by_content_.find(content_of(row, parent));
  return it == context_by_content_.end() ? nullptr : &contexts_.at(it->second);
}

Id Catalogue::ensure_name(NameKind kind, const Id& owner, std::string_view name) {
  if (const auto found = names_.find(kind, owner, name)) return *found;
  NameRecord record{kind, random_id(), owner, std::string(name)};
  staged_.push_back({{RecordType::name, record.id}, encode_name_record(record)});
  const Id id = record.id;
  if (!names_.add(std::move(record))) std::abort();
  return id;
}

void Catalogue::rename(const Id& id, std::string_view name) {
  names_.rename(id, name);
  staged_.push_back({{RecordType::name, id}, encode_name_record(*names_.by_id(id))});
}

bool Catalogue::clock_is_behind(WallTime now) const {
  const WallTime newest = tree_.newest_but([this](WallTime made) { return keeper_.doubts(made); });
  return now + kClockTolerance < std::max(newest, keeper_.confirmed);
}

void Catalogue::trust_clock(WallTime now) {
  const WallTime newest = tree_.newest();
  if (newest > now) {
    KeeperRecord keeper = keeper_;
    keeper.confirmed = now;
    keeper.doubted_until = newest;
    put_keeper(keeper);
  }
  for (KeyBackupEntry& entry : key_backups_) {
    if (entry.made <= now) continue;
    entry.made = now;
    entry.expires = std::max(entry.expires, now);
    staged_.push_back({{RecordType::backup, entry.id}, encode_key_backup(entry)});
  }
}

Status Catalogue::check_clock(const KeyPlace& place, WallTime now) const {
  if (place.key_class == KeyClass::audit_detail || !clock_is_behind(now)) return {};
  return Error(ErrorKind::sealed,
               "The clock of this machine is behind the newest key of the vault, so no new key is "
               "made; set the clock right, or if it is, say so with: paravent keys confirm.");
}

Result<Id> Catalogue::ensure_key(const KeyPlace& place, const Id& parent, WallTime now) {
  if (const auto found = tree_.find(place)) {
    if (tree_.usable(*found, KeyOperation::protect)) return *found;
    const bool over_early = place.key_class == KeyClass::epoch && now < epoch_end(place.epoch) &&
                            tree_.record(*found)->condition.state == KeyState::deactivated;
    if (!over_early) {
      return Error(ErrorKind::sealed,
                   "A key that is needed is disabled or compromised; enable or rotate it.");
    }
  }
  if (auto s = check_clock(place, now); !s) return s.error();
  auto record = tree_.make(place, parent, now);
  if (!record) return record.error();
  staged_.push_back({{RecordType::key, record->id}, encode_key_record(*record)});
  return record->id;
}

const ContextRecord& Catalogue::ensure_context(ContextRow row, const Id& parent) {
  std::string content = content_of(row, parent);
  if (const auto it = context_by_content_.find(content); it != context_by_content_.end()) {
    return contexts_.at(it->second);
  }
  do {
    std::array<std::uint8_t, 4> bytes{};
    random_bytes(bytes);
    row.key_id = load_u32be(bytes.data());
  } while (row.key_id == 0 || contexts_.contains(row.key_id));
  const std::uint32_t key_id = row.key_id;
  ContextRecord record{parent, std::move(row)};
  staged_.push_back({context_ref(key_id), encode_context_record(record)});
  context_by_content_.emplace(std::move(content), key_id);
  const ContextRecord& made = contexts_.emplace(key_id, std::move(record)).first->second;
  tenant_contexts_.add(made);
  return made;
}

Status Catalogue::apply(const Id& key, KeyOperation operation, WallTime now) {
  const KeyRecord* found = tree_.record(key);
  if (found == nullptr) return Error(ErrorKind::refused, "There is no such key.");
  KeyRecord changed = *found;
  // Destroying is a batch of its own, destroy().
  if (operation == KeyOperation::destroy || !vault::apply(changed, operation, now)) {
    return Error(ErrorKind::refused, "A key that is " +
                                         std::string(key_state_name(found->condition.state)) +
                                         " does not take the operation " +
                                         std::string(key_operation_name(operation)) + ".");
  }
  tree_.replace(changed);
  staged_.push_back({{RecordType::key, key}, encode_key_record(changed)});
  return {};
}

void Catalogue::end_protection(const Id& key, WallTime now) {
  KeyRecord changed = *tree_.record(key);
  if (changed.condition.state == KeyState::suspended) {
    changed.condition.ended = true;
  } else if (!vault::apply(changed, KeyOperation::deactivate, now)) {
    return;
  }
  tree_.replace(changed);
  staged_.push_back({{RecordType::key, key}, encode_key_record(changed)});
}

void Catalogue::note_guard(const Id& key, std::chrono::milliseconds since) {
  KeyRecord changed = *tree_.record(key);
  changed.guarded_since = since;
  tree_.replace(changed);
  staged_.push_back({{RecordType::key, key}, encode_key_record(changed)});
}

Result<Id> Catalogue::rotate(const Id& key, WallTime now) {
  const KeyRecord* found = tree_.record(key);
  if (found == nullptr || tree_.find(place_of(*found)) != key) {
    return Error(ErrorKind::refused, "Only the newest version of a key rotates.");
  }
  const KeyPlace place = place_of(*found);
  if (auto s = check_clock(place, now); !s) return s.error();
  const bool active = found->condition.state == KeyState::active;
  auto made = tree_.make(place, found->parent, now);
  if (!made) return made.error();
  staged_.push_back({{RecordType::key, made->id}, encode_key_record(*made)});
  // A disabled or compromised one stays what it is.
  if (active) {
    if (auto s = apply(key, KeyOperation::deactivate, now); !s) return s.error();
  }
  return made->id;
}

Status Catalogue::replace_root(const RootKey& next) {
  if (staged()) return Error(ErrorKind::usage, "A change of the key store is not finished.");
  const auto rewrapped = tree_.rewrapped(next);
  if (!rewrapped) return rewrapped.error();
  std::vector<StoredRecord> records;
  for (const KeyRecord& record : *rewrapped) {
    records.push_back({{RecordType::key, record.id}, encode_key_record(record)});
  }
  if (auto s = store_->replace_root(store_->generation(),
                                    {.put = records, .remove = {}, .shred_number = {}}, next);
      !s) {
    return s;
  }
  tree_.adopt(next);
  if (!read_all()) std::abort();
  // Every wrap was opened before, and the file is durable. From here on nothing may look like an
  // error: whoever changes the root key would take it for unchanged.
  return {};
}

Status Catalogue::commit() {
  if (!staged()) return {};
  auto status = store_->change_if_generation(
      store_->generation(), {.put = staged_, .remove = removed_, .shred_number = {}});
  if (!status) {
    roll_back();
    return status;
  }
  staged_.clear();
  removed_.clear();
  return {};
}

void Catalogue::put_retention(const Id& purpose, const RetentionRecord& record) {
  retentions_[purpose] = record;
  staged_.push_back({{RecordType::retention, purpose}, encode_retention(record)});
}

void Catalogue::put_hold(const HoldRecord& record) {
  holds_[record.id] = record;
  staged_.push_back({{RecordType::hold, record.id}, encode_hold(record)});
}

void Catalogue::remove_hold(const Id& hold) {
  holds_.erase(hold);
  removed_.push_back({RecordType::hold, hold});
}

void Catalogue::put_keeper(const KeeperRecord& record) {
  keeper_ = record;
  staged_.push_back({kKeeperRef, encode_keeper(record)});
}

void Catalogue::put_key_backup(const KeyBackupEntry& entry) {
  key_backups_.push_back(entry);
  staged_.push_back({{RecordType::backup, entry.id}, encode_key_backup(entry)});
}

void Catalogue::put_row_wishes(const RowWishes& wishes) {
  row_wishes_ = wishes;
  staged_.push_back({kRowWishesRef, encode_row_wishes(wishes)});
}

IndexVersions Catalogue::index_version(const Id& domain) const {
  const auto it = index_versions_.find(domain);
  return it == index_versions_.end() ? IndexVersions{} : it->second;
}

void Catalogue::put_index_versions(const Id& domain, const IndexVersions& versions) {
  index_versions_[domain] = versions;
  staged_.push_back({{RecordType::index, domain}, encode_index_versions(versions)});
}

void Catalogue::roll_back() {
  if (!staged()) return;
  staged_.clear();
  removed_.clear();
  // The store holds what was read once before.
  if (!read_all()) std::abort();
}

}  // namespace paravent::crypto::vault
