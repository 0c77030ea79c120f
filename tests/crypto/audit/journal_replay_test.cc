// What an interrupted process left in a journal: replayed, counted in by verification, and refused
// where it and the log are not one log.

#include "crypto/audit/journal_replay.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "tests/crypto/audit/failing_disk.h"

namespace paravent::crypto::audit {
namespace {

bool has_journal(const TestLog& test) { return std::filesystem::exists(test.journal.path); }

// A process that ends without closing its log leaves the journal behind.
void append_and_die(TestLog& test, int count) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto log = test.try_open();
    if (!log) ::_exit(1);
    for (int i = 0; i < count; ++i) {
      if (!(*log)->append(test_entry(i))) ::_exit(2);
    }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(WEXITSTATUS(status), 0);
}

// The files of the log may be lost in any mixture as long as the journal has them.
TEST(JournalReplay, BringsBackWhatTheFilesLost) {
  TestLog test;
  test.use_journal();
  append_and_die(test, 30);
  ASSERT_TRUE(has_journal(test));
  for (const std::string& file : files_below(test.path())) {
    if (file.ends_with("public-key")) continue;
    if (file.find("/tile/") != std::string::npos) {
      std::filesystem::remove(file);
    } else {
      write_file(file, "");  // the checkpoint's name survives, its bytes may not
    }
  }
  EXPECT_NE(test.verify(), "");
  EXPECT_EQ(test.open()->size(), 30U);
  EXPECT_EQ(test.verify(), "");
  EXPECT_FALSE(has_journal(test));
}

TEST(JournalReplay, OfAnotherLogIsRefused) {
  TestLog test;
  test.use_journal();
  append_and_die(test, 5);
  const std::string foreign = test::whole_file(test.journal.path);
  TestLog other;
  other.use_journal();
  append_some(*other.open(), 3);
  std::filesystem::create_directories(other.folder.path("audit-journal"));
  write_file(other.journal.path, foreign);
  // The same key on the same name, and other entries: a fork.
  const auto forked = other.try_open();
  ASSERT_FALSE(forked.has_value());
  EXPECT_EQ(forked.error().kind(), ErrorKind::data);
  TestLog third;
  third.use_journal();
  append_some(**third.try_open(std::make_shared<Disk>(), OpenMode::create_if_missing, 9), 2);
  std::filesystem::create_directories(third.folder.path("audit-journal"));
  write_file(third.journal.path, foreign);
  const auto refused = third.try_open(std::make_shared<Disk>(), OpenMode::must_exist, 9);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::data);
  EXPECT_TRUE(has_journal(third));  // nothing is removed
}

// Each byte of a journal altered while the files are behind it: the log opens with what came before
// the altered record, or not at all. It never opens on an entry that was not appended.
TEST(JournalReplay, AlteredInAnyByte) {
  TestLog test;
  test.use_journal(std::size_t{16} << 10U);
  append_and_die(test, 3);
  const std::string whole = test::whole_file(test.journal.path);
  int opened = 0;
  for (std::size_t at = 0; at < whole.size(); at += whole[at] == 0 ? 97U : 1U) {
    std::string altered = whole;
    altered[at] = static_cast<char>(altered[at] ^ 0x20);
    std::filesystem::create_directories(std::filesystem::path(test.journal.path).parent_path());
    write_file(test.journal.path, altered);
    std::filesystem::remove_all(test.path() + "/tile");
    write_file(test.path() + "/checkpoint", "");
    const auto log = test.try_open();
    if (!log) {
      EXPECT_EQ(log.error().kind(), ErrorKind::data) << at;
      continue;
    }
    ++opened;
    const std::uint64_t size = (*log)->size();
    ASSERT_LE(size, 3U) << at;
    // Records lie at multiples of 4096: the base with one entry, then a step for each.
    ASSERT_GE(size, std::min<std::uint64_t>(3, at / kJournalAlignment)) << at;
    for (std::uint64_t i = 0; i < size; ++i) {
      const std::string expected = "case " + std::to_string(i);
      ASSERT_EQ((*log)->read(i, 1)->front().detail->reason, expected) << at;
    }
  }
  EXPECT_GT(opened, 500);
}

