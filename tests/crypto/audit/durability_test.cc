// Full disks, failed syncs, lost power and killed processes: what was acknowledged stays, what was
// not leaves no trace, and the log always verifies after it was opened again.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include "tests/crypto/audit/failing_disk.h"
#include "tests/crypto/audit/kill_testing.h"

namespace paravent::crypto::audit {
namespace {

// Fails operation 1, 2, 3, ... of an append until it passes untouched (as SQLite's I/O-error
// loops).
TEST(Durability, EveryWriteMayFail) {
  for (const int before : {0, 255, 256, 5'000}) {
    TestLog test;
    append_some(*test.open(), before);
    const std::string copy = test.folder.path("copy");
    std::filesystem::copy(test.path(), copy, std::filesystem::copy_options::recursive);
    int failures = 0;
    for (int at = 1;; ++at) {
      auto disk = std::make_shared<FullDisk>();
      auto log = test.try_open(disk);
      ASSERT_TRUE(log.has_value()) << log.error().sentence();
      const std::uint64_t size = (*log)->size();
      disk->operations = 0;
      disk->fail_at = at;
      const auto receipt = (*log)->append(test_entry(1));
      if (receipt) break;
      ++failures;
      EXPECT_EQ((*log)->size(), size);
      EXPECT_EQ(test.verify(), "") << "after failure " << at;
      // Space returned: the same object goes on.
      EXPECT_TRUE((*log)->append(test_entry(2)).has_value());
      EXPECT_EQ(test.verify(), "") << "after recovery from " << at;
      log->reset();
      EXPECT_EQ(test.open()->size(), size + 1);
      // Back to the size that the round began with.
      std::filesystem::remove_all(test.path());
      std::filesystem::copy(copy, test.path(), std::filesystem::copy_options::recursive);
    }
    EXPECT_GE(failures, 4);
  }
}

TEST(Durability, AFullDiskIsSaidAndNothingIsAcknowledged) {
  TestLog test;
  auto disk = std::make_shared<FullDisk>();
  const auto log = *test.try_open(disk);
  append_some(*log, 3);
  disk->fail_at = disk->operations + 1;
  disk->for_good = true;
  for (int i = 0; i < 5; ++i) {
    const auto receipt = log->append(test_entry(i));
    ASSERT_FALSE(receipt.has_value());
    EXPECT_EQ(receipt.error().kind(), ErrorKind::disk_full);
  }
  EXPECT_EQ(test.verify(), "");
  disk->for_good = false;
  append_some(*log, 3);
  EXPECT_EQ(log->size(), 6U);
  EXPECT_EQ(test.verify(), "");
}

// The real disk operations against a real refusal of the kernel: no file may pass 600 bytes.
TEST(Durability, TheKernelRefusesToWrite) {
  TestLog test;
  const auto log = test.open();
  append_some(*log, 3);
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 600;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto receipt = log->append(test_entry(1));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_FALSE(receipt.has_value());
  EXPECT_EQ(receipt.error().kind(), ErrorKind::disk_full);
  EXPECT_EQ(test.verify(), "");
  EXPECT_TRUE(log->append(test_entry(1)).has_value());
  EXPECT_EQ(log->size(), 4U);
  EXPECT_EQ(test.verify(), "");
}

class FailingSync final : public Disk {
 public:
  bool failing = false;
  bool sync(const OpenFile& file, const std::string& path) override {
    return !failing && Disk::sync(file, path);
  }
};

TEST(DurabilityDeathTest, AFailedSyncEndsTheProcess) {
  TestLog test;
  auto disk = std::make_shared<FailingSync>();
  const auto log = *test.try_open(disk);
  disk->failing = true;
  EXPECT_DEATH(static_cast<void>(log->append(test_entry(1))), "");
}

// Cuts the power at operation 1, 2, 3, ... of a run that crosses a tile's edge, and tosses a coin
// for everything that was not synced.
TEST(Durability, PowerMayFailAtEveryOperation) {
  int recovered = 0;
  for (int cut_at = 1;; ++cut_at) {
    TestLog test;
    append_some(*test.open(), 254);
    auto disk = std::make_shared<UnreliableDisk>(cut_at, static_cast<unsigned>(cut_at));
    std::uint64_t acknowledged = 254;
    {
      auto log = test.try_open(disk);
      if (!log) continue;  // cut before anything was appended
      for (int i = 0; i < 5; ++i) {
        const auto receipt = (*log)->append(test_entry(i));
        // A step that ran into the cut only reports success here because syncs say nothing; the
        // process would have been dead.
        if (disk->cut()) break;
        ASSERT_TRUE(receipt.has_value());
        acknowledged = receipt->index() + 1;
      }
    }
    if (!disk->cut()) break;
    disk->power_cut();
    auto log = test.try_open();
    ASSERT_TRUE(log.has_value()) << cut_at << ": " << log.error().sentence();
    EXPECT_GE((*log)->size(), acknowledged) << cut_at;
    EXPECT_LE((*log)->size(), acknowledged + 1) << cut_at;
    EXPECT_EQ(test.verify(), "") << cut_at;
    append_some(**log, 3);
    EXPECT_EQ(test.verify(), "") << cut_at;
    ++recovered;
  }
  EXPECT_GE(recovered, 30);
}

TEST(Durability, PowerMayFailWhileTheLogIsMade) {
  for (int cut_at = 0; cut_at < 12; ++cut_at) {
    TestLog test;
    auto disk = std::make_shared<UnreliableDisk>(cut_at, 1);
    static_cast<void>(test.try_open(disk));
    auto log = test.try_open();
    ASSERT_TRUE(log.has_value()) << cut_at << ": " << log.error().sentence();
    append_some(**log, 2);
    EXPECT_EQ(test.verify(), "") << cut_at;
  }
}

TEST(Durability, KilledAtRandomMoments) {
  TestLog test;
  kill_at_random_moments(test, {.rounds = 60, .most_appends = 40, .at_least = 100, .seed = 42});
}

}  // namespace
}  // namespace paravent::crypto::audit
