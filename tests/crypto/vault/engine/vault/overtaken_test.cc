// Between what a round reads of the store and what it writes, somebody else may change, remove or
// make a row: the row keeper, an erasure, another process. Nothing of theirs is lost, and nothing
// that went comes back. The store here lets another take its turn exactly there.

#include <array>
#include <functional>

#include "crypto/keys/key_use.h"
#include "crypto/vault/engine/catalogue/binding_plan.h"
#include "crypto/vault/engine/keys/memory_key_store.h"
#include "crypto/vault/engine/rows/memory_token_store.h"
#include "crypto/vault/engine/vault/committer.h"
#include "crypto/vault/engine/vault/index_jobs.h"
#include "crypto/vault/engine/vault/live_token.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

// What comes in between, once, before a commit.
class Overtaken final : public MemoryTokenStore {
 public:
  Status commit(std::span<NewRow> create, std::span<const ChangedRow> change,
                std::span<NewAlias> aliases) override {
    if (const auto other = std::exchange(in_between, nullptr)) other();
    return MemoryTokenStore::commit(create, change, aliases);
  }
  std::function<void()> in_between;
};

class CommitterRaces : public testing::Test {
 protected:
  CommitterRaces() {
    const WallTime now = clock_.now();
    const Id tenant = catalogue_->ensure_name(NameKind::tenant, kNoId, "atelier");
    const Id domain = catalogue_->ensure_name(NameKind::domain, tenant, "crm");
    const Id above =
        catalogue_->ensure_key({.key_class = KeyClass::tenant, .tenant = tenant}, kNoId, now)
            .value();
    EXPECT_TRUE(catalogue_->ensure_key(
        {.key_class = KeyClass::domain, .tenant = tenant, .domain = domain}, above, now));
    for (const char* purpose : {"contact", "billing"}) {
      catalogue_->ensure_name(NameKind::purpose, tenant, purpose);
      const BindingPlan plan =
          plan_binding(*catalogue_, tenant, email_tokens(purpose), now).value();
      EXPECT_TRUE(catalogue_->commit());
      key_id_ = plan.key_id;
      seals_.push_back(plan.seal_key_id);
      add_seal(plan.seal_key_id);
    }
    live_.tokens.emplace(key_id_, live_token(*catalogue_, key_id_, Scope::person).value());
  }

  void add_seal(std::uint32_t seal_key_id) {
    const ContextRecord& seal = *catalogue_->context(seal_key_id);
    const SecretBytes parent = catalogue_->keys().open(seal.parent).value();
    ProtectionKey key = make_protection_key(seal.row, parent.bytes()).value();
    key.nonce_key = derive_use_key(parent.bytes(), KeyUse::enc_nonce, key.ctx);
    purposes_.push_back(id_from(seal.row.purpose_id));
    live_.seals.emplace(seal_key_id, LiveSeal{std::make_shared<const ProtectionKey>(std::move(key)),
                                              purposes_.back(), WallTime::max()});
    live_.current_seal.emplace(seal_key_id, seal_key_id);
  }

  // One round of one request, by a committer of its own.
  MintJob ask(std::size_t purpose, const std::string& value, const Wish& wish = {}) {
    Committer committer(store_, *subjects_, clock_);
    Binding binding;
    binding.key.key_id = key_id_;
    binding.seal_key_id = seals_[purpose];
    std::vector<PendingBatch> round(1);
    round[0].batch = batch_of({value}, binding, Kind::email, wish);
    EXPECT_TRUE(index_jobs(round[0], live_));
    const CommitReport report = committer.process(round, live_, committer.lock_for(round));
    EXPECT_FALSE(report.failed);
    EXPECT_FALSE(round[0].failed);
    minted_ += report.minted;
    return round[0].batch->jobs[0];
  }

  std::optional<TokenRow> row(const Id& id) {
    std::array<std::optional<std::string>, 1> found;
    EXPECT_TRUE(store_.resolve(std::span(&id, 1), found));
    if (!found[0]) return std::nullopt;
    return decode_token_row(as_bytes(*found[0]))->row;
  }
  bool has_purpose(const Id& id, std::size_t purpose) {
    const auto found = row(id);
    return found &&
           std::any_of(found->purposes.begin(), found->purposes.end(),
                       [&](const RowPurpose& one) { return one.id == purposes_[purpose]; });
  }
  std::size_t rows() { return store_.scan(kNoId, 100)->size(); }