// A killed process whose files are behind: verification counts the journal in, names it, and
// compares with checkpoints that were handed out.
TEST(JournalReplay, VerificationCountsItIn) {
  TestLog test;
  test.use_journal();
  append_and_die(test, 5);
  std::string handed_out;
  {
    const auto left = read_journal(test.journal.path);
    ASSERT_TRUE(left.has_value() && left->has_value());
    ASSERT_EQ((*left)->size, 5U);
    handed_out = (*left)->checkpoint;
  }
  // The folder of three entries, made by replaying the journal cut behind its third record.
  const std::string whole = test::whole_file(test.journal.path);
  std::string cut = whole;
  cut.replace(std::size_t{3} * kJournalAlignment, 4, 4, '\0');
  std::filesystem::remove_all(test.path() + "/tile");
  write_file(test.path() + "/checkpoint", "");
  write_file(test.journal.path, cut);
  ASSERT_EQ(test.open()->size(), 3U);
  EXPECT_FALSE(has_journal(test));
  VerifyOptions options;
  options.checkpoints.emplace_back(handed_out);
  EXPECT_NE(test.verify(options).find("is older than"), std::string::npos);
  std::filesystem::create_directories(std::filesystem::path(test.journal.path).parent_path());
  write_file(test.journal.path, whole);
  const LogReport report = verify_log(test.path(), options);
  EXPECT_FALSE(report.fault.has_value()) << report.fault->sentence();
  EXPECT_EQ(report.size, 5U);
  EXPECT_EQ(report.checkpoint, handed_out);
  const bool noted = std::any_of(report.notes.begin(), report.notes.end(), [](const auto& note) {
    return note.find("last 2 entries are in the journal") != std::string::npos;
  });
  EXPECT_TRUE(noted);
  EXPECT_TRUE(has_journal(test));  // nothing was changed
  // An altered file stays a fault, and the sentence does not send anybody to a backup.
  const std::string file = test.path() + "/tile/0/000.p/3";
  std::string tile = test::whole_file(file);
  tile[5] = static_cast<char>(tile[5] ^ 1);
  write_file(file, tile);
  EXPECT_NE(test.verify(options).find("there is a journal"), std::string::npos);
  EXPECT_EQ(test.open()->size(), 5U);
  EXPECT_EQ(test.verify(options), "");
}

// The kill between exchanging the checkpoints and removing the older one.
TEST(JournalReplay, TheCheckpointJustReplacedMayLieThere) {
  TestLog test;
  append_some(*test.open(), 3);
  const std::string older = test::whole_file(test.path() + "/checkpoint");
  append_some(*test.open(), 4);
  write_file(test.path() + "/checkpoint.new", older);
  EXPECT_EQ(test.verify(), "");
  TestLog other;
  append_some(*other.open(), 3);
  write_file(test.path() + "/checkpoint.new", test::whole_file(other.path() + "/checkpoint"));
  EXPECT_NE(test.verify().find("does not continue"), std::string::npos);
  write_file(test.path() + "/checkpoint.new", test::whole_file(test.path() + "/checkpoint"));
  EXPECT_NE(test.verify().find("does not announce"), std::string::npos);
}

