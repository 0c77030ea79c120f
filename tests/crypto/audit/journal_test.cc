// A log with a journal: one sync makes a commit durable, the log's own files follow. What was
// acknowledged is there after a full disk, a power cut at any operation and a kill.

#include "crypto/audit/journal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <mutex>
#include <thread>

#include "tests/crypto/audit/failing_disk.h"
#include "tests/crypto/audit/kill_testing.h"

namespace paravent::crypto::audit {
namespace {

class CountingDisk final : public Disk {
 public:
  std::atomic<int> syncs{0};
  std::atomic<int> data_syncs{0};
  bool sync(const OpenFile& file, const std::string& path) override {
    ++syncs;
    return Disk::sync(file, path);
  }
  bool sync_data(const OpenFile& file, const std::string& path) override {
    ++data_syncs;
    return Disk::sync_data(file, path);
  }
};

// How long the log's own files say that it is.
std::uint64_t size_in_files(const TestLog& test, const AuditLog& log) {
  const auto checkpoint =
      open_own_checkpoint(test::whole_file(test.path() + "/checkpoint"), log.key());
  return checkpoint ? checkpoint->size : 0;
}

bool has_journal(const TestLog& test) { return std::filesystem::exists(test.journal.path); }

TEST(Journal, OneSyncPerCommit) {
  TestLog test;
  test.use_journal();
  auto disk = std::make_shared<CountingDisk>();
  auto log = *test.try_open(disk);
  append_some(*log, 1);  // makes the journal
  ASSERT_TRUE(has_journal(test));
  const int before = disk->syncs;
  for (int i = 0; i < 10; ++i) {
    append_some(*log, 1);
    // A lone append has written the log's own files when it returns.
    EXPECT_EQ(test.verify(), "");
    EXPECT_EQ(size_in_files(test, *log), log->size());
  }
  EXPECT_EQ(disk->data_syncs, 10);
  EXPECT_EQ(disk->syncs, before);
  log.reset();
  EXPECT_FALSE(has_journal(test));
  EXPECT_FALSE(std::filesystem::exists(test.folder.path("audit-journal")));
  EXPECT_GT(disk->syncs, before);  // what the journal was answerable for
  EXPECT_EQ(test.verify(), "");
  EXPECT_EQ(test.open()->size(), 11U);
}

TEST(Journal, FewCommitsNeedNone) {
  TestLog test;
  test.use_journal();
  test.journal.after_commits = 3;
  const auto log = test.open();
  for (int i = 0; i < 3; ++i) append_some(*log, 1);
  EXPECT_FALSE(has_journal(test));
  append_some(*log, 1);
  EXPECT_TRUE(has_journal(test));
}

// Through several halves, a batch that fits into none, and details beyond any base.
TEST(Journal, ItsHalvesTakeTurns) {
  TestLog test;
  test.use_journal(std::size_t{96} << 10U);
  auto log = test.open();
  int expected = 0;
  for (int round = 0; round < 300; ++round) {
    const int count = round % 50 == 49 ? 600 : 1 + round % 7;
    append_some(*log, count);
    expected += count;
    if (round % 40 == 0) {
      EXPECT_EQ(test.verify(), "") << round;
    }
  }
  AuditEntry large = test_entry(1);
  large.detail.tokens.resize(kMaxDetailTokens, {1, Hash{}});
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(log->append(large).has_value());
  expected += 6;
  EXPECT_EQ(log->size(), static_cast<std::uint64_t>(expected));
  const auto all = log->read(0, static_cast<std::size_t>(expected));
  ASSERT_TRUE(all.has_value());
  EXPECT_EQ(all->size(), static_cast<std::size_t>(expected));
  log.reset();
  EXPECT_EQ(test.verify(), "");
  EXPECT_EQ(test.open()->size(), static_cast<std::uint64_t>(expected));
}

// What is acknowledged can be read and proved at once, wherever it lies.
TEST(Journal, ManyThreadsAppendAndRead) {
  TestLog test;
  test.use_journal(std::size_t{256} << 10U);
  auto log = test.open();
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        const auto receipt = log->append(test_entry(i));
        if (!receipt) {
          ++wrong;
          continue;
        }
        const auto record = log->read(receipt->index(), 1);
        const bool same = record && record->front().detail &&
                          record->front().detail->reason == "case " + std::to_string(i);
        const std::uint64_t size = log->size();
        if (!same || !log->prove_inclusion(receipt->index(), size)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(log->size(), 800U);
  EXPECT_LE(log->commits(), 800U);
  EXPECT_EQ(test.verify(), "");
  log.reset();
  EXPECT_EQ(test.verify(), "");
  EXPECT_EQ(test.open()->size(), 800U);
}

// The journal has its room already, so the append that meets the full disk is durable and says so;
// those behind it are refused until the log's files can be written again.
TEST(Journal, AFullDiskRefusesWhatFollows) {
  TestLog test;
  test.use_journal();
  auto disk = std::make_shared<FullDisk>();
  auto log = *test.try_open(disk);
  append_some(*log, 3);
  disk->fail_at = disk->operations + 1;
  disk->for_good = true;
  ASSERT_TRUE(log->append(test_entry(0)).has_value());
  for (int i = 1; i < 5; ++i) {
    const auto receipt = log->append(test_entry(i));
    ASSERT_FALSE(receipt.has_value());
    EXPECT_EQ(receipt.error().kind(), ErrorKind::disk_full);
  }
  EXPECT_EQ(log->size(), 4U);
  EXPECT_EQ(log->read(3, 1)->front().detail->reason, "case 0");
  EXPECT_EQ(test.verify(), "");
  disk->for_good = false;
  append_some(*log, 2);
  EXPECT_EQ(log->size(), 6U);
  EXPECT_EQ(test.verify(), "");
  // And still full when the log is closed: the journal stays, and what it has.
  disk->fail_at = disk->operations + 1;
  disk->for_good = true;
  ASSERT_TRUE(log->append(test_entry(7)).has_value());
  log.reset();
  EXPECT_TRUE(has_journal(test));
  EXPECT_EQ(test.open()->size(), 7U);
  EXPECT_EQ(test.verify(), "");
  EXPECT_FALSE(has_journal(test));
}

// Each write operation fails once, those into the journal as well; what was refused leaves no
// trace.
TEST(Journal, EveryWriteMayFail) {
  for (const int before : {0, 255, 256}) {
    TestLog test;
    test.use_journal(std::size_t{96} << 10U);
    int refused = 0;
    for (int at = 1;; ++at) {
      std::filesystem::remove_all(test.path());
      auto disk = std::make_shared<FullDisk>();
      auto log = *test.try_open(disk);
      append_some(*log, before + 1);
      std::uint64_t size = log->size();
      disk->operations = 0;
      disk->writes_over_fail = true;
      disk->fail_at = at;
      for (int i = 0; i < 6; ++i) {
        // Enough to change halves.
        const std::vector<AuditEntry> some(i == 3 ? 150 : 1, test_entry(i));
        const auto receipts = log->append_batch(some);
        if (!receipts) ++refused;
        if (receipts) size += some.size();
        EXPECT_EQ(log->size(), size) << "failure " << at;
        EXPECT_EQ(test.verify(), "") << "failure " << at;
      }
      const bool untouched = disk->operations < at;
      disk->fail_at = std::numeric_limits<int>::max();
      log.reset();
      EXPECT_EQ(test.open()->size(), size) << "failure " << at;
      EXPECT_EQ(test.verify(), "") << "failure " << at;
      if (untouched) break;
      ASSERT_LT(at, 200);
    }
    EXPECT_GE(refused, 1);  // how many depends on what the log's own thread meets
  }
}

// With several threads: what was prepared on top of a group that fails, fails with it, and what was
// acknowledged is what is there, in the place that its receipt says.
TEST(Journal, GroupsFailTogetherAndLeaveNoTrace) {
  TestLog test;
  test.use_journal();
  auto disk = std::make_shared<FullDisk>();
  auto log = *test.try_open(disk);
  append_some(*log, 1);
  disk->writes_over_fail = true;
  std::atomic<int> refused{0};
  std::mutex mutex;
  std::map<std::uint64_t, std::string> acknowledged;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 60; ++i) {
        if (t == 0 && i % 10 == 5) disk->fail_at = disk->operations + 2;
        const auto receipt = log->append(test_entry(t * 1000 + i));
        if (!receipt) {
          ++refused;
          continue;
        }
        const std::lock_guard lock(mutex);
        EXPECT_TRUE(
            acknowledged.emplace(receipt->index(), "case " + std::to_string(t * 1000 + i)).second);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(refused, 0);
  disk->fail_at = std::numeric_limits<int>::max();
  log.reset();
  EXPECT_EQ(test.verify(), "");
  log = test.open();
  ASSERT_EQ(log->size(), acknowledged.size() + 1);
  for (const auto& [index, reason] : acknowledged) {
    EXPECT_EQ(log->read(index, 1)->front().detail->reason, reason);
  }
}

// Room comes back while nobody appends: the files follow by themselves.
TEST(Journal, TriesAgainByItself) {
  TestLog test;
  test.use_journal();
  auto disk = std::make_shared<FullDisk>();
  auto log = *test.try_open(disk);
  append_some(*log, 2);
  disk->fail_at = disk->operations + 1;
  disk->for_good = true;
  ASSERT_TRUE(log->append(test_entry(0)).has_value());
  EXPECT_FALSE(log->flush().has_value());
  EXPECT_LT(size_in_files(test, *log), log->size());
  disk->for_good = false;
  for (int i = 0; i < 600 && size_in_files(test, *log) != log->size(); ++i) {
    ::usleep(100'000);
  }
  EXPECT_EQ(size_in_files(test, *log), log->size());
}

class FailingData final : public Disk {
 public:
  bool failing = false;
  bool sync_data(const OpenFile& file, const std::string& path) override {
    return !failing && Disk::sync_data(file, path);
  }
};

TEST(JournalDeathTest, AFailedSyncEndsTheProcess) {
  TestLog test;
  test.use_journal();
  auto disk = std::make_shared<FailingData>();
  const auto log = *test.try_open(disk);
  append_some(*log, 1);
  EXPECT_DEATH(
      {
        disk->failing = true;
        static_cast<void>(log->append(test_entry(1)));
      },
      "");
}

// Cuts the power at operation 1, 2, 3, ... of a run that crosses tiles' edges and changes halves.
TEST(Journal, PowerMayFailAtEveryOperation) {
  int recovered = 0;
  for (int cut_at = 1;; ++cut_at) {
    TestLog test;
    append_some(*test.open(), 253);
    test.use_journal(std::size_t{96} << 10U);
    auto disk = std::make_shared<UnreliableDisk>(cut_at, static_cast<unsigned>(cut_at));
    std::uint64_t acknowledged = 253;
    {
      auto log = test.try_open(disk);
      if (!log) continue;  // cut before anything was appended
      for (int i = 0; i < 9; ++i) {
        const std::vector<AuditEntry> some(i % 3 == 2 ? 90 : 1, test_entry(i));
        const auto receipts = (*log)->append_batch(some);
        if (disk->cut()) break;
        ASSERT_TRUE(receipts.has_value());
        acknowledged = receipts->back().index() + 1;
      }
    }
    if (!disk->cut()) break;
    disk->power_cut();
    auto log = test.try_open();
    ASSERT_TRUE(log.has_value()) << cut_at << ": " << log.error().sentence();
    EXPECT_GE((*log)->size(), acknowledged) << cut_at;
    EXPECT_LE((*log)->size(), acknowledged + 90) << cut_at;
    EXPECT_EQ(test.verify(), "") << cut_at;
    append_some(**log, 3);
    EXPECT_EQ(test.verify(), "") << cut_at;
    ++recovered;
  }
  EXPECT_GE(recovered, 60);
}

// The same with several threads, so that the log's own files are behind the journal as the power
// fails.
TEST(Journal, PowerMayFailUnderLoad) {
  std::mt19937 random(5);
  int lagged = 0;
  for (int round = 0; round < 60; ++round) {
    TestLog test;
    test.use_journal(std::size_t{64} << 10U);
    auto disk = std::make_shared<UnreliableDisk>(40 + static_cast<int>(random() % 700),
                                                 static_cast<unsigned>(round));
    std::atomic<std::uint64_t> acknowledged{0};
    {
      auto log = test.try_open(disk);
      ASSERT_TRUE(log.has_value());
      std::vector<std::thread> threads;
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
          for (int i = 0; i < 150 && !disk->cut(); ++i) {
            const auto receipt = (*log)->append(test_entry(i));
            if (!receipt || disk->cut()) return;
            std::uint64_t seen = acknowledged.load();
            while (seen < receipt->index() + 1 &&
                   !acknowledged.compare_exchange_weak(seen, receipt->index() + 1)) {
            }
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
      if (!disk->cut()) continue;
      const LogReport before = verify_log(test.path(), {});
      lagged += before.notes.empty() ? 0 : 1;
    }
    disk->power_cut();
    auto log = test.try_open();
    ASSERT_TRUE(log.has_value()) << round << ": " << log.error().sentence();
    EXPECT_GE((*log)->size(), acknowledged) << round;
    EXPECT_EQ(test.verify(), "") << round;
    append_some(**log, 1);
    EXPECT_EQ(test.verify(), "") << round;
  }
  EXPECT_GE(lagged, 5);
}

TEST(Journal, KilledAtRandomMoments) {
  TestLog test;
  test.use_journal(std::size_t{512} << 10U);
  kill_at_random_moments(test, {.rounds = 40, .most_appends = 400, .at_least = 1000, .seed = 43});
}

}  // namespace
}  // namespace paravent::crypto::audit
