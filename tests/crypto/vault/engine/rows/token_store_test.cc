#include <rocksdb/db.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "crypto/primitives/random.h"
#include "crypto/vault/engine/rows/memory_token_store.h"
#include "crypto/vault/engine/rows/rocksdb_token_store.h"
#include "crypto/vault/engine/rows/row_facts.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

const Id kInstallation{7};

struct OnDisk {
  TempDir temp;
  std::unique_ptr<TokenStore> make() {
    return RocksdbTokenStore::create(temp.path() / "store", kInstallation).value();
  }
};

struct InMemory {
  std::unique_ptr<TokenStore> make() { return std::make_unique<MemoryTokenStore>(); }
};

template <typename T>
class TokenStoreTest : public testing::Test {
 protected:
  T place_;
  std::unique_ptr<TokenStore> store_ = place_.make();

  std::optional<FoundFacts> find(const IndexKey& key) {
    std::array<std::optional<FoundFacts>, 1> out;
    EXPECT_TRUE(store_->find(std::span(&key, 1), out));
    return out[0];
  }
  std::optional<Id> holder(const AliasKey& alias) {
    std::array<std::optional<Id>, 1> out;
    EXPECT_TRUE(store_->find_aliases(std::span(&alias, 1), out));
    return out[0];
  }
  std::optional<std::string> resolve(const Id& id) {
    std::array<std::optional<std::string>, 1> out;
    EXPECT_TRUE(store_->resolve(std::span(&id, 1), out));
    return out[0];
  }
};

using Places = testing::Types<OnDisk, InMemory>;
TYPED_TEST_SUITE(TokenStoreTest, Places);

TYPED_TEST(TokenStoreTest, GetsOrCreates) {
  std::vector<NewRow> rows{{IndexKey{1}, Id{1}, "first", {}}, {IndexKey{2}, Id{2}, "second", {}}};
  ASSERT_TRUE(this->store_->commit(rows, {}, {}));
  EXPECT_TRUE(rows[0].created && rows[1].created);
  std::vector<NewRow> again{{IndexKey{2}, Id{9}, "late", {}}, {IndexKey{3}, Id{3}, "third", {}}};
  ASSERT_TRUE(this->store_->commit(again, {}, {}));
  EXPECT_FALSE(again[0].created);
  EXPECT_EQ(again[0].id, Id{2});
  EXPECT_TRUE(again[1].created);
  EXPECT_EQ(this->find(IndexKey{2})->facts, "second");
  EXPECT_EQ(this->resolve(Id{3}), "third");
  EXPECT_FALSE(this->resolve(Id{9}));
  EXPECT_FALSE(this->find(IndexKey{4}));
}

TYPED_TEST(TokenStoreTest, FirstOfEqualCandidatesWins) {
  std::vector<NewRow> rows{{IndexKey{1}, Id{1}, "first", {}}, {IndexKey{1}, Id{2}, "second", {}}};
  ASSERT_TRUE(this->store_->commit(rows, {}, {}));
  EXPECT_TRUE(rows[0].created);
  EXPECT_FALSE(rows[1].created);
  EXPECT_EQ(rows[1].id, Id{1});
  EXPECT_EQ(this->find(IndexKey{1})->facts, "first");
}

TYPED_TEST(TokenStoreTest, ChangesRows) {
  std::vector<NewRow> rows{{IndexKey{1}, Id{1}, "first", {}}};
  ASSERT_TRUE(this->store_->commit(rows, {}, {}));
  const std::vector<ChangedRow> changed{{Id{1}, "changed"}};
  ASSERT_TRUE(this->store_->commit({}, changed, {}));
  EXPECT_EQ(this->resolve(Id{1}), "changed");
  EXPECT_EQ(this->find(IndexKey{1})->id, Id{1});
}

