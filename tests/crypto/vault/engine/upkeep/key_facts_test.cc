// What a backup says of what people have settled, and which rows older keys can never open.

#include "crypto/vault/engine/upkeep/key_facts.h"

#include <chrono>

#include "crypto/vault/engine/rows/rocksdb_token_store.h"
#include "crypto/vault/engine/upkeep/key_admin.h"
#include "tests/crypto/vault/engine/subject_support.h"

namespace paravent::crypto::vault {
namespace {

using std::chrono::days;

class KeyFactsTest : public testing::Test {
 protected:
  KeyFactsTest() { EXPECT_TRUE(disk.vault->admit_names(std::vector{atelier()})); }

  KeyFacts facts() { return KeyFactsReader(*disk.vault).read(); }
  Id subject(const std::string& person) {
    SubjectAdmin admin(*disk.vault);
    return admin.find(*disk.vault->tenant_id("atelier"), Kind::email, person).value();
  }
  void keep_keys() { std::filesystem::copy(disk.data_path / "keys", temp.path() / "keys"); }
  // As a restore does: these older keys, and of the store its rows without their index.
  void restore_with_kept_keys() {
    std::vector<StoreRecord> records;
    {
      const auto snapshot = disk.vault->snapshot_store().value();
      StoreRecord record;
      while (snapshot->next(record).value()) records.push_back(record);
    }
    const Id installation = disk.vault->installation_id();
    disk.close();
    std::filesystem::remove_all(disk.data_path / "store");
    std::filesystem::remove_all(disk.data_path / "keys");
    ASSERT_TRUE(DataDirectory::create(disk.data_path));
    std::filesystem::remove_all(disk.data_path / "keys");
    std::filesystem::copy(temp.path() / "keys", disk.data_path / "keys");
    {
      auto store = RocksdbTokenStore::create(disk.data_path / "store", installation).value();
      ASSERT_TRUE(store->import(records));
    }
    ASSERT_TRUE(disk.open());
  }

