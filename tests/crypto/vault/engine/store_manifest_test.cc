// The file that says what a store consists of, cut short at every place: a store that opens has
// everything, or it does not open. One with an empty family in the place of a lost one would give
// the same value a second token.

#include <algorithm>
#include <filesystem>

#include "crypto/primitives/random.h"
#include "crypto/vault/engine/rocksdb_token_store.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

const Id kInstallation{7};

std::filesystem::path manifest_of(const std::filesystem::path& store) {
  std::string name = read_text(store / "CURRENT");
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

  void add_rows(RocksdbTokenStore& store) {
    std::vector<NewRow> rows(500);
    for (NewRow& row : rows) {
      row.index.emplace();
      random_bytes(*row.index);
      row.id = random_id();
      std::array<std::uint8_t, 200> bytes{};
      random_bytes(bytes);
      bytes[0] |= 0x80U;  // of no schema
      row.row = as_text(bytes);
    }
    EXPECT_TRUE(store.commit(rows, {}, {}));
    rows_.insert(rows_.end(), rows.begin(), rows.end());
  }

  bool has_everything(RocksdbTokenStore& store) const {
    for (const NewRow& row : rows_) {
      std::array<std::optional<FoundFacts>, 1> found;
      if (!store.find(std::span(&*row.index, 1), found) || !found[0] || found[0]->id != row.id) {
        return false;
      }
    }
    return true;
  }

  TempDir temp_;
  std::filesystem::path folder_ = temp_.path() / "store";
  std::vector<NewRow> rows_;
};

void StoreManifest::expect_everything_or_nothing(std::unique_ptr<RocksdbTokenStore> store) {
  store.reset();
  const std::string whole = read_text(manifest_of(folder_));
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
      const auto opened = RocksdbTokenStore::open(copy, kInstallation);
      if (!opened) {
        ++refused;
        continue;
      }
      EXPECT_TRUE(has_everything(**opened)) << "cut to " << size << " of " << whole.size();
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
    ASSERT_TRUE(store->note_renewals(static_cast<std::uint32_t>(2 + i)));
  }
  expect_everything_or_nothing(std::move(store));
}

// Removing rewrites tables, and with them the manifest.
TEST_F(StoreManifest, OfAStoreWithTablesCutShortItOpensWithEverythingOrNotAtAll) {
  auto store = RocksdbTokenStore::create(folder_, kInstallation).value();
  add_rows(*store);
  const std::vector<Id> first{rows_.front().id};
  ASSERT_TRUE(store->expire(first));
  rows_.erase(rows_.begin());
  add_rows(*store);
  expect_everything_or_nothing(std::move(store));
}

}  // namespace
}  // namespace paravent::crypto::vault
