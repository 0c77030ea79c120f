// The destroy batch: what goes is gone from every older copy, what stays stays.

#include "tests/crypto/vault/engine/key_destroy_support.h"

namespace paravent::crypto::vault {
namespace {

class KeyDestroy : public testing::Test {
 protected:
  KeyDestroy() {
    keys_.make();
    before_ = keys_.all();
    copy_folder(temp_.path(), old_.path() / "copy");
  }
  std::vector<RenewalPart*> parts() { return {&keys_.part}; }
  Result<std::vector<Id>> destroy(std::vector<Id> ids) {
    return keys_.catalogue->destroy(ids, parts(), keys_.now);
  }

  TempDir temp_;
  TempDir old_;
  KeysOnDisk keys_{temp_.path()};
  std::map<Id, std::string> before_;
};

TEST_F(KeyDestroy, RemovesOneAndRenewsTheRest) {
  const Id subject = keys_.part.ids()[0];
  keys_.part.goes = {subject};
  const auto gone = destroy({keys_.epochs[0]});
  ASSERT_TRUE(gone) << gone.error().sentence();
  EXPECT_EQ(*gone, std::vector<Id>{keys_.epochs[0]});
  auto expected = before_;
  expected.erase(keys_.epochs[0]);
  expected.erase(subject);
  EXPECT_EQ(keys_.all(), expected);
  EXPECT_EQ(keys_.catalogue->shred().number(), 2U);
  ASSERT_TRUE(keys_.open());
  EXPECT_EQ(keys_.all(), expected);
  EXPECT_FALSE(std::filesystem::exists(temp_.path() / "shred-secret.next"));
  // Of the key its record is left, with the date.
  const KeyRecord* dead = keys_.catalogue->keys().record(keys_.epochs[0]);
  ASSERT_NE(dead, nullptr);
  EXPECT_EQ(dead->condition.state, KeyState::destroyed);
  EXPECT_EQ(dead->since[5], keys_.now);
  EXPECT_FALSE(destroy({keys_.epochs[0]}));
  // Its place is free for the next version.
  EXPECT_FALSE(keys_.catalogue->keys().find(place_of(*dead)));
}

TEST_F(KeyDestroy, TakesEverythingBelowWithIt) {
  const auto gone = destroy({keys_.tenant});
  ASSERT_TRUE(gone) << gone.error().sentence();
  EXPECT_EQ(gone->size(), 4U);
  EXPECT_TRUE(keys_.all().empty());
  ASSERT_TRUE(keys_.open());
  EXPECT_TRUE(keys_.all().empty());
}

TEST_F(KeyDestroy, AnOldCopyOpensNothingBesideTheNewSecret) {
  ASSERT_TRUE(destroy({keys_.epochs[0]}));
  // The old key store beside the new secret: told apart before anything is tried.
  std::filesystem::copy_file(old_.path() / "copy" / kKeyStoreFile, temp_.path() / kKeyStoreFile,
                             std::filesystem::copy_options::overwrite_existing);
  const auto mixed = keys_.open();
  ASSERT_FALSE(mixed);
  expect_sentence(mixed.error(), ErrorKind::data, "not of the same moment");
  // And tried with the new secret all the same, no key of it opens.
  const RootKey root = RootKey::read(temp_.path() / kTestRootKey).value();
  auto store = FileKeyStore::open(old_.path() / "copy" / kKeyStoreFile, root).value();
  const auto secret = ShredSecret::read(temp_.path() / kShredSecretFile, kTestInstallation).value();
  KeyTree tree(root, secret);
  std::vector<Id> tried;
  store->for_each([&](const RecordRef& ref, ByteView payload) {
    if (ref.type != RecordType::key) return;
    KeyRecord record = decode_key_record(ref.id, payload).value();
    EXPECT_FALSE(tree.add(record));
    record.shred_number = secret.number();
    ASSERT_TRUE(tree.add(record));
    tried.push_back(ref.id);
  });
  ASSERT_EQ(tried.size(), 4U);
  for (const Id& id : tried) EXPECT_FALSE(tree.open(id));
}

TEST_F(KeyDestroy, WhatCannotBePreparedIsNotDestroyed) {
  keys_.part.refuses = true;
  const auto refused = destroy({keys_.epochs[0]});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::disk_full);
  EXPECT_EQ(keys_.all(), before_);
  ASSERT_TRUE(keys_.open());
  EXPECT_EQ(keys_.all(), before_);
  EXPECT_FALSE(std::filesystem::exists(temp_.path() / "shred-secret.next"));
  keys_.part.refuses = false;
  EXPECT_TRUE(destroy({keys_.epochs[0]}));
}

TEST_F(KeyDestroy, ARotationThatCannotBePreparedChangesNothing) {
  for (const Id& parent : {keys_.tenant, keys_.domain}) {
    keys_.part.refuses = true;
    const auto refused = keys_.catalogue->rotate_parent(parent, parts(), keys_.now);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), ErrorKind::disk_full);
    for (int round = 0; round < 2; ++round) {
      EXPECT_EQ(keys_.all(), before_);
      EXPECT_EQ(keys_.catalogue->keys().record(parent)->condition.state, KeyState::active);
      EXPECT_EQ(keys_.catalogue->index_version(Id{2}), IndexVersions{});
      EXPECT_TRUE(keys_.catalogue->keys().superseded().empty());
      ASSERT_TRUE(keys_.open());
    }
    EXPECT_FALSE(std::filesystem::exists(temp_.path() / "shred-secret.next"));
    keys_.part.refuses = false;
  }
  EXPECT_FALSE(keys_.catalogue->rotate_parent(keys_.epochs[0], parts(), keys_.now));
  EXPECT_FALSE(keys_.catalogue->rotate_parent(Id{99}, parts(), keys_.now));
  const Id fresh = keys_.catalogue->rotate_parent(keys_.tenant, parts(), keys_.now).value();
  EXPECT_EQ(keys_.catalogue->keys().record(keys_.domain)->parent, fresh);
  EXPECT_FALSE(keys_.catalogue->rotate_parent(keys_.tenant, parts(), keys_.now))
      << "only the newest rotates";
}

