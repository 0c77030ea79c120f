// The log itself: appending, receipts, batches, reading back, proofs, reopening, refusing to open.

#include "crypto/audit/audit_log.h"

#include <gtest/gtest.h>

#include <thread>
#include <type_traits>

#include "tests/crypto/audit/audit_support.h"

namespace paravent::crypto::audit {
namespace {

static_assert(!std::is_default_constructible_v<AuditReceipt>);
static_assert(!std::is_copy_constructible_v<AuditReceipt>);
static_assert(!std::is_copy_assignable_v<AuditReceipt>);
static_assert(std::is_nothrow_move_constructible_v<AuditReceipt>);
static_assert(!std::is_constructible_v<AuditReceipt, std::shared_ptr<const std::string>,
                                       std::uint64_t, EventKind, Outcome, const Hash&>);

TEST(AuditLog, ANewLogIsEmptyAndVerifies) {
  TestLog test;
  const auto log = test.open();
  EXPECT_EQ(log->size(), 0U);
  EXPECT_EQ(log->log_id(), "installation");
  EXPECT_EQ(test.verify(), "");
  EXPECT_TRUE(open_own_checkpoint(log->checkpoint_in_files().value(), log->key()).has_value());
}

TEST(AuditLog, AReceiptSaysWhatItIsFor) {
  TestLog test;
  const auto log = test.open();
  auto receipt = log->append(test_entry(1));
  ASSERT_TRUE(receipt.has_value()) << receipt.error().sentence();
  EXPECT_TRUE(receipt->valid());
  EXPECT_EQ(receipt->log_id(), "installation");
  EXPECT_EQ(receipt->index(), 0U);
  EXPECT_EQ(receipt->event(), EventKind::reveal);
  EXPECT_EQ(receipt->outcome(), Outcome::done);
  EXPECT_EQ(receipt->binding_digest(), sha256(as_bytes("request 1")));
  const AuditReceipt taken = std::move(*receipt);
  EXPECT_TRUE(taken.valid());
  EXPECT_FALSE(receipt->valid());  // NOLINT(bugprone-use-after-move): spent is what is asserted
}

TEST(AuditLog, GrowsOverTileEdgesAndReopensAtEachSize) {
  TestLog test;
  int size = 0;
  for (const int add : {1, 1, 253, 1, 1, 255, 1, 300, 10'000, 55'000, 500}) {
    const auto log = test.open();
    ASSERT_EQ(log->size(), static_cast<std::uint64_t>(size));
    append_some(*log, add);
    size += add;
    EXPECT_EQ(log->size(), static_cast<std::uint64_t>(size));
    ASSERT_EQ(test.verify(), "") << size;
  }
  // Nothing but the files of that size is left.
  EXPECT_EQ(files_below(test.path()).size(), 2 + tiles_of(static_cast<std::uint64_t>(size)).size());
}

TEST(AuditLog, EntriesAreReadBackWithTheirDetail) {
  TestLog test;
  const auto log = test.open();
  append_some(*log, 600);
  const auto records = log->read(250, 300);
  ASSERT_TRUE(records.has_value()) << records.error().sentence();
  ASSERT_EQ(records->size(), 300U);
  for (std::size_t i = 0; i < records->size(); ++i) {
    EXPECT_EQ((*records)[i].open.sequence, 250 + i);
    EXPECT_EQ((*records)[i].open.time, test.clock.now());
    EXPECT_EQ((*records)[i].detail, test_entry(static_cast<int>(250 + i)).detail);
  }
  EXPECT_EQ(log->read(590, 100)->size(), 10U);
  EXPECT_TRUE(log->read(600, 1)->empty());
  EXPECT_TRUE(log->read(~std::uint64_t{0}, 5)->empty());
}

TEST(AuditLog, DetailGoesWithTheKeyOfItsMonthAndTheLogStillVerifies) {
  TestLog test;
  const auto log = test.open();
  append_some(*log, 2);
  const std::int32_t old_month = epoch_at(EpochLength::month, test.clock.now()).index;
  test.clock.ms += 40LL * 86'400'000;
  append_some(*log, 2);
  test.keys.gone.insert(old_month);
  const auto records = log->read(0, 4);
  ASSERT_TRUE(records.has_value());
  EXPECT_FALSE((*records)[1].detail.has_value());
  EXPECT_TRUE((*records)[2].detail.has_value());
  EXPECT_EQ(test.verify(), "");
  append_some(*log, 1);
}

TEST(AuditLog, WithoutADetailKeyNothingIsAppended) {
  TestLog test;
  const auto log = test.open();
  test.keys.gone.insert(epoch_at(EpochLength::month, test.clock.now()).index);
  EXPECT_FALSE(log->append(test_entry(1)).has_value());
  EXPECT_EQ(log->size(), 0U);
  test.keys.gone.clear();
  EXPECT_TRUE(log->append(test_entry(1)).has_value());
}

TEST(AuditLog, ABatchIsConsecutiveAndOneStep) {
  TestLog test;
  const auto log = test.open();
  std::vector<AuditEntry> entries;
  for (int i = 0; i < 1000; ++i) entries.push_back(test_entry(i));
  const std::uint64_t before = log->commits();
  const auto receipts = log->append_batch(entries);
  ASSERT_TRUE(receipts.has_value());
  EXPECT_EQ(log->commits(), before + 1);
  for (std::size_t i = 0; i < receipts->size(); ++i) {
    EXPECT_EQ((*receipts)[i].index(), i);
    EXPECT_EQ((*receipts)[i].binding_digest(), sha256(as_bytes(entries[i].binding)));
  }
  EXPECT_FALSE(log->append_batch({}).has_value());
  entries.resize(kMaxBatch + 1);
  EXPECT_FALSE(log->append_batch(entries).has_value());
  entries.resize(2);
  entries[1].detail.reason.assign(5000, 'x');
  EXPECT_FALSE(log->append_batch(entries).has_value());
  EXPECT_EQ(log->size(), 1000U);
}

TEST(AuditLog, ProofsFromTilesVerify) {
  TestLog test;
  const auto log = test.open();
  append_some(*log, 300);
  const Checkpoint at_300 = *open_own_checkpoint(log->checkpoint_in_files().value(), log->key());
  append_some(*log, 66'000);
  const Checkpoint now = *open_own_checkpoint(log->checkpoint_in_files().value(), log->key());
  const auto consistency = log->prove_consistency(300, now.size);
  ASSERT_TRUE(consistency.has_value()) << consistency.error().sentence();
  EXPECT_TRUE(verify_consistency(300, now.size, at_300.root, now.root, *consistency).has_value());
  const std::string bundle = test::whole_file(test.path() + "/tile/entries/000");
  const auto entries = split_bundle(as_bytes(bundle), 256);
  for (const std::uint64_t index : {0U, 17U, 255U}) {
    const Hash leaf = hash_leaf(decode_entry((*entries)[index])->leaf_bytes);
    const auto proof = log->prove_inclusion(index, now.size);
    ASSERT_TRUE(proof.has_value());
    EXPECT_TRUE(verify_inclusion(index, now.size, leaf, *proof, now.root).has_value());
    const auto earlier = log->prove_inclusion(index, 300);
    EXPECT_TRUE(verify_inclusion(index, 300, leaf, *earlier, at_300.root).has_value());
  }
  EXPECT_FALSE(log->prove_inclusion(0, now.size + 1).has_value());
  EXPECT_FALSE(log->prove_consistency(0, now.size + 1).has_value());
}

TEST(AuditLog, SixteenThreadsEachGetTheirOwnPlace) {
  TestLog test;
  const auto log = test.open();
  constexpr int kThreads = 16;
  constexpr int kEach = 40;
  std::vector<std::vector<std::uint64_t>> indexes(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const auto receipt = log->append(test_entry(t * kEach + i));
        if (receipt) indexes[static_cast<std::size_t>(t)].push_back(receipt->index());
      }
    });
  }
  // Verification of the running log and reading go on beside the appends.
  do {
    EXPECT_EQ(test.verify(), "");
    EXPECT_TRUE(log->read(0, 10).has_value());
  } while (log->size() < kThreads * kEach / 2);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(log->size(), static_cast<std::uint64_t>(kThreads * kEach));
  EXPECT_LT(log->commits(), static_cast<std::uint64_t>(kThreads * kEach));
  const auto records = log->read(0, kThreads * kEach);
  ASSERT_TRUE(records.has_value());
  std::set<std::uint64_t> seen;
  for (int t = 0; t < kThreads; ++t) {
    const auto& mine = indexes[static_cast<std::size_t>(t)];
    ASSERT_EQ(mine.size(), static_cast<std::size_t>(kEach));
    for (int i = 0; i < kEach; ++i) {
      const std::uint64_t index = mine[static_cast<std::size_t>(i)];
      EXPECT_TRUE(seen.insert(index).second);
      // The receipt's index is where this thread's entry really lies.
      EXPECT_EQ((*records)[index].detail, test_entry(t * kEach + i).detail);
    }
  }
  EXPECT_EQ(test.verify(), "");
}