// Two copies of one log that went on apart: the journal of one is no beginning of the other.
TEST(JournalReplay, AForkIsRefusedAndKept) {
  for (const int further : {1, 300}) {
    TestLog test;
    append_some(*test.open(), 3);
    const std::string copy = test.folder.path("copy");
    std::filesystem::copy(test.path(), copy, std::filesystem::copy_options::recursive);
    test.use_journal();
    append_and_die(test, 2);
    const std::string left = test::whole_file(test.journal.path);
    std::filesystem::remove(test.journal.path);
    std::filesystem::remove_all(test.path());
    std::filesystem::copy(copy, test.path(), std::filesystem::copy_options::recursive);
    test.journal = {};
    append_some(*test.open(), 2 + further);  // the copy goes on, past the journal
    test.use_journal();
    std::filesystem::create_directories(std::filesystem::path(test.journal.path).parent_path());
    write_file(test.journal.path, left);
    const auto log = test.try_open();
    ASSERT_FALSE(log.has_value());
    EXPECT_EQ(log.error().kind(), ErrorKind::data);
    EXPECT_EQ(test::whole_file(test.journal.path), left);
    EXPECT_NE(test.verify().find("does not continue the journal of size 5"), std::string::npos);
  }
}

// One folder has several spellings; a copy of it has no journal, whatever it is called.
TEST(JournalReplay, LiesBesideTheFolderHoweverThatIsSpelt) {
  TestLog test;
  test.use_journal();
  append_some(*test.open(), 1);
  std::filesystem::create_directory_symlink(test.folder.path("audit"), test.folder.path("link"));
  for (const std::string& spelt :
       {test.path() + "/", test.path() + "/.", test.folder.path("link/") + test.id}) {
    EXPECT_EQ(journal_beside(spelt), test.journal.path) << spelt;
  }
  EXPECT_EQ(journal_beside(test.folder.path("audit.monday/" + test.id)), "");
}

// A copy of the folder alone is shorter than what was handed out, and the sentence says where the
// rest may be.
TEST(JournalReplay, ACopyOfTheFolderIsToldToLackIt) {
  TestLog test;
  test.use_journal();
  append_and_die(test, 5);
  const auto left = read_journal(test.journal.path);
  ASSERT_TRUE(left.has_value() && left->has_value());
  std::filesystem::create_directories(test.folder.path("copy"));
  const std::string copy = test.folder.path("copy/" + test.id);
  TestLog shorter;
  append_some(*shorter.open(), 3);
  std::filesystem::copy(shorter.path(), copy, std::filesystem::copy_options::recursive);
  VerifyOptions options;
  options.checkpoints.emplace_back((*left)->checkpoint);
  const LogReport report = verify_log(copy, options);
  ASSERT_TRUE(report.fault.has_value());
  EXPECT_NE(report.fault->sentence().find("may be in its journal"), std::string::npos);
}

// What is handed out to be kept is in the files, which the journal alone would not need.
TEST(JournalReplay, ACheckpointToBeKeptIsInTheFiles) {
  TestLog test;
  test.use_journal();
  const auto log = test.open();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(log->append(test_entry(i)));
  const auto kept = log->checkpoint_in_files();
  ASSERT_TRUE(kept.has_value()) << kept.error().sentence();
  EXPECT_EQ(test::whole_file(test.path() + "/checkpoint"), *kept);
  EXPECT_EQ(open_checkpoint(*kept, log->key())->size, 40U);
}

// Somebody removed the journals' folder under a running log: its end is orderly all the same.
TEST(JournalReplay, AFolderThatIsGoneAtTheEnd) {
  TestLog test;
  test.use_journal();
  {
    const auto log = test.open();
    append_some(*log, 3);
    std::filesystem::remove_all(std::filesystem::path(test.journal.path).parent_path());
  }
  EXPECT_EQ(test.open()->size(), 3U);
  EXPECT_EQ(test.verify(), "");
}