  DiskVault disk;
  TempDir temp;
};

TEST_F(KeyFactsTest, AreWhatWasSettled) {
  const KeyFacts before = facts();
  EXPECT_TRUE(before.holds.empty());
  EXPECT_TRUE(before.marks.empty());
  EXPECT_FALSE(before.newest_key);
  const BoundRoute route = bound_route(*disk.vault);
  ask(*disk.vault, route, "anne@example.fr", "Anne");
  disk.clock.advance(std::chrono::hours(1));
  const Answer paul = ask(*disk.vault, route, "paul@example.fr", "Paul");
  KeyAdmin keys(*disk.vault);
  SubjectAdmin people(*disk.vault);
  const auto until = disk.clock.now() + days(40);
  const Id hold = keys.hold("atelier", "contact", {}, "a dispute", until).value();
  const std::vector<PurposeRetention> longer{
      {"atelier", "contact", RetentionRule{CountsFrom::collection, {36, 0}, {}}}};
  const std::vector<PurposeRetention> shorter{
      {"atelier", "contact", RetentionRule{CountsFrom::collection, {12, 0}, {}}}};
  ASSERT_TRUE(keys.set_retentions(longer));
  ASSERT_TRUE(keys.set_retentions(shorter));
  ASSERT_TRUE(people.mark(subject("anne@example.fr"), true, {}));
  ASSERT_TRUE(people.mark(subject("paul@example.fr"), {}, true));
  ASSERT_TRUE(people.note_event(subject("paul@example.fr"), "contact", disk.clock.now()));

  const KeyFacts now = facts();
  EXPECT_GT(now.moment.generation, before.moment.generation);
  ASSERT_EQ(now.holds.size(), 1U);
  EXPECT_EQ(now.holds.at(hold).record.until, until);
  EXPECT_EQ(now.holds.at(hold).tenant, "atelier");
  EXPECT_EQ(now.holds.at(hold).purpose, "contact");
  EXPECT_EQ(now.holds.at(hold).record.reason, "");  // it may tell of people
  ASSERT_EQ(now.retentions.size(), 1U);
  const RetentionFact& retention = now.retentions.begin()->second;
  EXPECT_EQ(retention.purpose, "contact");
  EXPECT_EQ(retention.record.rule, longer[0].rule);
  EXPECT_EQ(retention.record.pending, shorter[0].rule);
  EXPECT_EQ(now.freezes, static_cast<std::uint8_t>(Freeze::retention));
  EXPECT_EQ(now.marks, (std::map<Id, std::uint8_t>{{subject("anne@example.fr"), kRestricted},
                                                   {subject("paul@example.fr"), kObjected}}));
  ASSERT_TRUE(now.newest_key);
  EXPECT_EQ(*now.newest_key, paul.subject.seal.handle);
  ASSERT_EQ(now.events.size(), 1U);
  EXPECT_EQ(now.events.begin()->first, paul.subject.seal.handle);
  const KeyFactsReader reader(*disk.vault);
  EXPECT_TRUE(reader.knows_person_key(*now.newest_key));
  EXPECT_FALSE(reader.knows_person_key(Id{1}));
  EXPECT_EQ(reader.reference_of(subject("anne@example.fr")),
            people.info(subject("anne@example.fr"))->reference);
  EXPECT_FALSE(reader.reference_of(Id{1}));
}

TEST_F(KeyFactsTest, RowsOfPeopleWhoCameAfterTheKeysAreLackingAndNoOthers) {
  const BoundRoute route = bound_route(*disk.vault);
  const Answer anne = ask(*disk.vault, route, "anne@example.fr", "Anne");
  keep_keys();
  disk.clock.advance(std::chrono::hours(1));
  const Answer paul = ask(*disk.vault, route, "paul@example.fr", "Paul");
  ASSERT_EQ(disk.vault->rebuild_index()->without_person, 0U);
  const KeyFacts then = facts();
  restore_with_kept_keys();
  EXPECT_FALSE(KeyFactsReader(*disk.vault).knows_person_key(*then.newest_key));
  const auto report = disk.vault->rebuild_index();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->rows, 4U);
  EXPECT_EQ(report->indexed, 2U);
  EXPECT_EQ(report->lacking, 0U);
  EXPECT_EQ(report->without_person, 2U);
  EXPECT_EQ(open_text(*disk.vault, anne.tokens[1]), "Anne");
  // Whoever comes back is somebody new; nothing of the lost rows is taken up again.
  const Answer again = ask(*disk.vault, bound_route(*disk.vault), "paul@example.fr", "Paul");
  EXPECT_NE(again.tokens, paul.tokens);
  EXPECT_EQ(open_text(*disk.vault, again.tokens[1]), "Paul");
  EXPECT_EQ(open_text(*disk.vault, paul.tokens[1]), "(unavailable)");
}

TEST_F(KeyFactsTest, RowsUnderAKeyThatTheOlderKeysLackAreLackingAndNoOthers) {
  const auto bind = [&](const std::string& purpose) {
    const std::vector specs{email_tokens(purpose)};
    return std::move(disk.vault->bind("atelier", specs)->front());
  };
  const std::string kept = mint(*disk.vault, bind("contact"), "anne@example.fr");
  keep_keys();
  const std::string lost = mint(*disk.vault, bind("billing"), "paul@example.fr");
  ASSERT_EQ(open_text(*disk.vault, lost, "billing"), "paul@example.fr");
  restore_with_kept_keys();
  const auto report = disk.vault->rebuild_index();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->indexed, 1U);
  EXPECT_EQ(report->unknown, 1U);
  EXPECT_EQ(report->lacking, 1U);
  EXPECT_EQ(report->without_person, 0U);
  EXPECT_EQ(open_text(*disk.vault, kept), "anne@example.fr");
  EXPECT_EQ(open_text(*disk.vault, lost, "billing"), "(unavailable)");
  // A new key for the same place is another one: the lost row stays closed, and the value that
  // comes again gets another token.
  const std::string again = mint(*disk.vault, bind("billing"), "paul@example.fr");
  EXPECT_NE(again, lost);
  EXPECT_EQ(open_text(*disk.vault, again, "billing"), "paul@example.fr");
  EXPECT_EQ(open_text(*disk.vault, lost, "billing"), "(unavailable)");
}

TEST_F(KeyFactsTest, RowsUnderADestroyedKeyAreNotLacking) {
  const std::vector specs{email_tokens()};
  mint(*disk.vault, disk.vault->bind("atelier", specs)->front(), "anne@example.fr");
  KeyAdmin admin(*disk.vault);
  for (const KeyInfo& key : admin.list()) {
    if (key.record.key_class != KeyClass::epoch) continue;
    const std::vector gone{key.record.id};
    ASSERT_TRUE(admin.destroy(gone));
  }
  const auto report = disk.vault->rebuild_index();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->rows, 1U);
  EXPECT_EQ(report->unreadable, 1U);
  EXPECT_EQ(report->lacking, 0U);
  EXPECT_EQ(report->without_person, 0U);
}

}  // namespace
}  // namespace paravent::crypto::vault
