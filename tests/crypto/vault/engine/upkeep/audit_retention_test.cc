// The details of an audit log end on time: the keeper destroys their month's key, the leaves and
// every proof stay, and a retention that is made shorter waits for somebody's word.

#include "crypto/audit/log_proof.h"
#include "crypto/audit/verifier.h"
#include "tests/crypto/vault/engine/upkeep/subject_keeper_support.h"

namespace paravent::crypto::vault {
namespace {

using std::chrono::hours;

class VaultKeys final : public audit::DetailKeys {
 public:
  VaultKeys(Vault& vault, const Id& tenant) : vault_(vault), tenant_(tenant) {}
  Result<SecretBytes> detail_key(WallTime time) override {
    return vault_.audit_detail_key(tenant_, time);
  }

 private:
  Vault& vault_;
  Id tenant_;
};

class AuditRetention : public testing::Test {
 protected:
  AuditRetention() {
    const std::vector<PolicyNames> policies{atelier()};
    EXPECT_TRUE(place_.vault->admit_names(policies));
    tenant_ = *place_.vault->tenant_id("atelier");
    keys_ = std::make_unique<VaultKeys>(*place_.vault, tenant_);
    log_ =
        audit::AuditLog::open(folder(), audit::audit_origin(std::string(32, 'a'), id_hex(tenant_)),
                              *place_.vault->audit_signing_seed(tenant_), *keys_, place_.clock)
            .value();
    keeper_ = std::make_unique<RetentionKeeper>(*place_.vault, monotonic_, journal_);
  }
  std::string folder() const { return (logs_.path() / id_hex(tenant_)).string(); }
  Status keep(std::uint32_t months) {
    return KeyAdmin(*place_.vault).set_audit_retention({months, 0});
  }
  void append() {
    audit::AuditEntry entry;
    entry.event = audit::EventKind::reveal;
    entry.detail.reason = "case " + std::to_string(log_->size());
    ASSERT_TRUE(log_->append(entry).has_value());
  }
  void pass(hours time) {
    for (hours done{0}; done < time; done += hours(24)) {
      place_.clock.advance(hours(24));
      monotonic_.time += hours(24);
      ASSERT_TRUE(keeper_->tick());
    }
  }
  std::vector<bool> readable() {
    std::vector<bool> out;
    for (const auto& record : *log_->read(0, 100)) out.push_back(record.detail.has_value());
    return out;
  }
  bool frozen() { return KeyAdmin(*place_.vault).freeze_info().keeper.frozen(); }

  DiskVault place_;
  TempDir logs_;
  Id tenant_{};
  FakeMonotonic monotonic_;
  NoNotes journal_;
  std::unique_ptr<VaultKeys> keys_;
  std::unique_ptr<audit::AuditLog> log_;
  std::unique_ptr<RetentionKeeper> keeper_;
};

TEST_F(AuditRetention, TheDetailGoesAndEveryProofStays) {
  ASSERT_TRUE(keep(1));
  append();  // in March
  const std::string before = log_->checkpoint_in_files().value();
  pass(hours(24 * 20));
  append();  // in April
  EXPECT_EQ(readable(), (std::vector{true, true}));
  pass(hours(24 * 27));  // the first of May, and the end of March's month
  append();
  EXPECT_EQ(readable(), (std::vector{false, true, true}));
  audit::VerifyOptions options;
  options.checkpoints = {before, log_->checkpoint_in_files().value()};
  const audit::LogReport report = audit::verify_log(folder(), options);
  EXPECT_FALSE(report.fault.has_value()) << report.fault->sentence();
  audit::InclusionProof proof;
  proof.leaf = log_->read(0, 1)->front().leaf;
  proof.hashes = *log_->prove_inclusion(0, 3);
  proof.checkpoint = log_->checkpoint_in_files().value();
  EXPECT_TRUE(audit::verify_inclusion_proof(proof, log_->key()).has_value());
  EXPECT_EQ(log_->read(0, 1)->front().open.event, audit::EventKind::reveal);
}

// The keeper alone disables them, so it gives them back: those of months before, too.
TEST_F(AuditRetention, WhatAWrongClockDisabledIsReadableAgain) {
  append();  // in March
  pass(hours(24 * 20));
  append();  // in April
  const WallTime right = place_.clock.now();
  place_.clock.set(right + hours(24 * 365 * 5));
  // As after a restart, where nobody knows how long it stood still.
  keeper_ = std::make_unique<RetentionKeeper>(*place_.vault, monotonic_, journal_);
  ASSERT_TRUE(keeper_->tick());
  EXPECT_EQ(readable(), (std::vector{false, false}));
  place_.clock.set(right);
  ASSERT_TRUE(keeper_->tick());
  EXPECT_TRUE(frozen());
  ASSERT_TRUE(KeyAdmin(*place_.vault).confirm());
  ASSERT_TRUE(keeper_->tick());
  EXPECT_EQ(readable(), (std::vector{true, true}));
}

TEST_F(AuditRetention, ALongerOneHoldsAtOnce) {
  ASSERT_TRUE(keep(1));
  append();
  pass(hours(24 * 20));
  ASSERT_TRUE(keep(120));
  EXPECT_FALSE(frozen());
  pass(hours(24 * 60));
  EXPECT_EQ(readable(), std::vector{true});
}

TEST_F(AuditRetention, AShorterOneWaitsForAWord) {
  ASSERT_TRUE(keep(12));
  append();
  pass(hours(24 * 20));
  ASSERT_TRUE(keep(1));
  EXPECT_TRUE(frozen());
  const auto info = KeyAdmin(*place_.vault).freeze_info();
  ASSERT_EQ(info.pending.size(), 1U);
  EXPECT_EQ(info.pending[0].purpose, "audit");
  pass(hours(24 * 40));
  EXPECT_EQ(readable(), std::vector{true});
  ASSERT_TRUE(KeyAdmin(*place_.vault).confirm());
  EXPECT_FALSE(frozen());
  pass(hours(24 * 6));
  EXPECT_EQ(readable(), std::vector{false});
}

TEST_F(AuditRetention, WhereNothingWasEverSaidAYearIsWhatHeld) {
  append();
  pass(hours(24 * 20));
  // Details of an earlier month are there: one month is shorter than what they were promised.
  ASSERT_TRUE(keep(1));
  EXPECT_TRUE(frozen());
}

TEST_F(AuditRetention, ItSurvivesARestart) {
  ASSERT_TRUE(keep(24));
  log_.reset();
  keeper_.reset();
  keys_.reset();
  ASSERT_TRUE(place_.open());
  ASSERT_TRUE(keep(24));
  EXPECT_FALSE(frozen());
  ASSERT_TRUE(keep(12));
  EXPECT_TRUE(frozen());  // it knew of the two years
}

}  // namespace
}  // namespace paravent::crypto::vault
