#include <sys/stat.h>

#include <optional>

#include "crypto/vault/engine/keys/file_key_store.h"
#include "crypto/vault/engine/keys/key_tree.h"
#include "crypto/vault/engine/keys/memory_key_store.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

const Id kInstallation{7};

StoredRecord record(std::uint8_t n, std::string_view payload, RecordType type = RecordType::name) {
  const ByteView view = as_bytes(payload);
  return {{type, Id{n}}, Bytes(view.begin(), view.end())};
}

struct OnDisk {
  TempDir temp;
  std::filesystem::path path = temp.path() / "keystore";
  RootKey root = RootKey::ephemeral();
  std::unique_ptr<KeyStore> make() {
    return FileKeyStore::create(path, kInstallation, root).value();
  }
};

struct InMemory {
  std::unique_ptr<KeyStore> make() { return std::make_unique<MemoryKeyStore>(kInstallation); }
};

template <typename T>
class KeyStoreTest : public testing::Test {
 protected:
  T place_;
};

using Places = testing::Types<OnDisk, InMemory>;
TYPED_TEST_SUITE(KeyStoreTest, Places);

TYPED_TEST(KeyStoreTest, PutsAllOrNothingByGeneration) {
  const auto store = this->place_.make();
  EXPECT_EQ(store->generation(), 0U);
  EXPECT_EQ(store->installation(), kInstallation);
  const std::vector<StoredRecord> first{record(1, "one"), record(2, "two")};
  ASSERT_TRUE(store->put_if_generation(0, first));
  EXPECT_EQ(store->generation(), 1U);
  const std::vector<StoredRecord> second{record(1, "changed"), record(3, "three")};
  const auto stale = store->put_if_generation(0, second);
  ASSERT_FALSE(stale);
  EXPECT_EQ(stale.error().kind(), ErrorKind::busy);
  EXPECT_EQ(store->get(first[0].ref), first[0].payload);
  EXPECT_FALSE(store->get(second[1].ref));
  ASSERT_TRUE(store->put_if_generation(1, second));
  EXPECT_EQ(store->get(second[0].ref), second[0].payload);
}

TYPED_TEST(KeyStoreTest, DestroysAndWalksInOrder) {
  const auto store = this->place_.make();
  const std::vector<StoredRecord> records{record(3, "c"), record(1, "a"),
                                          record(9, "k", RecordType::key)};
  ASSERT_TRUE(store->put_if_generation(0, records));
  const std::vector<RecordRef> gone{records[0].ref, {RecordType::context, Id{5}}};
  EXPECT_FALSE(store->destroy(0, gone));
  ASSERT_TRUE(store->destroy(1, gone));
  std::vector<RecordRef> seen;
  store->for_each([&](const RecordRef& ref, ByteView) { seen.push_back(ref); });
  EXPECT_EQ(seen, (std::vector<RecordRef>{records[2].ref, records[1].ref}));
}

class FileKeyStoreTest : public testing::Test {
 protected:
  FileKeyStoreTest() {
    const auto store = place_.make();
    const std::vector<StoredRecord> records{record(1, "one"), record(2, "two")};
    EXPECT_TRUE(store->put_if_generation(0, records));
  }
  Error open_error() {
    const auto opened = FileKeyStore::open(place_.path, place_.root);
    EXPECT_FALSE(opened);
    return opened ? Error() : opened.error();
  }
  OnDisk place_;
};

TEST_F(FileKeyStoreTest, ComesBackAfterARestart) {
  const auto store = FileKeyStore::open(place_.path, place_.root);
  ASSERT_TRUE(store) << store.error().sentence();
  EXPECT_EQ((*store)->generation(), 1U);
  EXPECT_EQ(as_text(*(*store)->get({RecordType::name, Id{2}})), "two");
}

TEST_F(FileKeyStoreTest, WrongRootKeyIsItsOwnSentence) {
  const auto other = RootKey::ephemeral();
  const auto opened = FileKeyStore::open(place_.path, other);
  ASSERT_FALSE(opened);
  expect_sentence(opened.error(), ErrorKind::data, "root key is not the one");
}

