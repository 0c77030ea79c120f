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

class StoreManifest : public testing::Test {
 protected:
  StoreManifest() {
    auto store = RocksdbTokenStore::create(folder_, kInstallation).value();
    add_rows(*store);
    // Removing rewrites tables, and with them the manifest.
    const std::vector<Id> first{rows_.front().id};
    EXPECT_TRUE(store->expire(first));
    rows_.erase(rows_.begin());
    add_rows(*store);
  }

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

TEST_F(StoreManifest, CutShortItOpensWithEverythingOrNotAtAll) {
  const std::string whole = read_text(manifest_of(folder_));
  const auto copy = temp_.path() / "copy";
  std::size_t refused = 0;
  const std::size_t step = std::max<std::size_t>(1, whole.size() / 60);
  for (std::size_t size = 0; size < whole.size(); size += step) {
    std::filesystem::remove_all(copy);
    std::filesystem::copy(folder_, copy, std::filesystem::copy_options::recursive);
    write_text(manifest_of(copy), whole.substr(0, size));
    auto store = RocksdbTokenStore::open(copy, kInstallation);
    if (!store) {
      ++refused;
      continue;
    }
    EXPECT_TRUE(has_everything(**store)) << "cut to " << size << " of " << whole.size();
  }
  EXPECT_GE(refused, 30U);
  auto store = RocksdbTokenStore::open(folder_, kInstallation);
  ASSERT_TRUE(store);
  EXPECT_TRUE(has_everything(**store));
}

}  // namespace
}  // namespace paravent::crypto::vault