  TestClock clock_;
  std::unique_ptr<Catalogue> catalogue_ =
      Catalogue::load(std::make_unique<MemoryKeyStore>(random_id()), RootKey::ephemeral()).value();
  std::unique_ptr<SubjectStore> subjects_ = SubjectStore::in_memory(ShredSecret::random());
  LiveContexts live_;
  Overtaken store_;
  std::uint32_t key_id_ = 0;
  std::vector<std::uint32_t> seals_;
  std::vector<Id> purposes_;
  std::uint64_t minted_ = 0;
};

constexpr const char* kAnne = "anne@example.fr";

TEST_F(CommitterRaces, AnotherPurposeThatWasNotedMeanwhileStays) {
  const Id id = ask(0, kAnne).id;
  clock_.advance(std::chrono::hours(24));
  store_.in_between = [&] { EXPECT_EQ(ask(1, kAnne).id, id); };
  EXPECT_EQ(ask(0, kAnne).id, id);
  EXPECT_TRUE(has_purpose(id, 0));
  EXPECT_TRUE(has_purpose(id, 1)) << "a lost update";
  EXPECT_EQ(rows(), 1U);
  EXPECT_EQ(minted_, 1U);
}

TEST_F(CommitterRaces, ARowThatWentMeanwhileDoesNotComeBack) {
  const Id old = ask(0, kAnne).id;
  clock_.advance(std::chrono::hours(24));
  store_.in_between = [&] { EXPECT_TRUE(store_.expire(std::span(&old, 1))); };
  const Id id = ask(0, kAnne).id;
  EXPECT_NE(id, old);
  EXPECT_FALSE(row(old)) << "removed, and back";
  EXPECT_TRUE(has_purpose(id, 0));
  EXPECT_EQ(ask(0, kAnne).id, id) << "and found again";
  EXPECT_EQ(minted_, 2U);
}

TEST_F(CommitterRaces, ARowThatSomebodyElseMadeMeanwhileGetsOurPurposeToo) {
  Id theirs{};
  store_.in_between = [&] { theirs = ask(1, kAnne).id; };
  const Id id = ask(0, kAnne).id;
  EXPECT_EQ(id, theirs);
  EXPECT_TRUE(has_purpose(id, 0)) << "answered, and noted nowhere";
  EXPECT_TRUE(has_purpose(id, 1));
  EXPECT_EQ(rows(), 1U);
  EXPECT_EQ(minted_, 1U);
}

TEST_F(CommitterRaces, ATextInAShapeLeadsToTheRowThatIsThere) {
  constexpr Wish kUuid{.shape = Shape::uuid};
  const Id old = ask(0, kAnne, kUuid).id;
  clock_.advance(std::chrono::hours(24));
  store_.in_between = [&] { EXPECT_TRUE(store_.expire(std::span(&old, 1))); };
  const MintJob again = ask(0, kAnne, kUuid);
  EXPECT_NE(again.id, old);
  EXPECT_NE(again.shaped_size, 0);
  EXPECT_EQ(ask(0, kAnne, kUuid).shaped_text(), again.shaped_text());
}

// Of two values of a round one was overtaken: the other is not made again.
TEST_F(CommitterRaces, WhatIsWrittenIsNotWrittenTwice) {
  ask(0, kAnne);
  Committer committer(store_, *subjects_, clock_);
  Binding binding;
  binding.key.key_id = key_id_;
  binding.seal_key_id = seals_[0];
  auto batch = batch_of({"bob@example.fr", "eve@example.fr"}, binding, Kind::email);
  std::vector<PendingBatch> round(1);
  round[0].batch = batch;
  ASSERT_TRUE(index_jobs(round[0], live_));
  store_.in_between = [&] { ask(1, "bob@example.fr"); };
  const CommitReport report = committer.process(round, live_, committer.lock_for(round));
  EXPECT_FALSE(report.failed);
  EXPECT_EQ(report.minted, 1U);
  EXPECT_EQ(rows(), 3U);
  for (const MintJob& job : batch->jobs) EXPECT_TRUE(has_purpose(job.id, 0));
}

}  // namespace
}  // namespace paravent::crypto::vault
