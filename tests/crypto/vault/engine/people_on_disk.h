// A key store with the store of people's keys beside it, as a vault has them, and four people in
// it.

#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/encoding.h"
#include "crypto/vault/engine/subjects/subject_store.h"
#include "tests/crypto/vault/engine/catalogue_on_disk.h"

namespace paravent::crypto::vault {

struct PeopleOnDisk {
  explicit PeopleOnDisk(std::filesystem::path where) : folder(std::move(where)) {}

  // REQUIRES: an empty folder. Four people, the last of whom is erased, which is not final yet.
  void make() {
    catalogue = make_catalogue(folder);
    tenant = catalogue->ensure_key({.key_class = KeyClass::tenant, .tenant = kTenant}, kNoId, now)
                 .value();
    const Id own =
        catalogue->ensure_key({.key_class = KeyClass::subject_store}, kNoId, now).value();
    ASSERT_TRUE(catalogue->commit());
    people = SubjectStore::create(folder, kTestInstallation, own, *catalogue->keys().open(own),
                                  catalogue->shred())
                 .value();
    const auto lock = people->lock_writers();
    std::vector<SubjectChange> changes;
    for (std::uint8_t n = 1; n <= 4; ++n) {
      const SubjectMade person{Id{n, 77}, kTenant, SubjectReference{n}, true, 100};
      const SubjectKeyMade key = people->make_key(person.id, Id{3}, *wrap(tenant), now, 100);
      changes.emplace_back(person);
      changes.emplace_back(key);
      made.push_back(key);
    }
    ASSERT_TRUE(people->commit(changes));
    const SubjectChange gone = SubjectErased{made.back().subject};
    ASSERT_TRUE(people->commit(std::span(&gone, 1)));
  }

  // As a new process would.
  Status open() {
    people.reset();
    catalogue.reset();
    auto loaded = open_catalogue(folder);
    if (!loaded) return loaded.error();
    catalogue = std::move(*loaded);
    const Id own = *catalogue->keys().find({.key_class = KeyClass::subject_store});
    auto opened = SubjectStore::open(folder, kTestInstallation, own, *catalogue->keys().open(own),
                                     catalogue->shred());
    if (!opened) return opened.error();
    people = std::move(*opened);
    return {};
  }

  Result<TenantWrap> wrap(const Id& parent) const {
    auto outer = catalogue->keys().wrapping_key_under(parent);
    if (!outer) return outer.error();
    return TenantWrap{kTenant, parent, std::move(*outer)};
  }
  // The bytes of a key as its record was; empty: it does not open.
  std::string open_key(const SubjectKeyMade& record) const {
    const auto outer = wrap(record.parent);
    SecretBytes key(kTreeKeySize);
    if (!outer || !people->open_key(record, *outer, key.mutable_bytes())) return {};
    return to_hex(key.bytes());
  }
  // Of everybody who is there, by what the file says of them now.
  std::map<Id, std::string> all() const {
    std::map<Id, SubjectKeyMade> records;
    people->read([&](const SubjectTable& table) {
      table.for_each([&](const Subject& subject) {
        for (const SubjectKey* key : table.keys_of(subject)) {
          records.emplace(subject.made.id, key->made);
        }
      });
    });
    std::map<Id, std::string> out;
    for (const auto& [id, record] : records) out.emplace(id, open_key(record));
    return out;
  }

  static constexpr Id kTenant{1};
  WallTime now{std::chrono::hours(500000)};
  std::filesystem::path folder;
  std::unique_ptr<Catalogue> catalogue;
  std::unique_ptr<SubjectStore> people;
  Id tenant{};
  std::vector<SubjectKeyMade> made;  // as they were at first
};

}  // namespace paravent::crypto::vault
