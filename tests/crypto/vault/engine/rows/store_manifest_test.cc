// The file that says what a store consists of, cut short at every place, put back from before, and
// logs that are gone: a store that opens has everything, or it does not open. One with an empty
// family in the place of a lost one would give the same value a second token.

#include <algorithm>
#include <filesystem>

#include "crypto/primitives/random.h"
#include "crypto/vault/engine/rows/manifest_sum.h"
#include "crypto/vault/engine/rows/rocksdb_token_store.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

const Id kInstallation{7};

std::filesystem::path manifest_of(const std::filesystem::path& store) {
  std::string name = test::whole_file(store / "CURRENT");
  name.erase(name.find_last_not_of('\n') + 1);
  return store / name;
}

// Where its records end (RocksDB's log format: u32 checksum, u16 size, u8 type, little-endian): cut
// elsewhere, the last one is torn; cut there, nothing looks amiss. It is shorter than a block.
std::vector<std::size_t> ends_of_records(const std::string& manifest) {
  std::vector<std::size_t> ends{0};
  while (ends.back() + 7 <= manifest.size()) {
    const auto byte = [&](std::size_t at) {
      return static_cast<std::size_t>(static_cast<std::uint8_t>(manifest[ends.back() + at]));
    };
    ends.push_back(ends.back() + 7 + byte(4) + 256 * byte(5));
  }
  return ends;
}

class StoreManifest : public testing::Test {
 protected:
  // Closes what it is given, cuts its manifest in copies, and looks what opens.
  void expect_everything_or_nothing(std::unique_ptr<RocksdbTokenStore> store);

  // Some of them a person's and under a text in a shape of its own.
  void add_rows(RocksdbTokenStore& store) {
    std::vector<NewRow> rows(500);
    std::vector<NewAlias> aliases(50);
    for (NewRow& row : rows) {
      row.index.emplace();
      random_bytes(*row.index);
      row.id = random_id();
      std::array<std::uint8_t, 200> bytes{};
      random_bytes(bytes);
      bytes[0] |= 0x80U;  // of no schema
      row.row = as_text(bytes);
    }
    for (std::size_t i = 0; i < aliases.size(); ++i) {
      random_bytes(aliases[i].alias);
      aliases[i].id = rows[i].id;
      random_bytes(rows[i].subject.emplace());
    }
    EXPECT_TRUE(store.commit(rows, {}, aliases));
    rows_.insert(rows_.end(), rows.begin(), rows.end());
    aliases_.insert(aliases_.end(), aliases.begin(), aliases.end());
  }
  void note(RocksdbTokenStore& store) { EXPECT_TRUE(store.note_renewals(++renewals_)); }

  bool has_everything(RocksdbTokenStore& store) const {
    for (const NewRow& row : rows_) {
      std::array<std::optional<FoundFacts>, 1> found;
      if (!store.find(std::span(&*row.index, 1), found) || !found[0] || found[0]->id != row.id) {
        return false;
      }
      if (row.subject && store.by_subject(*row.subject).value() != std::vector{row.id}) {
        return false;
      }
    }
    for (const NewAlias& alias : aliases_) {
      std::array<std::optional<Id>, 1> found;
      if (!store.find_aliases(std::span(&alias.alias, 1), found) || !found[0]) return false;
    }
    return store.renewals_noted().value() == renewals_;
  }

  // What opens has everything; answers whether it opened.
  bool opens_whole(const std::filesystem::path& folder, const std::string& what) const {
    const auto opened = RocksdbTokenStore::open(folder, kInstallation);
    if (!opened) {
      EXPECT_EQ(opened.error().kind(), ErrorKind::data);
      return false;
    }
    EXPECT_TRUE(has_everything(**opened)) << what;
    return true;
  }
  std::filesystem::path copied(const std::string& name) const {
    auto copy = temp_.path() / name;
    std::filesystem::remove_all(copy);
    std::filesystem::copy(folder_, copy, std::filesystem::copy_options::recursive);
    return copy;
  }

  TempDir temp_;
  std::filesystem::path folder_ = temp_.path() / "store";
  std::vector<NewRow> rows_;
  std::vector<NewAlias> aliases_;
  std::uint32_t renewals_ = 0;
};

void StoreManifest::expect_everything_or_nothing(std::unique_ptr<RocksdbTokenStore> store) {
  store.reset();
  const std::string whole = test::whole_file(manifest_of(folder_));
  const auto copy = temp_.path() / "copy";
  const std::vector<std::size_t> ends = ends_of_records(whole);
  ASSERT_EQ(ends.back(), whole.size());
  ASSERT_GE(ends.size(), 6U) << "a record for each family at least";
  std::size_t cuts = 0;
  std::size_t refused = 0;
  for (const std::size_t end : ends) {
    for (const std::size_t size : {end - 3, end, end + 3}) {
      if (size >= whole.size()) continue;  // below nothing, too
      std::filesystem::remove_all(copy);
      std::filesystem::copy(folder_, copy, std::filesystem::copy_options::recursive);
      write_text(manifest_of(copy), whole.substr(0, size));
      ++cuts;
      const auto what = "cut to " + std::to_string(size) + " of " + std::to_string(whole.size());
      refused += opens_whole(copy, what) ? 0U : 1U;
    }
  }
  EXPECT_GT(refused, cuts / 2);
  const auto uncut = RocksdbTokenStore::open(folder_, kInstallation);
  ASSERT_TRUE(uncut);
  EXPECT_TRUE(has_everything(**uncut));
}