// A commit was interrupted between its announcement and its end, and the replay that follows by a
// full disk: what the first had left stays announced.
TEST(JournalReplay, AnInterruptedReplayKeepsTheAnnouncement) {
  int failures = 0;
  for (int at = 1;; ++at) {
    TestLog test;
    append_some(*test.open(), 3);
    const std::string before = test.folder.path("before");
    std::filesystem::copy(test.path(), before, std::filesystem::copy_options::recursive);
    test.use_journal();
    append_and_die(test, 2);
    const std::string left = test::whole_file(test.journal.path);
    const std::string announced = (**read_journal(test.journal.path)).checkpoint;
    ASSERT_EQ(test.open()->size(), 5U);
    // Back to three entries, with the tiles of five and their announcement.
    write_file(test.path() + "/checkpoint", test::whole_file(before + "/checkpoint"));
    std::filesystem::copy(
        before, test.path(),
        std::filesystem::copy_options::recursive | std::filesystem::copy_options::skip_existing);
    write_file(test.path() + "/checkpoint.new", announced);
    ASSERT_EQ(test.verify(), "") << "what a kill leaves";
    std::filesystem::create_directories(std::filesystem::path(test.journal.path).parent_path());
    write_file(test.journal.path, left);
    ASSERT_EQ(test.verify(), "") << "with its journal";
    auto disk = std::make_shared<FullDisk>();
    disk->fail_at = at;
    disk->for_good = true;
    const auto log = test.try_open(disk);
    EXPECT_EQ(test.verify(), "") << at;
    if (log) break;
    ++failures;
    EXPECT_EQ(test.open()->size(), 5U);
    ASSERT_LT(at, 50);
  }
  EXPECT_GE(failures, 1);
}

// A journal that the log went on without, on the same way, is done with.
TEST(JournalReplay, AnOlderOneOfTheSameLogIsDoneWith) {
  TestLog test;
  test.use_journal();
  append_and_die(test, 3);
  const std::string left = test::whole_file(test.journal.path);
  append_some(*test.open(), 300);
  std::filesystem::create_directories(std::filesystem::path(test.journal.path).parent_path());
  write_file(test.journal.path, left);
  EXPECT_EQ(test.open()->size(), 303U);
  EXPECT_FALSE(has_journal(test));
  EXPECT_EQ(test.verify(), "");
}

// Replay is interrupted at each of its operations, by a full disk: what verified before verifies
// after, and the next opening has everything.
TEST(JournalReplay, AnInterruptedReplayLeavesNoFault) {
  int failures = 0;
  for (int at = 1;; ++at) {
    TestLog test;
    test.use_journal();
    append_and_die(test, 5);
    const std::string whole = test::whole_file(test.journal.path);
    std::string cut = whole;
    cut.replace(std::size_t{3} * kJournalAlignment, 4, 4, '\0');
    std::filesystem::remove_all(test.path() + "/tile");
    write_file(test.path() + "/checkpoint", "");
    write_file(test.journal.path, cut);
    ASSERT_EQ(test.open()->size(), 3U);
    std::filesystem::create_directories(std::filesystem::path(test.journal.path).parent_path());
    write_file(test.journal.path, whole);
    auto disk = std::make_shared<FullDisk>();
    disk->fail_at = at;
    disk->for_good = true;
    const auto log = test.try_open(disk);
    EXPECT_EQ(test.verify(), "") << at;
    if (log) break;
    ++failures;
    EXPECT_TRUE(has_journal(test));
    EXPECT_EQ(test.open()->size(), 5U);
    EXPECT_EQ(test.verify(), "") << at;
    ASSERT_LT(at, 50);
  }
  EXPECT_GE(failures, 3);
}

// Of a log that nobody opens, with the public key alone.
TEST(JournalReplay, OfALogThatNobodyOpens) {
  TestLog test;
  test.use_journal();
  append_and_die(test, 5);
  write_file(test.path() + "/checkpoint", "");
  const auto done = replay_left_journal(test.path(), test.journal.path);
  ASSERT_TRUE(done.has_value()) << done.error().sentence();
  EXPECT_FALSE(has_journal(test));
  const LogReport report = verify_log(test.path(), {});
  EXPECT_FALSE(report.fault.has_value());
  EXPECT_EQ(report.size, 5U);
}

}  // namespace
}  // namespace paravent::crypto::audit