TYPED_TEST(TokenStoreTest, ChangesOnlyWhatIsAsItWasRead) {
  std::vector<NewRow> rows{{IndexKey{1}, Id{1}, "first", {}}, {IndexKey{2}, Id{2}, "second", {}}};
  ASSERT_TRUE(this->store_->commit(rows, {}, {}));
  const std::vector<ChangedRow> good{{Id{1}, "1st", "first"}, {Id{2}, "2nd", "second"}};
  ASSERT_TRUE(this->store_->commit({}, good, {}));
  // One of two is not what it was, or went: nothing of the commit happens.
  const std::vector<ChangedRow> stale{{Id{1}, "lost", "1st"}, {Id{2}, "lost", "second"}};
  const std::vector<ChangedRow> gone{{Id{1}, "lost", "1st"}, {Id{9}, "back", "anything"}};
  for (const auto& changes : {stale, gone}) {
    std::vector<NewRow> more{{IndexKey{3}, Id{3}, "third", {}}};
    const Status refused = this->store_->commit(more, changes, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind(), ErrorKind::busy);
    EXPECT_EQ(this->resolve(Id{1}), "1st");
    EXPECT_EQ(this->resolve(Id{2}), "2nd");
    EXPECT_FALSE(this->resolve(Id{3}));
    EXPECT_FALSE(this->resolve(Id{9}));
  }
}

TYPED_TEST(TokenStoreTest, NotesTheRenewalsOfTheKeys) {
  EXPECT_EQ(this->store_->renewals_noted().value(), 0U);
  for (const std::uint32_t count : {3U, 7U, 2U}) {
    ASSERT_TRUE(this->store_->note_renewals(count));
    EXPECT_EQ(this->store_->renewals_noted().value(), count);
  }
}

TYPED_TEST(TokenStoreTest, FindsBySubjectAndExpires) {
  const SubjectReference jeanne{1};
  const SubjectReference paul{1, 1};
  std::vector<NewRow> rows{{IndexKey{1}, Id{3}, "a", jeanne},
                           {IndexKey{2}, Id{1}, "b", jeanne},
                           {IndexKey{3}, Id{2}, "c", paul},
                           {IndexKey{4}, Id{4}, "d", {}}};
  ASSERT_TRUE(this->store_->commit(rows, {}, {}));
  EXPECT_EQ(this->store_->by_subject(jeanne).value(), (std::vector<Id>{Id{1}, Id{3}}));
  EXPECT_EQ(this->store_->by_subject(paul).value(), (std::vector<Id>{Id{2}}));
  EXPECT_TRUE(this->store_->by_subject(SubjectReference{2}).value().empty());

  const std::vector<Id> gone{Id{1}, Id{4}, Id{77}};
  ASSERT_TRUE(this->store_->expire(gone));
  EXPECT_FALSE(this->resolve(Id{1}));
  EXPECT_FALSE(this->find(IndexKey{2}));
  EXPECT_FALSE(this->find(IndexKey{4}));
  EXPECT_EQ(this->store_->by_subject(jeanne).value(), (std::vector<Id>{Id{3}}));
  EXPECT_EQ(this->resolve(Id{3}), "a");
  std::vector<NewRow> anew{{IndexKey{2}, Id{8}, "new", {}}};
  ASSERT_TRUE(this->store_->commit(anew, {}, {}));
  EXPECT_TRUE(anew[0].created);
}

// Removed rows are gone at once; what leads to them, with forget_removed().
TYPED_TEST(TokenStoreTest, RemovedIsNotFoundAndForgottenLater) {
  const SubjectReference jeanne{1};
  std::vector<NewRow> rows{{IndexKey{1}, Id{1}, "a", jeanne}, {IndexKey{2}, Id{2}, "b", jeanne}};
  std::vector<NewAlias> aliases{{AliasKey{1}, Id{1}}};
  ASSERT_TRUE(this->store_->commit(rows, {}, aliases));
  ASSERT_TRUE(this->store_->forget_removed()) << "nothing was removed";
  ASSERT_TRUE(this->store_->remove(std::vector<Id>{Id{1}}));
  EXPECT_FALSE(this->resolve(Id{1}));
  EXPECT_FALSE(this->find(IndexKey{1}));
  // Its text is not anybody else's meanwhile, and its value is minted anew.
  std::vector<NewRow> anew{{IndexKey{1}, Id{8}, "new", {}}};
  std::vector<NewAlias> again{{AliasKey{1}, Id{8}}};
  ASSERT_TRUE(this->store_->commit(anew, {}, again));
  EXPECT_TRUE(anew[0].created);
  EXPECT_NE(again[0].holder, Id{8});
  ASSERT_TRUE(this->store_->forget_removed());
  EXPECT_EQ(this->holder(AliasKey{1}), kNoId);
  EXPECT_EQ(this->store_->by_subject(jeanne).value(), (std::vector<Id>{Id{2}}));
  EXPECT_EQ(this->find(IndexKey{1})->id, Id{8});
}