TEST_F(KeyDestroy, AnUnknownKeyDestroysNothing) {
  EXPECT_FALSE(destroy({keys_.epochs[0], Id{99}}));
  EXPECT_EQ(keys_.all(), before_);
}

TEST_F(KeyDestroy, RotationGivesANewPrimaryAndKeepsTheOldReadable) {
  const auto fresh = keys_.catalogue->rotate(keys_.epochs[1], keys_.now);
  ASSERT_TRUE(fresh);
  ASSERT_TRUE(keys_.catalogue->commit());
  ASSERT_TRUE(keys_.open());
  const KeyTree& tree = keys_.catalogue->keys();
  EXPECT_EQ(tree.find(place_of(*tree.record(*fresh))), *fresh);
  EXPECT_EQ(tree.record(*fresh)->version, 2U);
  EXPECT_EQ(tree.record(keys_.epochs[1])->condition.state, KeyState::deactivated);
  EXPECT_TRUE(tree.open(keys_.epochs[1]));
  EXPECT_FALSE(tree.usable(keys_.epochs[1], KeyOperation::protect));
  EXPECT_FALSE(keys_.catalogue->rotate(keys_.epochs[1], keys_.now)) << "only the newest rotates";
}

TEST_F(KeyDestroy, AnotherRootKeyTouchesOnlyWhatHangsOnIt) {
  const auto path = temp_.path() / "new.key";
  const RootKey next = RootKey::create(path).value();
  std::map<Id, decltype(KeyRecord::wrapped)> wrapped;
  for (const auto& [id, record] : keys_.catalogue->keys().records()) {
    wrapped.emplace(id, record.wrapped);
  }
  ASSERT_TRUE(keys_.catalogue->replace_root(next));
  EXPECT_EQ(keys_.all(), before_);
  for (const auto& [id, record] : keys_.catalogue->keys().records()) {
    EXPECT_EQ(record.wrapped == wrapped[id], id != keys_.tenant);
  }
  expect_sentence(keys_.open().error(), ErrorKind::data, "root key is not the one");
  ASSERT_TRUE(keys_.open(path));
  EXPECT_EQ(keys_.all(), before_);
}

}  // namespace
}  // namespace paravent::crypto::vault
