// Deleted means gone from the files: the bytes of removed rows, index entries and subject entries
// are looked for in every file of the store, raw, before and after.

#include <algorithm>
#include <cstring>
#include <future>

#include "crypto/primitives/random.h"
#include "crypto/vault/engine/rows/rocksdb_token_store.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

const Id kInstallation{7};

template <typename T>
T random_key() {
  T key{};
  random_bytes(key);
  return key;
}

template <typename T>
std::string raw(const T& key) {
  return std::string(as_text(key));
}

// Every file of the folder, whole.
std::vector<std::string> files_of(const std::filesystem::path& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(test::whole_file(entry.path()));
  }
  return files;
}

// In how many of them a text occurs. (memmem: what the sanitizers do at each step of find() would
// take minutes.)
int files_with(const std::vector<std::string>& files, const std::string& text) {
  return static_cast<int>(std::count_if(files.begin(), files.end(), [&](const std::string& file) {
    return ::memmem(file.data(), file.size(), text.data(), text.size()) != nullptr;
  }));
}

class StoreForgets : public testing::Test {
 protected:
  StoreForgets() { store_ = RocksdbTokenStore::create(folder_, kInstallation).value(); }

  // Rows enough that they lie in several tables and levels, and in the log.
  void fill(std::size_t count) {
    for (std::size_t at = 0; at < count; at += 1000) {
      std::vector<NewRow> rows(1000);
      for (NewRow& row : rows) {
        row.index = random_key<IndexKey>();
        row.id = random_id();
        std::array<std::uint8_t, 200> bytes{};
        random_bytes(bytes);
        bytes[0] |= 0x80U;  // of no schema, so that a look-up gives all of it
        row.row = as_text(bytes);
        row.subject = random_key<SubjectReference>();
      }
      ASSERT_TRUE(store_->commit(rows, {}, {}));
      rows_.insert(rows_.end(), rows.begin(), rows.end());
    }
  }
  // Every text by which a row could be recognised, and how many files hold one.
  static int traces(const std::vector<std::string>& files, const NewRow& row) {
    return files_with(files, row.row) + files_with(files, raw(row.id)) +
           files_with(files, raw(*row.index)) + files_with(files, raw(*row.subject));
  }
  void expect_only_these_are_gone(const std::vector<std::size_t>& gone) {
    const auto files = files_of(folder_);
    for (const std::size_t i : gone) EXPECT_EQ(traces(files, rows_[i]), 0) << "row " << i;
    for (std::size_t i = 0; i < rows_.size(); i += 97) {
      if (std::find(gone.begin(), gone.end(), i) != gone.end()) continue;
      std::array<std::optional<FoundFacts>, 1> found;
      ASSERT_TRUE(store_->find(std::span(&*rows_[i].index, 1), found));
      ASSERT_TRUE(found[0]) << i;
      EXPECT_EQ(found[0]->facts, rows_[i].row);
    }
  }

  // `copy` is what a crash left; afterwards it is the store of the test.
  void expect_finished_by_a_start(const std::filesystem::path& copy,
                                  const std::vector<std::size_t>& gone) {
    store_.reset();
    folder_ = copy;
    EXPECT_GE(traces(files_of(folder_), rows_[gone.front()]), 1);
    store_ = RocksdbTokenStore::open(folder_, kInstallation).value();
    EXPECT_TRUE(eventually([&] {
      const auto files = files_of(folder_);
      return std::all_of(gone.begin(), gone.end(),
                         [&](std::size_t i) { return traces(files, rows_[i]) == 0; });
    }));
    expect_only_these_are_gone(gone);
  }

  TempDir temp_;
  std::filesystem::path folder_ = temp_.path() / "store";
  std::unique_ptr<RocksdbTokenStore> store_;
  std::vector<NewRow> rows_;
};