// An index moves while a row goes: the new entry must not be left behind.
TYPED_TEST(TokenStoreTest, ARowThatIsGoneGetsNoIndexEntry) {
  std::vector<NewRow> rows{{IndexKey{1}, Id{1}, "a", {}}};
  ASSERT_TRUE(this->store_->commit(rows, {}, {}));
  ASSERT_TRUE(this->store_->expire(std::vector<Id>{Id{1}}));
  const std::vector<IndexEntry> moved{{IndexKey{9}, Id{1}}};
  ASSERT_TRUE(this->store_->add_index(moved));
  // Were it there, it would lead to whatever has that id.
  std::vector<NewRow> same{{std::nullopt, Id{1}, "b", {}}};
  ASSERT_TRUE(this->store_->commit(same, {}, {}));
  EXPECT_FALSE(this->find(IndexKey{9}));
}

TYPED_TEST(TokenStoreTest, RowsWithoutAnIndexAreAlwaysNew) {
  std::vector<NewRow> rows{{std::nullopt, Id{1}, "first", {}}, {std::nullopt, Id{2}, "second", {}}};
  ASSERT_TRUE(this->store_->commit(rows, {}, {}));
  EXPECT_TRUE(rows[0].created && rows[1].created);
  EXPECT_EQ(this->resolve(Id{1}), "first");
  EXPECT_EQ(this->resolve(Id{2}), "second");
}

TYPED_TEST(TokenStoreTest, AliasesAreGetOrCreateToo) {
  std::vector<NewRow> rows{{IndexKey{1}, Id{1}, "first", {}}, {IndexKey{2}, Id{2}, "second", {}}};
  std::vector<NewAlias> aliases{{AliasKey{1}, Id{1}}, {AliasKey{1}, Id{2}}, {AliasKey{2}, Id{2}}};
  ASSERT_TRUE(this->store_->commit(rows, {}, aliases));
  EXPECT_EQ(aliases[0].holder, Id{1});
  EXPECT_EQ(aliases[1].holder, Id{1});  // the first of two candidates
  EXPECT_EQ(aliases[2].holder, Id{2});
  EXPECT_EQ(this->holder(AliasKey{1}), Id{1});
  EXPECT_EQ(this->holder(AliasKey{2}), Id{2});
  EXPECT_EQ(this->holder(AliasKey{3}), std::nullopt);

  // A candidate that was too late takes no alias with it; an alias without a new row is added.
  std::vector<NewRow> late{{IndexKey{1}, Id{9}, "late", {}}};
  std::vector<NewAlias> more{{AliasKey{3}, Id{9}}, {AliasKey{4}, Id{1}}, {AliasKey{2}, Id{1}}};
  ASSERT_TRUE(this->store_->commit(late, {}, more));
  EXPECT_EQ(more[0].holder, kNoId);
  EXPECT_EQ(more[1].holder, Id{1});
  EXPECT_EQ(more[2].holder, Id{2});
  EXPECT_EQ(this->holder(AliasKey{3}), std::nullopt);
  EXPECT_EQ(this->holder(AliasKey{4}), Id{1});
}

TYPED_TEST(TokenStoreTest, AnErasedTextIsNeverGivenAgain) {
  std::vector<NewRow> rows{{IndexKey{1}, Id{1}, "first", {}}, {IndexKey{2}, Id{2}, "second", {}}};
  std::vector<NewAlias> aliases{{AliasKey{1}, Id{1}}, {AliasKey{2}, Id{2}}};
  ASSERT_TRUE(this->store_->commit(rows, {}, aliases));
  const std::vector<Id> gone{Id{1}};
  ASSERT_TRUE(this->store_->expire(gone));
  EXPECT_EQ(this->holder(AliasKey{1}), kNoId);
  EXPECT_EQ(this->holder(AliasKey{2}), Id{2});
  std::vector<NewAlias> again{{AliasKey{1}, Id{2}}};
  ASSERT_TRUE(this->store_->commit({}, {}, again));
  EXPECT_EQ(again[0].holder, kNoId);
  EXPECT_EQ(this->holder(AliasKey{1}), kNoId);
}