// All that there is lies in the log, under the numbers of families that the manifest makes.
TEST_F(StoreManifest, OfAYoungStoreCutShortItOpensWithEverythingOrNotAtAll) {
  auto store = RocksdbTokenStore::create(folder_, kInstallation).value();
  add_rows(*store);
  expect_everything_or_nothing(std::move(store));
}

// Opened again, what lay in the log lies in tables.
TEST_F(StoreManifest, OfAStoreOpenedAgainCutShortItOpensWithEverythingOrNotAtAll) {
  auto store = RocksdbTokenStore::create(folder_, kInstallation).value();
  add_rows(*store);
  for (int i = 0; i < 2; ++i) {
    store.reset();
    store = RocksdbTokenStore::open(folder_, kInstallation).value();
    note(*store);
  }
  expect_everything_or_nothing(std::move(store));
}

// Removing rewrites tables, and with them the manifest.
TEST_F(StoreManifest, OfAStoreWithTablesCutShortItOpensWithEverythingOrNotAtAll) {
  auto store = RocksdbTokenStore::create(folder_, kInstallation).value();
  add_rows(*store);
  const std::vector<Id> first{rows_.front().id};
  ASSERT_TRUE(store->expire(first));
  rows_.erase(rows_.begin());  // its text is retired, and still there
  add_rows(*store);
  expect_everything_or_nothing(std::move(store));
}

// Killed while it ran: tables, a log with more, and a renewal between them.
TEST_F(StoreManifest, OfAStoreThatWasKilledCutShortItOpensWithEverythingOrNotAtAll) {
  auto store = RocksdbTokenStore::create(folder_, kInstallation).value();
  add_rows(*store);
  note(*store);
  store.reset();
  store = RocksdbTokenStore::open(folder_, kInstallation).value();
  add_rows(*store);
  note(*store);
  const auto killed = copied("killed");
  store.reset();
  folder_ = killed;
  expect_everything_or_nothing(nullptr);
}

// Each file by which RocksDB finds the others, as it was after each opening, beside the newest
// others.
TEST_F(StoreManifest, PutBackFromAnEarlierOpeningItOpensWithEverythingOrNotAtAll) {
  auto store = RocksdbTokenStore::create(folder_, kInstallation).value();
  std::vector<std::filesystem::path> before;
  for (int i = 0; i < 4; ++i) {
    add_rows(*store);
    note(*store);
    if (i == 2) {
      ASSERT_TRUE(store->expire(std::vector{rows_.front().id}));
      rows_.erase(rows_.begin());
    }
    store.reset();
    before.push_back(copied("before" + std::to_string(i)));
    store = RocksdbTokenStore::open(folder_, kInstallation).value();
  }
  add_rows(*store);
  store.reset();
  for (const auto& older : before) {
    const auto copy = copied("copy");
    const auto over = std::filesystem::copy_options::overwrite_existing;
    std::filesystem::copy(older / "CURRENT", copy / "CURRENT", over);
    std::filesystem::copy(manifest_of(older), copy / manifest_of(older).filename(), over);
    const auto files = std::distance(std::filesystem::directory_iterator(copy), {});
    EXPECT_FALSE(opens_whole(copy, "the manifest of " + older.filename().string()));
    // Nothing is lost by having tried: what belongs there, put back, opens.
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(copy), {}), files);
    std::filesystem::copy(folder_ / "CURRENT", copy / "CURRENT", over);
    EXPECT_TRUE(opens_whole(copy, "put right again"));
  }
  EXPECT_TRUE(opens_whole(folder_, "untouched"));
}

// Of the running opening, too.
TEST_F(StoreManifest, PutBackFromTheSameOpeningItOpensWithEverythingOrNotAtAll) {
  auto store = RocksdbTokenStore::create(folder_, kInstallation).value();
  add_rows(*store);
  const auto older = copied("older");
  add_rows(*store);
  ASSERT_TRUE(store->expire(std::vector{rows_.front().id}));
  rows_.erase(rows_.begin());
  store.reset();
  const auto over = std::filesystem::copy_options::overwrite_existing;
  std::filesystem::copy(older / "CURRENT", folder_ / "CURRENT", over);
  std::filesystem::copy(manifest_of(older), folder_ / manifest_of(older).filename(), over);
  EXPECT_FALSE(opens_whole(folder_, "the manifest of before the removal"));
}

