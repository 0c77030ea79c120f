// Faults that only a file system of our own can produce.

#include <rocksdb/file_system.h>

#include <atomic>

#include "crypto/vault/engine/rows/rocksdb_token_store.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

struct Faults {
  std::atomic<bool> append{false};
  std::atomic<bool> sync{false};
  std::atomic<int> looks{0};  // so many files in a row cannot be opened for reading
};

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::unique_ptr<FSWritableFile> file, std::shared_ptr<Faults> faults)
      : FSWritableFileOwnerWrapper(std::move(file)), faults_(std::move(faults)) {}
  using FSWritableFileOwnerWrapper::Append;
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* debug) override {
    if (!faults_->append) return FSWritableFileOwnerWrapper::Append(data, options, debug);
    // Half of the record reaches the file, as on a disk that fills up.
    const rocksdb::Slice half(data.data(), data.size() / 2);
    (void)FSWritableFileOwnerWrapper::Append(half, options, debug);
    return IOStatus::NoSpace();
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    if (faults_->sync) return IOStatus::IOError("injected");
    return FSWritableFileOwnerWrapper::Sync(options, debug);
  }

 private:
  std::shared_ptr<Faults> faults_;
};

class FaultyFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FaultyFileSystem(std::shared_ptr<Faults> faults)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), faults_(std::move(faults)) {}
  const char* Name() const override { return "Faulty"; }
  IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                           std::unique_ptr<FSWritableFile>* file, IODebugContext* debug) override {
    IOStatus status = FileSystemWrapper::NewWritableFile(name, options, file, debug);
    if (status.ok()) *file = std::make_unique<FaultyFile>(std::move(*file), faults_);
    return status;
  }
  IOStatus NewSequentialFile(const std::string& name, const rocksdb::FileOptions& options,
                             std::unique_ptr<rocksdb::FSSequentialFile>* file,
                             IODebugContext* debug) override {
    if (faults_->looks > 0 && faults_->looks-- > 0) return IOStatus::IOError("too many open files");
    return FileSystemWrapper::NewSequentialFile(name, options, file, debug);
  }

 private:
  std::shared_ptr<Faults> faults_;
};

class StoreFaults : public testing::Test {
 protected:
  StoreFaults() {
    testing::FLAGS_gtest_death_test_style = "threadsafe";
    store_ = RocksdbTokenStore::create(temp_.path() / "store", Id{7},
                                       std::make_shared<FaultyFileSystem>(faults_))
                 .value();
  }
  Status put(std::uint8_t n) {
    std::vector<NewRow> row{{IndexKey{n}, Id{n}, "row", {}}};
    return store_->commit(row, {}, {});
  }
  bool has(std::uint8_t n) {
    const std::array<Id, 1> ids{Id{n}};
    std::array<std::optional<std::string>, 1> rows;
    return store_->resolve(ids, rows) && rows[0] == "row";
  }
  TempDir temp_;
  std::shared_ptr<Faults> faults_ = std::make_shared<Faults>();
  std::unique_ptr<RocksdbTokenStore> store_;
};

using StoreFaultsDeathTest = StoreFaults;

TEST_F(StoreFaultsDeathTest, AFailedSyncEndsTheProcess) {
  ASSERT_TRUE(put(1));
  EXPECT_DEATH(
      {
        faults_->sync = true;
        (void)put(2);
      },
      "");
}

TEST_F(StoreFaults, ATornWriteIsRefusedThenRecoveredFrom) {
  ASSERT_TRUE(put(1));
  faults_->append = true;
  for (int i = 0; i < 3; ++i) {
    const auto status = put(2);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind(), ErrorKind::disk_full) << status.error().sentence();
    EXPECT_TRUE(has(1));
    EXPECT_FALSE(has(2));
  }
  faults_->append = false;
  ASSERT_TRUE(eventually([this] { return put(3).has_value(); }));
  EXPECT_TRUE(has(3));
  store_.reset();
  store_ = RocksdbTokenStore::open(temp_.path() / "store", Id{7}).value();
  EXPECT_TRUE(has(1));
  EXPECT_FALSE(has(2));
  EXPECT_TRUE(has(3));
}

// The look before the opening fails by what passes, and the opening does not: what was to be
// noticed is noticed all the same, and nothing is written over it.
TEST_F(StoreFaults, AStoreThatLacksALogIsRefusedAlsoWhereItCouldNotBeLookedAt) {
  const auto folder = temp_.path() / "store";
  const auto open = [&] {
    return RocksdbTokenStore::open(folder, Id{7}, std::make_shared<FaultyFileSystem>(faults_));
  };
  ASSERT_TRUE(put(1));
  store_.reset();
  faults_->looks = 1;
  store_ = open().value();  // whole, so that it does no harm
  EXPECT_EQ(faults_->looks, 0);
  EXPECT_TRUE(has(1));
  ASSERT_TRUE(put(2));
  store_.reset();
  const std::string opened = test::whole_file(folder / "opened");
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    if (file.path().extension() == ".log") std::filesystem::remove(file.path());
  }
  for (const int looks : {1, 0}) {
    faults_->looks = looks;
    const auto again = open();
    ASSERT_FALSE(again) << looks;
    expect_sentence(again.error(), ErrorKind::data, "lacks what was in it");
    EXPECT_EQ(test::whole_file(folder / "opened"), opened);
  }
}

// What lies in the write buffers is put in order once, by writing it into a table; where nothing
// can be written, anew for each page.
TEST_F(StoreFaults, AWalkGoesOnWhereNothingCanBeWritten) {
  constexpr std::size_t kRows = 9000;
  std::vector<NewRow> rows;
  for (std::size_t i = 0; i < kRows; ++i) {
    Id id{1, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i)};
    rows.push_back({std::nullopt, id, "row", {}});
  }
  ASSERT_TRUE(store_->commit(rows, {}, {}));
  faults_->append = true;
  const auto page = store_->scan(kNoId, 1000);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->size(), 1000U);
  EXPECT_EQ(page->back().id, rows[999].id);
  const auto next = store_->scan(page->back().id, kRows);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->size(), kRows - 1000);
  faults_->append = false;
  ASSERT_TRUE(eventually([this] { return put(3).has_value(); }));
  EXPECT_EQ(store_->scan(kNoId, 2 * kRows).value().size(), kRows + 1);
}

}  // namespace
}  // namespace paravent::crypto::vault