TEST_F(StoreForgets, RemovedRowsAreInNoFile) {
  fill(60'000);
  // The first and the last row of the order of each family bound a table, and the manifest names
  // bounds.
  std::vector<std::size_t> gone{0, 1, 30'000, 59'999};
  const auto by = [&](auto key_of) {
    const auto [low, high] =
        std::minmax_element(rows_.begin(), rows_.end(),
                            [&](const auto& a, const auto& b) { return key_of(a) < key_of(b); });
    gone.push_back(static_cast<std::size_t>(low - rows_.begin()));
    gone.push_back(static_cast<std::size_t>(high - rows_.begin()));
  };
  by([](const NewRow& row) { return raw(row.id); });
  by([](const NewRow& row) { return raw(*row.index); });
  by([](const NewRow& row) { return raw(*row.subject); });
  std::vector<Id> ids;
  const auto before = files_of(folder_);
  for (const std::size_t i : gone) {
    EXPECT_GE(traces(before, rows_[i]), 1)
        << "row " << i << " was never in a file, so nothing is proved";
    ids.push_back(rows_[i].id);
  }
  ASSERT_TRUE(store_->expire(ids));
  expect_only_these_are_gone(gone);
  store_.reset();
  const auto closed = files_of(folder_);
  for (const std::size_t i : gone) {
    EXPECT_EQ(traces(closed, rows_[i]), 0) << "row " << i << ", closed";
  }
  store_ = RocksdbTokenStore::open(folder_, kInstallation).value();
  expect_only_these_are_gone(gone);
}

TEST_F(StoreForgets, TheIdBehindAnAliasGoesToo) {
  fill(1000);
  std::vector<NewAlias> aliases{{random_key<AliasKey>(), rows_[5].id}};
  ASSERT_TRUE(store_->commit({}, {}, aliases));
  const std::vector<Id> ids{rows_[5].id};
  ASSERT_TRUE(store_->expire(ids));
  expect_only_these_are_gone({5});
  std::array<std::optional<Id>, 1> holder;
  ASSERT_TRUE(store_->find_aliases(std::span(&aliases[0].alias, 1), holder));
  EXPECT_EQ(holder[0], kNoId);
}

// A copy of the folder, taken while the removal waits for a snapshot, is what a crash leaves: the
// rows are deleted, and the files not yet rewritten. The next start finishes.
TEST_F(StoreForgets, AnInterruptedRemovalIsFinishedAtTheNextStart) {
  fill(20'000);
  auto snapshot = store_->snapshot().value();
  const std::vector<Id> ids{rows_[5].id, rows_[15'000].id};
  auto removal = std::async(std::launch::async, [&] { return store_->expire(ids); });
  ASSERT_TRUE(eventually([&] { return store_->by_subject(*rows_[5].subject)->empty(); }));
  const auto copy = temp_.path() / "copy";
  std::filesystem::copy(folder_, copy, std::filesystem::copy_options::recursive);
  EXPECT_GE(traces(files_of(folder_), rows_[5]), 1);
  snapshot.reset();
  ASSERT_TRUE(removal.get());
  expect_only_these_are_gone({5, 15'000});

  expect_finished_by_a_start(copy, {5, 15'000});
}

// And before anything that leads to them was looked for.
TEST_F(StoreForgets, ARemovalThatWasOnlyBegunIsFinishedAtTheNextStart) {
  fill(20'000);
  std::vector<NewAlias> aliases{{random_key<AliasKey>(), rows_[5].id}};
  ASSERT_TRUE(store_->commit({}, {}, aliases));
  ASSERT_TRUE(store_->remove(std::vector<Id>{rows_[5].id}));
  ASSERT_TRUE(store_->remove(std::vector<Id>{rows_[15'000].id}));
  std::array<std::optional<FoundFacts>, 1> found;
  ASSERT_TRUE(store_->find(std::span(&*rows_[5].index, 1), found));
  EXPECT_FALSE(found[0]) << "nobody finds it from now on";
  const auto copy = temp_.path() / "copy";
  std::filesystem::copy(folder_, copy, std::filesystem::copy_options::recursive);
  ASSERT_TRUE(store_->forget_removed());
  expect_only_these_are_gone({5, 15'000});

  expect_finished_by_a_start(copy, {5, 15'000});
  std::array<std::optional<Id>, 1> holder;
  ASSERT_TRUE(store_->find_aliases(std::span(&aliases[0].alias, 1), holder));
  EXPECT_EQ(holder[0], kNoId);
}

TEST_F(StoreForgets, AnEntryThatLeadsToANewRowStays) {
  fill(1000);
  const std::vector<Id> ids{rows_[5].id};
  ASSERT_TRUE(store_->expire(ids));
  std::vector<NewRow> anew{{rows_[5].index, random_id(), "again", {}}};
  ASSERT_TRUE(store_->commit(anew, {}, {}));
  EXPECT_TRUE(anew[0].created);
  ASSERT_TRUE(store_->expire(ids));
  std::array<std::optional<FoundFacts>, 1> found;
  ASSERT_TRUE(store_->find(std::span(&*rows_[5].index, 1), found));
  EXPECT_EQ(found[0]->facts, "again");
}

// Entries of an index that moved: the rows stay, the entries are in no file.
TEST_F(StoreForgets, DroppedIndexEntriesAreInNoFile) {
  fill(20'000);
  ASSERT_TRUE(store_->forget_dropped()) << "nothing was dropped";
  const std::vector<std::size_t> dropped{0, 1, 10'000, 19'999};
  std::vector<IndexKey> keys;
  auto before = files_of(folder_);
  for (const std::size_t i : dropped) {
    EXPECT_GE(files_with(before, raw(*rows_[i].index)), 1) << "never in a file";
    keys.push_back(*rows_[i].index);
  }
  ASSERT_TRUE(store_->drop_index(keys));
  // What a crash leaves now: a start finishes it.
  const auto copy = temp_.path() / "copy";
  std::filesystem::copy(folder_, copy, std::filesystem::copy_options::recursive);
  ASSERT_TRUE(store_->forget_dropped());
  for (int round = 0; round < 2; ++round) {
    const auto after = files_of(folder_);
    for (const std::size_t i : dropped) {
      EXPECT_EQ(files_with(after, raw(*rows_[i].index)), 0) << "row " << i;
      EXPECT_GE(files_with(after, rows_[i].row), 1) << "row " << i << " stays";
    }
    std::array<std::optional<FoundFacts>, 1> found;
    ASSERT_TRUE(store_->find(std::span(&*rows_[500].index, 1), found));
    EXPECT_TRUE(found[0]);
    ASSERT_TRUE(store_->find(std::span(keys.data(), 1), found));
    EXPECT_FALSE(found[0]);
    store_.reset();
    folder_ = copy;
    store_ = RocksdbTokenStore::open(folder_, kInstallation).value();
    ASSERT_TRUE(eventually([&] { return files_with(files_of(folder_), raw(keys[2])) == 0; }));
    // Waits for what the start began.
    ASSERT_TRUE(store_->drop_index({}));
    ASSERT_TRUE(store_->forget_dropped());
  }
}

TEST_F(StoreForgets, CountsRowsBytesAndFsyncs) {
  fill(20'000);
  const StoreStatistics statistics = store_->statistics();
  EXPECT_EQ(statistics.rows, 20'000U);
  EXPECT_GT(statistics.bytes, 0U);
  EXPECT_GE(statistics.fsyncs, 20U);
}

}  // namespace
}  // namespace paravent::crypto::vault