// A change of CURRENT that was interrupted before or after it: either manifest is the right one.
TEST_F(StoreManifest, AChangeOfCurrentMayBeInterrupted) {
  auto store = RocksdbTokenStore::create(folder_, kInstallation).value();
  add_rows(*store);
  store.reset();
  const std::string sum = test::whole_file(folder_ / "manifest-sum");
  const std::string other = "MANIFEST-000999 " + std::string(64, 'a') + "\n";
  for (const std::string& lines : {sum + other, other + sum}) {
    const auto copy = copied("copy");
    write_text(copy / "manifest-sum", lines);
    EXPECT_TRUE(opens_whole(copy, lines));
    EXPECT_EQ(test::whole_file(copy / "manifest-sum").find(other), std::string::npos) << "settled";
  }
  for (const std::string& lines : {other, std::string(), sum.substr(0, sum.size() - 2)}) {
    const auto copy = copied("copy");
    write_text(copy / "manifest-sum", lines);
    EXPECT_FALSE(opens_whole(copy, lines));
  }
  // Left from before by a version that notes no hash, whose manifests have higher numbers.
  const auto copy = copied("copy");
  write_text(copy / "manifest-sum", "MANIFEST-000001 " + std::string(64, 'a') + "\n");
  EXPECT_TRUE(opens_whole(copy, "of a version that notes none"));
  std::filesystem::remove(folder_ / "manifest-sum");
  EXPECT_FALSE(opens_whole(folder_, "without its sum"));
  // A store of before there was either file.
  std::filesystem::remove(folder_ / "opened");
  EXPECT_TRUE(opens_whole(folder_, "as it was made before"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "manifest-sum"));
  EXPECT_TRUE(opens_whole(folder_, "and again"));
}

// A manifest that went bad while the store was open is not made right by the change to the next.
TEST_F(StoreManifest, AHashIsNotMadeAnewForOneThatWentBadMeanwhile) {
  auto store = RocksdbTokenStore::create(folder_, kInstallation).value();
  add_rows(*store);
  store.reset();
  const auto manifest = manifest_of(folder_);
  const std::string whole = test::whole_file(manifest);
  write_text(folder_ / "MANIFEST-000999", whole);
  write_text(folder_ / "000999.dbtmp", "MANIFEST-000999\n");
  ManifestSum sum(folder_);
  write_text(manifest, whole.substr(0, whole.size() / 2));
  ASSERT_TRUE(sum.prepare(folder_ / "000999.dbtmp"));
  // Interrupted here, CURRENT names it still.
  EXPECT_FALSE(sum.check(true));
  EXPECT_FALSE(opens_whole(folder_, "it went bad while the store was open"));
  write_text(manifest, whole);
  EXPECT_TRUE(sum.check(true));
  // Of a store that notes nothing yet it is taken as it is.
  std::filesystem::remove(folder_ / kManifestSumFile);
  ASSERT_TRUE(sum.prepare(folder_ / "000999.dbtmp"));
  EXPECT_TRUE(sum.check(true));
  EXPECT_TRUE(opens_whole(folder_, "put right again"));
}

TEST_F(StoreManifest, WithoutALogItOpensWithEverythingOrNotAtAll) {
  auto store = RocksdbTokenStore::create(folder_, kInstallation).value();
  for (int i = 0; i < 3; ++i) {
    add_rows(*store);
    note(*store);
    store.reset();
    for (const auto& file : std::filesystem::directory_iterator(folder_)) {
      if (file.path().extension() != ".log") continue;
      const auto copy = copied("copy");
      std::filesystem::remove(copy / file.path().filename());
      EXPECT_FALSE(opens_whole(copy, "without " + file.path().filename().string()));
      write_text(copy / file.path().filename(), "");
      EXPECT_FALSE(opens_whole(copy, "emptied " + file.path().filename().string()));
    }
    store = RocksdbTokenStore::open(folder_, kInstallation).value();
  }
}

// An opening that ends between its two notes is no loss, however often.
TEST_F(StoreManifest, OpeningsThatWereInterruptedCountForNothing) {
  auto store = RocksdbTokenStore::create(folder_, kInstallation).value();
  add_rows(*store);
  store.reset();
  const auto file = folder_ / "opened";
  std::string before = test::whole_file(file);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(opens_whole(folder_, "whole"));
    const std::string now = test::whole_file(file);
    EXPECT_NE(now, before);
    write_text(file, before);  // the store is ahead by one
    before = now;
  }
  EXPECT_TRUE(opens_whole(folder_, "ahead by one"));
  const std::string now = test::whole_file(file);
  for (const std::string& bad : {std::string(), now.substr(1), now + "\n", "0" + now}) {
    write_text(file, bad);
    EXPECT_FALSE(opens_whole(folder_, bad));
  }
  write_text(file, "00000000000000ff\n");
  EXPECT_FALSE(opens_whole(folder_, "the store is behind"));
  std::filesystem::remove(file);
  EXPECT_FALSE(opens_whole(folder_, "the file is gone"));
  write_text(file, now);
  EXPECT_TRUE(opens_whole(folder_, "put right again"));
}

}  // namespace
}  // namespace paravent::crypto::vault
