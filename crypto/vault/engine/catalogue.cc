#include "crypto/vault/engine/catalogue.h"

#include <array>
#include <cstdlib>
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

Result<std::unique_ptr<Catalogue>> Catalogue::load(std::unique_ptr<KeyStore> store, KeyTree tree) {
  std::unique_ptr<Catalogue> catalogue(new Catalogue(std::move(store), std::move(tree)));
  if (auto s = catalogue->read_all(); !s) return s.error();
  return catalogue;
}

Status Catalogue::read_all() {
  tree_.clear();
  names_ = NameRegistry();
  contexts_.clear();
  context_by_content_.clear();
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
      if (!context_by_content_.emplace(content_of(record->row, record->parent), key_id).second ||
          !contexts_.emplace(key_id, std::move(*record)).second) {
        return inconsistent();
      }
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

Result<Id> Catalogue::ensure_key(const KeyPlace& place, const Id& parent, WallTime now) {
  if (const auto found = tree_.find(place)) return *found;
  if (tree_.newest() != WallTime::min() && now + kClockTolerance < tree_.newest()) {
    return Error(ErrorKind::data,
                 "The clock of this machine is behind the newest key of the vault, "
                 "so no new key is made; set the clock right.");
  }
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
  return contexts_.emplace(key_id, std::move(record)).first->second;
}

Status Catalogue::commit() {
  if (staged_.empty()) return {};
  auto status = store_->put_if_generation(store_->generation(), staged_);
  if (!status) {
    roll_back();
    return status;
  }
  staged_.clear();
  return {};
}

void Catalogue::roll_back() {
  staged_.clear();
  // The store holds what was read once before.
  if (!read_all()) std::abort();
}

}  // namespace paravent::crypto::vault