TYPED_TEST(TokenStoreTest, WalksItsRowsAndStopsAnywhere) {
  std::vector<NewRow> rows;
  for (std::uint8_t i = 1; i <= 10; ++i) rows.push_back({IndexKey{i}, Id{i}, "row", {}});
  ASSERT_TRUE(this->store_->commit(rows, {}, {}));
  std::vector<Id> seen;
  Id after = kNoId;
  for (;;) {
    const auto page = this->store_->scan(after, 4);
    ASSERT_TRUE(page);
    for (const FoundRow& row : *page) seen.push_back(row.id);
    if (page->size() < 4) break;
    after = page->back().id;
  }
  ASSERT_EQ(seen.size(), 10U);
  for (std::uint8_t i = 1; i <= 10; ++i) EXPECT_EQ(seen[i - 1U], Id{i});
}

TYPED_TEST(TokenStoreTest, TheIndexCanBeMadeAnew) {
  std::vector<NewRow> rows{{IndexKey{1}, Id{1}, "first", {}}, {IndexKey{2}, Id{2}, "second", {}}};
  ASSERT_TRUE(this->store_->commit(rows, {}, {}));
  const std::vector<IndexEntry> entries{{IndexKey{11}, Id{1}}, {IndexKey{2}, Id{1}}};
  ASSERT_TRUE(this->store_->add_index(entries));
  EXPECT_EQ(this->find(IndexKey{11})->id, Id{1});
  EXPECT_EQ(this->find(IndexKey{1})->id, Id{1});
  EXPECT_EQ(this->find(IndexKey{2})->id, Id{2});  // stays whose it was
  const std::vector<IndexKey> old{IndexKey{1}};
  ASSERT_TRUE(this->store_->drop_index(old));
  EXPECT_FALSE(this->find(IndexKey{1}));
  EXPECT_EQ(this->resolve(Id{1}), "first");
}

TYPED_TEST(TokenStoreTest, ASnapshotHasAllButTheIndexAndStandsStill) {
  const SubjectReference jeanne{1};
  std::vector<NewRow> rows{{IndexKey{1}, Id{1}, "first", jeanne},
                           {IndexKey{2}, Id{2}, "second", {}}};
  std::vector<NewAlias> aliases{{AliasKey{5}, Id{2}}};
  ASSERT_TRUE(this->store_->commit(rows, {}, aliases));
  std::vector<StoreRecord> records;
  {
    const auto snapshot = this->store_->snapshot().value();
    std::vector<NewRow> later{{IndexKey{3}, Id{3}, "later", {}}};
    ASSERT_TRUE(this->store_->commit(later, {}, {}));
    StoreRecord record;
    for (;;) {
      const auto more = snapshot->next(record);
      ASSERT_TRUE(more);
      if (!*more) break;
      records.push_back(record);
    }
  }
  ASSERT_EQ(records.size(), 4U);
  TypeParam other;
  const auto restored = other.make();
  ASSERT_TRUE(restored->import(records));
  const std::array<Id, 1> ids{Id{2}};
  std::array<std::optional<std::string>, 1> found;
  ASSERT_TRUE(restored->resolve(ids, found));
  EXPECT_EQ(found[0], "second");
  EXPECT_EQ(restored->by_subject(jeanne).value(), (std::vector<Id>{Id{1}}));
  const AliasKey alias{5};
  std::array<std::optional<Id>, 1> holder;
  ASSERT_TRUE(restored->find_aliases(std::span(&alias, 1), holder));
  EXPECT_EQ(holder[0], Id{2});
  const IndexKey index{1};
  std::array<std::optional<FoundFacts>, 1> none;
  ASSERT_TRUE(restored->find(std::span(&index, 1), none));
  EXPECT_FALSE(none[0]);

  records[0].key += "x";
  const auto wrong = restored->import(records);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind(), ErrorKind::malformed);
}

