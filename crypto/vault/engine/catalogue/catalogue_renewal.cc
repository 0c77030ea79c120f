// The batches in which every wrap of the key store is made anew: destruction, and the rotation of
// keys that others hang on. In the order of key_renewal.h.

#include <algorithm>
#include <cstdlib>
#include <string>
#include <tuple>
#include <utility>

#include "crypto/vault/engine/catalogue/catalogue.h"

namespace paravent::crypto::vault {
namespace {

bool is_parent(KeyClass key_class) {
  return key_class == KeyClass::tenant || key_class == KeyClass::domain;
}

// The batch has happened; until the old secret is erased, older copies open.
Error unsettled(const std::string& what) {
  return Error(ErrorKind::data, what +
                                    " the old shred secret could not be erased yet; mend what "
                                    "keeps the keys folder from being written: the gateway tries "
                                    "again every minute.");
}

}  // namespace

Result<std::vector<Id>> Catalogue::destroy(std::span<const Id> keys,
                                           std::span<RenewalPart* const> parts, WallTime now) {
  if (staged()) return Error(ErrorKind::usage, "A change of the key store is not finished.");
  // The secret in force must lie under its own name before another is staged beside it.
  if (auto s = settle_secret(); !s) return s.error();
  std::vector<Id> all(keys.begin(), keys.end());
  for (const Id& key : keys) {
    const KeyRecord* found = tree_.record(key);
    if (found == nullptr || !is_parent(found->key_class)) continue;
    for (const Id& version : tree_.versions(place_of(*found))) all.push_back(version);
  }
  std::vector<StoredRecord> records;
  std::set<Id> gone = tree_.with_descendants(all);
  for (auto id = gone.begin(); id != gone.end();) {
    const KeyRecord* found = tree_.record(*id);
    const bool named = std::find(keys.begin(), keys.end(), *id) != keys.end();
    KeyRecord dead = found == nullptr ? KeyRecord{} : *found;
    if (found == nullptr || !vault::apply(dead, KeyOperation::destroy, now)) {
      if (named)
        return Error(ErrorKind::refused, "There is no such key, or it is destroyed already.");
      id = gone.erase(id);  // a child that went before
      continue;
    }
    records.push_back({{RecordType::key, *id}, encode_key_record(dead)});
    // A domain that is made again begins with an index of its own.
    if (found->key_class == KeyClass::domain && index_versions_.contains(found->domain)) {
      const IndexVersions next{index_version(found->domain).current + 1, 0, kNoId, kNoId};
      if (tree_.find(place_of(*found)) == *id) {
        records.push_back({{RecordType::index, found->domain}, encode_index_versions(next)});
      }
    }
    ++id;
  }
  // The clock may have been set back since the rows were purged last.
  if (!records.empty() && now <= row_wishes_.purged_until) {
    RowWishes wishes = row_wishes_;
    wishes.purged_until = now - std::chrono::milliseconds(1);
    records.push_back({kRowWishesRef, encode_row_wishes(wishes)});
  }
  if (auto s = renew(std::move(records), gone, parts); !s) {
    if (!secret_unsettled_) return s.error();
    return unsettled("What was to be destroyed is, but");
  }
  return std::vector<Id>(gone.begin(), gone.end());
}

Result<Id> Catalogue::rotate_parent(const Id& key, std::span<RenewalPart* const> parts,
                                    WallTime now) {
  if (staged()) return Error(ErrorKind::usage, "A change of the key store is not finished.");
  if (auto s = settle_secret(); !s) return s.error();
  const KeyRecord* found = tree_.record(key);
  if (found == nullptr || !is_parent(found->key_class) || tree_.find(place_of(*found)) != key) {
    return Error(ErrorKind::refused, "Only the newest version of a key rotates.");
  }
  KeyRecord old = *found;
  const KeyPlace place = place_of(old);
  if (auto s = check_clock(place, now); !s) return s.error();
  if (old.condition.state == KeyState::suspended) {
    return Error(ErrorKind::refused,
                 "What is below this key would come back into use; enable it first.");
  }
  IndexVersions index = index_version(place.domain);
  if (place.key_class == KeyClass::domain && index.before != 0) {
    return Error(ErrorKind::busy,
                 "The index of this domain is being moved; rotate its key afterwards.");
  }
  const auto next = tree_.make(place, old.parent, now);
  if (!next) return next.error();
  const Id id = next->id;
  // A disabled or compromised one stays what it is.
  if (old.condition.state == KeyState::active && vault::apply(old, KeyOperation::deactivate, now)) {
    tree_.replace(old);
  }
  std::vector<StoredRecord> records;
  if (place.key_class == KeyClass::domain) {
    index = {index.current + 1, index.current, id, index.key};
    records.push_back({{RecordType::index, place.domain}, encode_index_versions(index)});
  }
  const Status status = renew(std::move(records), {}, parts);
  // The store holds what was read once before.
  if (!status && !read_all()) std::abort();
  if (status) return id;
  if (tree_.record(id) == nullptr) return status.error();
  return unsettled("The key has a new version, but");
}

Status Catalogue::renew(std::vector<StoredRecord> records, const std::set<Id>& gone,
                        std::span<RenewalPart* const> parts) {
  ShredSecret next = shred_.next();
  const std::map<Id, Id> moved = tree_.superseded();
  const auto renewed = tree_.renewed(next, gone, moved);
  if (!renewed) return renewed.error();
  for (const KeyRecord& record : *renewed) {
    records.push_back({{RecordType::key, record.id}, encode_key_record(record)});
  }
  const Renewal renewal{tree_, gone, moved, shred_, next};
  Status status = shred_files_.stage(next);
  for (std::size_t i = 0; i < parts.size() && status; ++i) status = parts[i]->prepare(renewal);
  if (status) {
    status = store_->change_if_generation(
        store_->generation(), {.put = records, .remove = {}, .shred_number = next.number()});
  }
  if (!status) {
    for (RenewalPart* part : parts) part->cancel();
    // What cannot be erased now is erased at the next opening.
    std::ignore = shred_files_.drop_staged();
    return status;
  }
  tree_.adopt(next);
  shred_ = std::move(next);
  // The store holds what was read once before.
  if (!read_all()) std::abort();
  for (RenewalPart* part : parts) part->finish(shred_.number());
  secret_unsettled_ = true;
  return settle_secret();
}

// Only what is certain to be on the disk may cost the old secret.
Status Catalogue::settle_secret() {
  if (!secret_unsettled_) return {};
  if (auto s = store_->read_back(); !s) return s;
  if (auto s = shred_files_.adopt_staged(); !s) return s;
  secret_unsettled_ = false;
  return {};
}

}  // namespace paravent::crypto::vault
