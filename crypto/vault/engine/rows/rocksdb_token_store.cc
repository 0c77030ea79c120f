#include "crypto/vault/engine/rows/rocksdb_token_store.h"

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "crypto/vault/engine/base/byte_reader.h"
#include "crypto/vault/engine/rows/rocksdb_database.h"

namespace paravent::crypto::vault {
namespace {

using rocksdb::Slice;

Error memory_refused() {
  return Error(ErrorKind::configuration,
               "The system does not give the memory that vault.memory asks for; ask for less.");
}

// u16 schema | installation
std::string owner_value(const Id& installation) {
  std::string value;
  append_u16be(value, 1);
  append_bytes(value, installation);
  return value;
}

}  // namespace

RocksdbTokenStore::RocksdbTokenStore(std::unique_ptr<Database> database)
    : database_(std::move(database)) {}

RocksdbTokenStore::~RocksdbTokenStore() = default;

Result<std::unique_ptr<RocksdbTokenStore>> RocksdbTokenStore::create(
    const std::filesystem::path& folder, const Id& installation,
    std::shared_ptr<rocksdb::FileSystem> file_system, std::size_t memory) {
  auto database = std::make_unique<Database>();
  auto status = database->start(folder.string(), true, std::move(file_system), memory);
  if (status.IsInvalidArgument()) {
    return Error(ErrorKind::data,
                 "The token store " + folder.string() + " exists already and is not overwritten.");
  }
  if (!status.ok()) return rocksdb_error(status);
  if (database->memory_refused()) return memory_refused();
  rocksdb::WriteBatch batch;
  batch.Put(database->owner, kOwnerKey, owner_value(installation));
  if (auto s = database->note_opening(folder, batch); !s) return s.error();
  return std::unique_ptr<RocksdbTokenStore>(new RocksdbTokenStore(std::move(database)));
}

Result<std::unique_ptr<RocksdbTokenStore>> RocksdbTokenStore::open(
    const std::filesystem::path& folder, const Id& installation,
    std::shared_ptr<rocksdb::FileSystem> file_system, std::size_t memory) {
  std::error_code missing;
  if (!std::filesystem::exists(folder / "CURRENT", missing)) {
    return Error(ErrorKind::data, "The token store " + folder.string() +
                                      " is missing; restore it from a data backup.");
  }
  auto database = std::make_unique<Database>();
  // Before RocksDB removes what it takes for left over.
  if (auto s = database->check_openings(folder, file_system); !s) return s.error();
  const auto status = database->start(folder.string(), false, std::move(file_system), memory);
  if (!status.ok()) {
    const Error error = rocksdb_error(status);
    if (error.kind() == ErrorKind::disk_full) return error;
    return Error(ErrorKind::data, "The token store " + folder.string() +
                                      " is damaged or cannot be read; check the disk, or restore "
                                      "it from a data backup.");
  }
  if (database->memory_refused()) return memory_refused();
  std::string owner;
  const auto got = database->db->Get(rocksdb::ReadOptions(), database->owner, kOwnerKey, &owner);
  ByteReader in(as_bytes(owner));
  const std::uint16_t schema = in.u16();
  const Id found = in.id();
  if (got.ok() && schema > 1) {
    return Error(ErrorKind::data, "The token store " + folder.string() +
                                      " was written by a newer version of paravent; install that "
                                      "version.");
  }
  if (!got.ok() || !in.done() || schema != 1) return rocksdb_error(rocksdb::Status::Corruption());
  if (found != installation) {
    return Error(ErrorKind::data, "The token store " + folder.string() +
                                      " belongs to another installation than the keys beside it; "
                                      "restore the one that does.");
  }
  rocksdb::WriteBatch batch;
  if (auto s = database->note_opening(folder, batch); !s) return s.error();
  database->purge_in_background();
  return std::unique_ptr<RocksdbTokenStore>(new RocksdbTokenStore(std::move(database)));
}

Status RocksdbTokenStore::find(std::span<const IndexKey> keys,
                               std::span<std::optional<FoundFacts>> out) {
  std::vector<std::string_view> views;
  views.reserve(keys.size());
  for (const IndexKey& key : keys) views.push_back(as_text(key));
  for (std::optional<FoundFacts>& one : out) one.reset();
  struct Found {
    std::size_t at;
    Id id;
  };
  std::vector<Found> found;
  found.reserve(keys.size());
  bool sizes_agree = true;
  const auto note_id = [&](std::size_t i, std::string_view id) {
    // Of another size: the table was altered.
    sizes_agree = sizes_agree && id.size() == sizeof(Id);
    if (id.size() == sizeof(Id)) found.push_back({i, id_from(id)});
  };
  if (auto s = database_->find_ids(views, note_id); !s) return s;
  if (!sizes_agree) return rocksdb_error(rocksdb::Status::Corruption());

  views.clear();
  for (const Found& one : found) views.push_back(as_text(one.id));
  return database_->find_facts(views, [&](std::size_t j, std::string_view facts) {
    FoundFacts& there = out[found[j].at].emplace();
    there.id = found[j].id;
    there.facts.assign(facts);
  });
}

Status RocksdbTokenStore::facts(std::span<const Id> ids,
                                std::span<std::optional<std::string>> out) {
  std::vector<std::string_view> views;
  views.reserve(ids.size());
  for (const Id& id : ids) views.push_back(as_text(id));
  for (std::optional<std::string>& one : out) one.reset();
  return database_->find_facts(
      views, [&](std::size_t i, std::string_view facts) { out[i].emplace(facts); });
}

Status RocksdbTokenStore::resolve(std::span<const Id> ids,
                                  std::span<std::optional<std::string>> out) {
  std::vector<Slice> slices;
  slices.reserve(ids.size());
  for (const Id& id : ids) slices.push_back(slice_of(id));
  std::vector<std::optional<std::string>> rows;
  if (auto s = database_->get(database_->rows, slices, rows); !s) return s;
  std::move(rows.begin(), rows.end(), out.begin());
  return {};
}

Status RocksdbTokenStore::find_aliases(std::span<const AliasKey> keys,
                                       std::span<std::optional<Id>> out) {
  std::vector<Slice> slices;
  slices.reserve(keys.size());
  for (const AliasKey& key : keys) slices.push_back(slice_of(key));
  std::vector<std::optional<std::string>> ids;
  if (auto s = database_->get(database_->aliases, slices, ids); !s) return s;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    out[i] = ids[i] ? std::optional(id_from(*ids[i])) : std::nullopt;
  }
  return {};
}