TEST_F(FileKeyStoreTest, EveryTruncationIsRefused) {
  const std::string whole = test::whole_file(place_.path);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_text(place_.path, whole.substr(0, size));
    expect_sentence(open_error(), ErrorKind::data, "truncated or altered");
  }
  write_text(place_.path, whole + "x");
  expect_sentence(open_error(), ErrorKind::data, "truncated or altered");
}

TEST_F(FileKeyStoreTest, EveryAlteredBitIsRefused) {
  const std::string whole = test::whole_file(place_.path);
  for (std::size_t i = 0; i < whole.size() * 8; ++i) {
    std::string copy = whole;
    copy[i / 8] = static_cast<char>(copy[i / 8] ^ (1 << (i % 8)));
    write_text(place_.path, copy);
    const Error error = open_error();
    EXPECT_EQ(error.kind(), ErrorKind::data) << i;
    EXPECT_FALSE(error.sentence().empty()) << i;
  }
}

TEST_F(FileKeyStoreTest, NewerVersionIsNamed) {
  std::string whole = test::whole_file(place_.path);
  whole[9] = 3;
  write_text(place_.path, whole);
  expect_sentence(open_error(), ErrorKind::data, "newer version");
}

TEST_F(FileKeyStoreTest, MissingAndUnprotectedFiles) {
  ::chmod(place_.path.c_str(), 0644);
  expect_sentence(open_error(), ErrorKind::data, "chmod 600");
  std::filesystem::remove(place_.path);
  expect_sentence(open_error(), ErrorKind::data, "is missing");
}

TEST_F(FileKeyStoreTest, CreateOverwritesNothing) {
  const std::string before = test::whole_file(place_.path);
  EXPECT_FALSE(FileKeyStore::create(place_.path, kInstallation, place_.root));
  EXPECT_EQ(test::whole_file(place_.path), before);
}

class KeyTreeTest : public testing::Test {
 protected:
  KeyTreeTest() : shred_(ShredSecret::random()), tree_(root_, shred_) {
    tenant_ = tree_.make({.key_class = KeyClass::tenant, .tenant = Id{1}}, kNoId, now_).value();
    domain_ = tree_
                  .make({.key_class = KeyClass::domain, .tenant = Id{1}, .domain = Id{2}},
                        tenant_.id, now_)
                  .value();
  }
  // Whether a changed domain record opens under the tenant's.
  bool opens(const KeyRecord& changed) {
    KeyTree copy(root_, shred_);
    return copy.add(tenant_) && copy.add(changed) && copy.open(changed.id);
  }
  const WallTime now_{std::chrono::hours(100000)};
  RootKey root_ = RootKey::ephemeral();
  ShredSecret shred_;
  KeyTree tree_;
  KeyRecord tenant_;
  KeyRecord domain_;
};

TEST_F(KeyTreeTest, OpensWhatItWrapped) {
  const auto key = tree_.open(domain_.id);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->size(), kTreeKeySize);
  EXPECT_FALSE(equal_constant_time(key->bytes(), tree_.open(tenant_.id)->bytes()));
  EXPECT_TRUE(opens(domain_));
  EXPECT_FALSE(tree_.open(Id{99}));
}

TEST_F(KeyTreeTest, RecordsRoundTripAndAreStrict) {
  const Bytes bytes = encode_key_record(domain_);
  const auto decoded = decode_key_record(domain_.id, bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(encode_key_record(*decoded), bytes);
  EXPECT_FALSE(decode_key_record(domain_.id, ByteView(bytes).first(bytes.size() - 1)));
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(decode_key_record(domain_.id, longer));
  for (const std::uint8_t reserved : {std::uint8_t{0}, std::uint8_t{4}, std::uint8_t{8}}) {
    Bytes other = bytes;
    other[1] = reserved;
    EXPECT_FALSE(decode_key_record(domain_.id, other));
  }
}

TEST_F(KeyTreeTest, AWrappedKeyCannotBeMovedOrAltered) {
  // Every field that says what the key is is bound, and so is every bit of the wrapped key. What
  // happens to it in its life lies between them, under the MAC of the whole store.
  constexpr std::size_t kLifeAt = 1 + 1 + 64 + 1 + 4 + 8 + 4 + 4;
  constexpr std::size_t kLifeSize = 1 + 1 + 7 * 8 + 8;
  const Bytes bytes = encode_key_record(domain_);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    if (bit / 8 >= kLifeAt && bit / 8 < kLifeAt + kLifeSize) continue;
    Bytes copy = bytes;
    copy[bit / 8] = static_cast<std::uint8_t>(copy[bit / 8] ^ (1U << (bit % 8)));
    const auto decoded = decode_key_record(domain_.id, copy);
    if (!decoded) continue;
    EXPECT_FALSE(opens(*decoded)) << bit;
  }
  const auto moved = decode_key_record(Id{55}, bytes);
  ASSERT_TRUE(moved);
  EXPECT_FALSE(opens(*moved));
}