TEST(AuditLog, ASecondWriterIsRefused) {
  TestLog test;
  auto log = test.open();
  const auto second = test.try_open();
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().kind(), ErrorKind::busy);
  log.reset();
  EXPECT_TRUE(test.try_open().has_value());
}

TEST(AuditLog, AnotherSeedIsRefusedAndChangesNothing) {
  TestLog test;
  append_some(*test.open(), 3);
  EXPECT_EQ(test.try_open(std::make_shared<Disk>(), OpenMode::create_if_missing, 8).error().kind(),
            ErrorKind::data);
  EXPECT_EQ(test.verify(), "");
  EXPECT_EQ(test.open()->size(), 3U);
}

TEST(AuditLog, TheFolderIsNamedAfterTheLog) {
  TestLog test;
  const auto log = AuditLog::open(test.folder.path("audit/other"),
                                  audit_origin(test_installation(), kInstallationLog), test_seed(),
                                  test.keys, test.clock);
  ASSERT_FALSE(log.has_value());
  EXPECT_EQ(log.error().kind(), ErrorKind::usage);
}

TEST(AuditLog, WhatMustExistIsNotMadeAnew) {
  TestLog test;
  EXPECT_FALSE(test.try_open(std::make_shared<Disk>(), OpenMode::must_exist).has_value());
  append_some(*test.open(), 3);
  EXPECT_TRUE(test.try_open(std::make_shared<Disk>(), OpenMode::must_exist).has_value());
  std::filesystem::remove(test.path() + "/checkpoint");
  EXPECT_EQ(test.try_open().error().kind(), ErrorKind::data);
}