Status RocksdbTokenStore::commit(std::span<NewRow> create, std::span<const ChangedRow> change,
                                 std::span<NewAlias> aliases) {
  const std::scoped_lock lock(database_->write_mutex);
  if (auto s = check_changed(change); !s) return s;
  rocksdb::WriteBatch batch;
  std::set<Id> lost;
  if (auto s = add_rows(create, batch, lost); !s) return s;
  for (const ChangedRow& row : change) batch.Put(database_->rows, slice_of(row.id), row.row);
  if (auto s = add_aliases(aliases, lost, batch); !s) return s;
  return database_->write(batch);
}

Status RocksdbTokenStore::check_changed(std::span<const ChangedRow> change) const {
  std::vector<std::string_view> ids;
  std::vector<std::string_view> expected;
  for (const ChangedRow& row : change) {
    if (!row.facts) continue;
    ids.push_back(id_text(row.id));
    expected.push_back(*row.facts);
  }
  if (ids.empty()) return {};
  std::size_t same = 0;
  const auto compare = [&](std::size_t i, std::string_view facts) {
    if (facts == expected[i]) ++same;
  };
  if (auto s = database_->find_facts(ids, compare); !s) return s;
  if (same != ids.size()) return Error(ErrorKind::busy);
  return {};
}

Status RocksdbTokenStore::add_rows(std::span<NewRow> create, rocksdb::WriteBatch& batch,
                                   std::set<Id>& lost) {
  std::vector<IndexKey> keys;
  keys.reserve(create.size());
  for (const NewRow& row : create) {
    if (row.index) keys.push_back(*row.index);
  }
  std::vector<std::optional<FoundFacts>> found(keys.size());
  // Nothing may be minted twice because of what somebody saw without the lock. What memory holds is
  // exact under it: every write was told before its lock was given back, and who read before that
  // write was turned away (read_memory.h).
  if (auto s = find(keys, found); !s) return s;

  std::map<IndexKey, Id> made;
  std::size_t at = 0;
  for (NewRow& row : create) {
    row.created = true;
    if (row.index) {
      const std::optional<FoundFacts>& there = found[at++];
      const auto [it, first] = made.try_emplace(*row.index, there ? there->id : row.id);
      row.created = first && !there;
      if (!row.created) {
        lost.insert(row.id);
        row.id = it->second;
        continue;
      }
      batch.Put(database_->index, slice_of(*row.index), slice_of(row.id));
    }
    batch.Put(database_->rows, slice_of(row.id), row.row);
    if (row.subject) {
      std::string key(as_text(*row.subject));
      append_bytes(key, row.id);
      batch.Put(database_->subjects, key, Slice());
    }
  }
  return {};
}

Status RocksdbTokenStore::add_aliases(std::span<NewAlias> aliases, const std::set<Id>& lost,
                                      rocksdb::WriteBatch& batch) {
  std::vector<AliasKey> keys;
  keys.reserve(aliases.size());
  for (const NewAlias& alias : aliases) keys.push_back(alias.alias);
  std::vector<std::optional<Id>> holders(keys.size());
  if (auto s = find_aliases(keys, holders); !s) return s;
  std::map<AliasKey, Id> made;
  for (std::size_t i = 0; i < aliases.size(); ++i) {
    NewAlias& alias = aliases[i];
    if (holders[i]) {
      alias.holder = *holders[i];
      continue;
    }
    const auto it = made.find(alias.alias);
    if (it != made.end() || lost.contains(alias.id)) {
      alias.holder = it != made.end() ? it->second : kNoId;
      continue;
    }
    alias.holder = alias.id;
    made.emplace(alias.alias, alias.id);
    batch.Put(database_->aliases, slice_of(alias.alias), slice_of(alias.id));
  }
  return {};
}

Result<std::vector<Id>> RocksdbTokenStore::by_subject(const SubjectReference& subject) {
  std::vector<Id> ids;
  const std::unique_ptr<rocksdb::Iterator> it(
      database_->db->NewIterator(rocksdb::ReadOptions(), database_->subjects));
  for (it->Seek(slice_of(subject)); it->Valid() && it->key().starts_with(slice_of(subject));
       it->Next()) {
    ids.push_back(id_from(view_of(it->key()).substr(subject.size())));
  }
  if (!it->status().ok()) return rocksdb_error(it->status());
  return ids;
}

}  // namespace paravent::crypto::vault