TEST_F(KeyTreeTest, BothRootKeyAndShredSecretAreNeeded) {
  KeyTree other_shred(root_, ShredSecret::random());
  ASSERT_TRUE(other_shred.add(tenant_));
  EXPECT_FALSE(other_shred.open(tenant_.id));
  KeyTree other_root(RootKey::ephemeral(), shred_);
  ASSERT_TRUE(other_root.add(tenant_));
  EXPECT_FALSE(other_root.open(tenant_.id));
}

TEST_F(KeyTreeTest, AnotherKeyOfAPlaceIsItsNextVersion) {
  const KeyPlace place{.key_class = KeyClass::domain, .tenant = Id{1}, .domain = Id{2}};
  EXPECT_EQ(tree_.find(place), domain_.id);
  const auto second = tree_.make(place, tenant_.id, now_);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->version, 2U);
  EXPECT_EQ(tree_.find(place), second->id);
  KeyRecord twin = *second;
  twin.id = Id{77};
  EXPECT_FALSE(tree_.add(twin));
}

TEST_F(KeyTreeTest, WhatLiesUnderAKeyOutOfUseDoesNotOpen) {
  KeyRecord disabled = tenant_;
  ASSERT_TRUE(apply(disabled, KeyOperation::disable, now_));
  tree_.replace(disabled);
  const auto opened = tree_.open(domain_.id);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().kind(), ErrorKind::sealed);
  EXPECT_FALSE(tree_.usable(domain_.id, KeyOperation::protect));
  EXPECT_FALSE(tree_.make({.key_class = KeyClass::domain, .tenant = Id{1}, .domain = Id{3}},
                          tenant_.id, now_));
  // Renewing wraps reaches it all the same.
  EXPECT_TRUE(tree_.renewed(shred_.next(), {}, {}));
  ASSERT_TRUE(apply(disabled, KeyOperation::enable, now_));
  tree_.replace(disabled);
  EXPECT_TRUE(tree_.open(domain_.id));
}

TEST(ShredSecret, FaultsHaveTheirSentences) {
  const TempDir temp;
  const auto path = temp.path() / "shred-secret";
  const auto made = ShredSecret::create(path, kInstallation);
  ASSERT_TRUE(made);
  const auto read = ShredSecret::read(path, kInstallation);
  ASSERT_TRUE(read) << read.error().sentence();
  EXPECT_TRUE(equal_constant_time(read->wrapping_key().bytes(), made->wrapping_key().bytes()));
  const auto foreign = ShredSecret::read(path, Id{8});
  ASSERT_FALSE(foreign);
  expect_sentence(foreign.error(), ErrorKind::data, "another installation");
  const std::string whole = test::whole_file(path);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string copy = whole;
    copy[bit / 8] = static_cast<char>(copy[bit / 8] ^ (1 << (bit % 8)));
    write_text(path, copy);
    const auto altered = ShredSecret::read(path, kInstallation);
    ASSERT_FALSE(altered) << bit;
    expect_sentence(altered.error(), ErrorKind::data, "truncated or altered");
  }
  write_text(path, whole.substr(0, whole.size() - 1));
  EXPECT_FALSE(ShredSecret::read(path, kInstallation));
  std::filesystem::remove(path);
  const auto missing = ShredSecret::read(path, kInstallation);
  ASSERT_FALSE(missing);
  expect_sentence(missing.error(), ErrorKind::data, "is missing");
}

}  // namespace
}  // namespace paravent::crypto::vault