// Every byte of the checkpoint, the key file and the tail decides whether the log opens.
TEST(AuditLog, DoesNotOpenOnADamagedTail) {
  TestLog test;
  append_some(*test.open(), 259);
  for (const std::string& path : files_below(test.path())) {
    const bool tail = path.find(".p/") != std::string::npos || !path.ends_with("/000");
    const std::string good = test::whole_file(path);
    for (std::size_t i = 0; i < good.size(); i += tail ? 1 : good.size()) {
      std::string altered = good;
      altered[i] = static_cast<char>(altered[i] ^ 0x20);
      write_file(path, altered);
      if (tail) {
        const auto log = test.try_open();
        ASSERT_FALSE(log.has_value()) << path << " " << i;
        EXPECT_EQ(log.error().kind(), ErrorKind::data);
      }
    }
    std::filesystem::remove(path);
    EXPECT_FALSE(test.try_open().has_value()) << path;
    write_file(path, good);
  }
  EXPECT_EQ(test.open()->size(), 259U);
}

TEST(AuditLog, AnOlderCheckpointPutBackIsNotRepairedAway) {
  TestLog test;
  const std::string empty = [&] {
    test.open();
    return test::whole_file(test.path() + "/checkpoint");
  }();
  append_some(*test.open(), 5);
  const std::string latest = test::whole_file(test.path() + "/checkpoint");
  write_file(test.path() + "/checkpoint", empty);
  EXPECT_EQ(test.try_open().error().kind(), ErrorKind::data);
  EXPECT_NE(test.verify(), "");
  write_file(test.path() + "/checkpoint", latest);
  EXPECT_EQ(test.open()->size(), 5U);
  EXPECT_EQ(test.verify(), "");
}

}  // namespace
}  // namespace paravent::crypto::audit