TYPED_TEST(TokenStoreTest, SixtyFourThreadsGetOneRow) {
  std::vector<std::thread> threads;
  std::vector<Id> ids(64);
  std::atomic<int> created{0};
  for (std::uint8_t i = 0; i < 64; ++i) {
    threads.emplace_back([&, i] {
      std::vector<NewRow> row{{IndexKey{1}, Id{1, i}, "row", {}}};
      if (!this->store_->commit(row, {}, {})) return;
      ids[i] = row[0].id;
      if (row[0].created) ++created;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(created, 1);
  for (const Id& id : ids) EXPECT_EQ(id, ids[0]);
  EXPECT_NE(ids[0], kNoId);
}

TEST(RocksdbTokenStore, KnowsWhoseItIs) {
  const TempDir temp;
  const auto folder = temp.path() / "store";
  { ASSERT_TRUE(RocksdbTokenStore::create(folder, kInstallation)); }
  const auto again = RocksdbTokenStore::create(folder, kInstallation);
  ASSERT_FALSE(again);
  expect_sentence(again.error(), ErrorKind::data, "not overwritten");
  EXPECT_TRUE(RocksdbTokenStore::open(folder, kInstallation));
  const auto foreign = RocksdbTokenStore::open(folder, Id{8});
  ASSERT_FALSE(foreign);
  expect_sentence(foreign.error(), ErrorKind::data, "another installation");
  const auto missing = RocksdbTokenStore::open(temp.path() / "nothing", kInstallation);
  ASSERT_FALSE(missing);
  expect_sentence(missing.error(), ErrorKind::data, "is missing");
  EXPECT_FALSE(std::filesystem::exists(temp.path() / "nothing"));
}

// Every column family of a store, opened without the store's own code.
struct RawStore {
  explicit RawStore(const std::filesystem::path& folder) {
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const char* name : {"default", "rows", "index", "subjects", "aliases"}) {
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    }
    rocksdb::DB* raw = nullptr;
    EXPECT_TRUE(rocksdb::DB::Open({}, folder.string(), families, &handles, &raw).ok());
    db.reset(raw);
  }
  RawStore(const RawStore&) = delete;
  RawStore& operator=(const RawStore&) = delete;
  ~RawStore() {
    for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  std::unique_ptr<rocksdb::DB> db;
};

// An empty family in the place of a lost one would give out second tokens, or forget whose they
// are.
TEST(RocksdbTokenStore, AStoreThatLostAFamilyIsRefused) {
  for (std::size_t family = 1; family <= 4; ++family) {
    const TempDir temp;
    const auto folder = temp.path() / "store";
    { ASSERT_TRUE(RocksdbTokenStore::create(folder, kInstallation)); }
    ASSERT_TRUE(RocksdbTokenStore::open(folder, kInstallation));
    {
      const RawStore raw(folder);
      ASSERT_TRUE(raw.db->DropColumnFamily(raw.handles.at(family)).ok());
    }
    const auto store = RocksdbTokenStore::open(folder, kInstallation);
    ASSERT_FALSE(store) << family;
    EXPECT_EQ(store.error().kind(), ErrorKind::data) << family;
  }
}

// A store of the release before: write buffers that are sorted, tables without a prefix. Half of it
// lies in tables, half only in the log.
TEST(RocksdbTokenStore, AStoreWithSortedWriteBuffersOpensAndGoesBack) {
  const TempDir temp;
  const auto folder = temp.path() / "store";
  { ASSERT_TRUE(RocksdbTokenStore::create(folder, kInstallation)); }
  std::vector<NewRow> rows;
  for (int i = 0; i < 400; ++i) {
    NewRow row{IndexKey{}, random_id(), "row " + std::to_string(i), SubjectReference{5}};
    random_bytes(*row.index);
    rows.push_back(row);
  }
  const auto slice = [](const auto& bytes) {
    return rocksdb::Slice(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  {
    const RawStore raw(folder);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i == rows.size() / 2) {
        EXPECT_TRUE(raw.db->Flush({}, raw.handles).ok());
      }
      std::string subject(as_text(*rows[i].subject));
      subject += id_text(rows[i].id);
      EXPECT_TRUE(raw.db->Put({}, raw.handles[1], slice(rows[i].id), rows[i].row).ok());
      EXPECT_TRUE(raw.db->Put({}, raw.handles[2], slice(*rows[i].index), slice(rows[i].id)).ok());
      EXPECT_TRUE(raw.db->Put({}, raw.handles[3], subject, rocksdb::Slice()).ok());
    }
  }
  std::vector<Id> in_order;
  for (const NewRow& row : rows) in_order.push_back(row.id);
  std::sort(in_order.begin(), in_order.end());
  const auto expect_all = [&](RocksdbTokenStore& store, std::size_t from) {
    for (std::size_t i = from; i < rows.size(); ++i) {
      std::array<std::optional<FoundFacts>, 1> found;
      ASSERT_TRUE(store.find(std::span(&*rows[i].index, 1), found));
      ASSERT_TRUE(found[0]) << i;
      EXPECT_EQ(found[0]->id, rows[i].id);
      EXPECT_EQ(found[0]->facts, rows[i].row);
    }
    EXPECT_EQ(store.by_subject(SubjectReference{5}).value().size(), rows.size() - from);
  };
  {
    auto store = RocksdbTokenStore::open(folder, kInstallation).value();
    expect_all(*store, 0);
    // From the middle, in order, of tables and of what the log held.
    const auto page = store->scan(in_order[199], 1000).value();
    ASSERT_EQ(page.size(), 200U);
    for (std::size_t i = 0; i < page.size(); ++i) EXPECT_EQ(page[i].id, in_order[200 + i]);
    // New ones lie in write buffers that hash.
    NewRow more{IndexKey{9}, random_id(), "more", {}};
    ASSERT_TRUE(store->commit(std::span(&more, 1), {}, {}));
    EXPECT_EQ(store->scan(kNoId, 1000).value().size(), 401U);
    auto snapshot = store->snapshot().value();
    StoreRecord record;
    std::string last;
    std::size_t seen = 0;
    while (snapshot->next(record).value() && record.kind == StoreRecordKind::row) {
      EXPECT_LT(last, record.key);
      last = record.key;
      ++seen;
    }
    EXPECT_EQ(seen, 401U);
    snapshot.reset();
    ASSERT_TRUE(store->expire(std::vector<Id>{more.id, rows[0].id}));
  }
  {
    const RawStore back(folder);
    std::string value;
    EXPECT_TRUE(back.db->Get({}, back.handles[1], slice(rows[1].id), &value).ok());
    EXPECT_TRUE(back.db->Get({}, back.handles[1], slice(rows[399].id), &value).ok());
    EXPECT_TRUE(back.db->Get({}, back.handles[1], slice(rows[0].id), &value).IsNotFound());
  }
  auto store = RocksdbTokenStore::open(folder, kInstallation).value();
  expect_all(*store, 1);
}

// Rows as they are really written, of both schemas and more purposes than memory has room for: what
// a look-up gives is what the row says, told by a write or read from the files.
TEST(RocksdbTokenStore, FactsAreThoseOfTheRowHoweverTheyCame) {
  const TempDir temp;
  const auto folder = temp.path() / "store";
  std::vector<NewRow> rows;
  for (std::uint8_t purposes = 1; purposes <= 5; ++purposes) {
    TokenRow token;
    token.key_id = 7;
    token.seal_key_id = 8;
    token.kind = Kind::email;
    BoundRow bound{7, Kind::email, false, {}};
    for (std::uint8_t p = 1; p <= purposes; ++p) {
      token.purposes.push_back({Id{p}, 100, 200});
      constexpr std::size_t kSealed = 24 + kSubjectOverhead + 64 + 16;
      bound.copies.push_back({Id{p}, 8, 100, HandleMark{p}, std::string(kSealed, 's')});
    }
    rows.push_back({IndexKey{1, purposes},
                    Id{1, purposes},
                    encode_clear_part(token) + std::string(24 + 64 + 16, 's'),
                    {}});
    rows.push_back({IndexKey{2, purposes}, Id{2, purposes}, encode_bound_row(bound), {}});
  }
  const auto expect_facts = [&](RocksdbTokenStore& store) {
    for (const NewRow& row : rows) {
      std::string scratch;
      const std::string wanted(row_facts(row.row, scratch));
      EXPECT_LT(wanted.size(), row.row.size());
      std::array<std::optional<FoundFacts>, 1> found;
      std::array<std::optional<std::string>, 1> by_id;
      for (int turn = 0; turn < 2; ++turn) {
        ASSERT_TRUE(store.find(std::span(&*row.index, 1), found));
        ASSERT_TRUE(store.facts(std::span(&row.id, 1), by_id));
        ASSERT_TRUE(found[0] && by_id[0]);
        EXPECT_EQ(found[0]->facts, wanted);
        EXPECT_EQ(*by_id[0], wanted);
      }
      ASSERT_TRUE(store.resolve(std::span(&row.id, 1), by_id));
      EXPECT_EQ(*by_id[0], row.row);
    }
  };
  {
    auto store = RocksdbTokenStore::create(folder, kInstallation).value();
    ASSERT_TRUE(store->commit(rows, {}, {}));
    expect_facts(*store);
  }
  auto store = RocksdbTokenStore::open(folder, kInstallation).value();
  expect_facts(*store);
}

std::size_t tables_in(const std::filesystem::path& folder) {
  std::size_t tables = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    tables += entry.path().extension() == ".sst" ? 1U : 0U;
  }
  return tables;
}

// The write buffers hash, and each look at the rows in their order sorts what lies there: where
// that is much, it becomes a table before the first page, and the pages after it find it in order.
TEST(RocksdbTokenStore, AWalkSortsMuchOfWhatWasWrittenOnce) {
  const TempDir temp;
  const auto folder = temp.path() / "store";
  auto store = RocksdbTokenStore::create(folder, kInstallation).value();
  std::vector<NewRow> rows;
  const auto add = [&](std::size_t count) {
    const std::size_t first = rows.size();
    for (std::size_t i = 0; i < count; ++i) rows.push_back({std::nullopt, random_id(), "row", {}});
    return store->commit(std::span(rows).subspan(first), {}, {});
  };
  const auto walked = [&] {
    Id after = kNoId;
    std::size_t seen = 0;
    for (;;) {
      const auto page = store->scan(after, 1000);
      if (!page || page->empty()) return seen;
      for (const FoundRow& row : *page) {
        EXPECT_LT(after, row.id);
        after = row.id;
      }
      seen += page->size();
    }
  };
  ASSERT_TRUE(add(2000));
  EXPECT_EQ(walked(), rows.size());
  EXPECT_EQ(tables_in(folder), 0U);  // little is sorted where it is
  ASSERT_TRUE(add(8000));
  EXPECT_EQ(walked(), rows.size());
  EXPECT_EQ(tables_in(folder), 1U);
  EXPECT_EQ(walked(), rows.size());
  EXPECT_EQ(tables_in(folder), 1U);
}

TEST(RocksdbTokenStore, ANewerVersionIsNamed) {
  const TempDir temp;
  const auto folder = temp.path() / "store";
  { ASSERT_TRUE(RocksdbTokenStore::create(folder, kInstallation)); }
  {
    const RawStore raw(folder);
    const std::string newer("\0\2something else", 16);
    EXPECT_TRUE(raw.db->Put({}, "paravent", newer).ok());
  }
  const auto opened = RocksdbTokenStore::open(folder, kInstallation);
  ASSERT_FALSE(opened);
  expect_sentence(opened.error(), ErrorKind::data, "newer version");
}

TEST(RocksdbTokenStore, AnIndexEntryOfAnotherSizeIsDamage) {
  const TempDir temp;
  const auto folder = temp.path() / "store";
  const IndexKey key{1};
  { ASSERT_TRUE(RocksdbTokenStore::create(folder, kInstallation)); }
  {
    const RawStore raw(folder);
    const rocksdb::Slice name(reinterpret_cast<const char*>(key.data()), key.size());
    EXPECT_TRUE(raw.db->Put({}, raw.handles[2], name, "short").ok());
  }
  auto store = RocksdbTokenStore::open(folder, kInstallation).value();
  std::array<std::optional<FoundFacts>, 1> found;
  const auto status = store->find(std::span(&key, 1), found);
  ASSERT_FALSE(status);
  expect_sentence(status.error(), ErrorKind::data, "damaged");
}

TEST(RocksdbTokenStore, WritesNoLogFile) {
  const TempDir temp;
  { ASSERT_TRUE(RocksdbTokenStore::create(temp.path() / "store", kInstallation)); }
  for (const auto& entry : std::filesystem::directory_iterator(temp.path() / "store")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("LOG")) << entry.path();
  }
}

TEST(RocksdbTokenStore, ADamagedManifestIsOneSentence) {
  const TempDir temp;
  const auto folder = temp.path() / "store";
  { ASSERT_TRUE(RocksdbTokenStore::create(folder, kInstallation)); }
  write_text(folder / "CURRENT", "nonsense\n");
  const auto opened = RocksdbTokenStore::open(folder, kInstallation);
  ASSERT_FALSE(opened);
  expect_sentence(opened.error(), ErrorKind::data, "damaged");
}

}  // namespace
}  // namespace paravent::crypto::vault
