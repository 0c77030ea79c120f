// The installation's log as the witness of the others: deleted, rolled back, forked, made anew.

#include "crypto/audit/log_witness.h"

#include <gtest/gtest.h>

#include "crypto/audit/entry_sealer.h"
#include "tests/crypto/audit/audit_support.h"

namespace paravent::crypto::audit {
namespace {

namespace fs = std::filesystem;

// An audit folder of an installation and two tenants, whose logs the installation's records.
struct Audit {
  TestLog installation;
  std::string one = std::string(31, '0') + "1";
  std::string two = std::string(31, '0') + "2";

  Audit() {
    installation.open();
    grow(one, 3);
    grow(two, 5);
  }
  std::string path(const std::string& id) const { return installation.folder.path("audit/" + id); }
  std::unique_ptr<AuditLog> open(const std::string& id, std::uint8_t seed = 3) {
    return AuditLog::open(path(id), audit_origin(test_installation(), id), test_seed(seed),
                          installation.keys, installation.clock)
        .value();
  }
  void grow(const std::string& id, int entries, std::uint8_t seed = 3) {
    const auto log = open(id, seed);
    append_some(*log, entries);
    record(*log);
  }
  void record(const AuditLog& log) {
    const auto receipt = installation.open()->append(
        log_checkpoint_entry(log.key(), log.checkpoint_in_files().value()));
    ASSERT_TRUE(receipt.has_value()) << receipt.error().sentence();
  }
  std::string fault() const {
    const auto report = verify_audit(installation.folder.path("audit"), {});
    if (!report) return report.error().sentence();
    return report->verified() ? std::string() : report->first_fault().sentence();
  }
};

TEST(LogWitness, WhatItComparesIsSaid) {
  Audit audit;
  const auto report = verify_audit(audit.installation.folder.path("audit"), {});
  ASSERT_TRUE(report->verified()) << report->first_fault().sentence();
  ASSERT_EQ(report->logs.size(), 3U);
  EXPECT_EQ(report->logs[1].compared.back(),
            "the checkpoint of size 5 that the installation's log records in its entry 1");
}

TEST(LogWitness, ALogDeletedWholeIsMissed) {
  Audit audit;
  fs::remove_all(audit.path(audit.one));
  EXPECT_NE(audit.fault().find(audit.one + ": is missing"), std::string::npos) << audit.fault();
  EXPECT_NE(audit.fault().find("entry 0"), std::string::npos);
  EXPECT_NE(audit.fault().find("3 entries"), std::string::npos);
}

TEST(LogWitness, ARollbackToBeforeWhatIsRecorded) {
  Audit audit;
  fs::copy(audit.path(audit.one), audit.installation.folder.path("old"),
           fs::copy_options::recursive);
  audit.grow(audit.one, 4);
  ASSERT_EQ(audit.fault(), "");
  fs::remove_all(audit.path(audit.one));
  fs::rename(audit.installation.folder.path("old"), audit.path(audit.one));
  EXPECT_NE(audit.fault().find("is older than"), std::string::npos) << audit.fault();
}

TEST(LogWitness, AForkBehindWhatIsRecorded) {
  Audit audit;
  fs::copy(audit.path(audit.two), audit.installation.folder.path("fork"),
           fs::copy_options::recursive);
  audit.grow(audit.two, 2);
  fs::remove_all(audit.path(audit.two));
  fs::rename(audit.installation.folder.path("fork"), audit.path(audit.two));
  append_some(*audit.open(audit.two), 9);
  EXPECT_NE(audit.fault().find("does not continue"), std::string::npos) << audit.fault();
}

TEST(LogWitness, ALogMadeAnewWithAnotherKey) {
  Audit audit;
  fs::remove_all(audit.path(audit.one));
  append_some(*audit.open(audit.one, 44), 9);
  EXPECT_NE(audit.fault().find("public-key"), std::string::npos) << audit.fault();
}

TEST(LogWitness, ALogThatNobodyRecordedIsNoted) {
  Audit audit;
  const std::string three = std::string(31, '0') + "3";
  append_some(*audit.open(three), 1);
  const auto report = verify_audit(audit.installation.folder.path("audit"), {});
  EXPECT_TRUE(report->verified());
  const LogReport& log = report->logs[1];
  EXPECT_TRUE(log.folder.ends_with(three));
  EXPECT_NE(std::find(log.notes.begin(), log.notes.end(),
                      "the installation's log says nothing about this log"),
            log.notes.end());
}

// Only somebody with the installation's signing key can write these.
TEST(LogWitness, EntriesThatContradictThemselves) {
  const auto recorded = [](Audit& audit, const std::string& object, const std::string& remark) {
    AuditEntry entry;
    entry.event = EventKind::log_checkpoint;
    entry.detail.object = object;
    entry.detail.remark = remark;
    ASSERT_TRUE(audit.installation.open()->append(entry).has_value());
  };
  {
    Audit audit;
    recorded(audit, "no key", "no checkpoint");
    EXPECT_NE(audit.fault().find("names no key"), std::string::npos) << audit.fault();
  }
  {
    Audit audit;
    const auto log = audit.open(audit.one);
    recorded(audit, log->key().text(), audit.open(audit.two)->checkpoint_in_files().value());
    EXPECT_NE(audit.fault().find("no checkpoint of that log"), std::string::npos);
  }
  {
    Audit audit;
    const std::string before = audit.open(audit.one)->checkpoint_in_files().value();
    audit.grow(audit.one, 1);
    recorded(audit, audit.open(audit.one)->key().text(), before);
    EXPECT_NE(audit.fault().find("became shorter"), std::string::npos) << audit.fault();
  }
}

TEST(LogWitness, ItsDetailIsPublicAndTheOthersAreNot) {
  Audit audit;
  audit.installation.keys.gone.insert(
      epoch_at(EpochLength::month, audit.installation.clock.now()).index);
  const auto log = audit.open(audit.one);
  const auto theirs = log->read(0, 10);
  ASSERT_TRUE(theirs.has_value());
  EXPECT_FALSE(theirs->front().detail.has_value());
  const auto ours = audit.installation.open()->read(0, 10);
  ASSERT_TRUE(ours.has_value());
  ASSERT_TRUE(ours->front().detail.has_value());
  EXPECT_EQ(ours->front().detail->object, log->key().text());
}

}  // namespace
}  // namespace paravent::crypto::audit
