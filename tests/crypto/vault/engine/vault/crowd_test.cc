// The commit thread of the resolver waits a little for those whom the write before has answered:
// they share one write when they come back at once, and nobody waits long for who does not come.

#include <algorithm>
#include <array>
#include <condition_variable>
#include <limits>
#include <mutex>

#include "crypto/keys/key_use.h"
#include "crypto/vault/engine/catalogue/binding_plan.h"
#include "crypto/vault/engine/keys/memory_key_store.h"
#include "crypto/vault/engine/rows/memory_token_store.h"
#include "crypto/vault/engine/vault/crowd_wait.h"
#include "crypto/vault/engine/vault/live_token.h"
#include "crypto/vault/engine/vault/resolver.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

// As a disk: each write takes its time.
class SlowStore final : public MemoryTokenStore {
 public:
  explicit SlowStore(std::atomic<int>& takes_ms) : takes_ms_(takes_ms) {}
  Status commit(std::span<NewRow> create, std::span<const ChangedRow> change,
                std::span<NewAlias> aliases) override {
    std::this_thread::sleep_for(milliseconds(takes_ms_.load()));
    return MemoryTokenStore::commit(create, change, aliases);
  }

 private:
  std::atomic<int>& takes_ms_;
};

class Crowd : public testing::Test {
 protected:
  Crowd() {
    auto catalogue =
        Catalogue::load(std::make_unique<MemoryKeyStore>(random_id()), RootKey::ephemeral())
            .value();
    const WallTime now = clock_.now();
    const Id tenant = catalogue->ensure_name(NameKind::tenant, kNoId, "atelier");
    const Id domain = catalogue->ensure_name(NameKind::domain, tenant, "crm");
    catalogue->ensure_name(NameKind::purpose, tenant, "contact");
    const Id above =
        catalogue->ensure_key({.key_class = KeyClass::tenant, .tenant = tenant}, kNoId, now)
            .value();
    EXPECT_TRUE(catalogue->ensure_key(
        {.key_class = KeyClass::domain, .tenant = tenant, .domain = domain}, above, now));
    const BindingPlan plan = plan_binding(*catalogue, tenant, email_tokens(), now).value();
    EXPECT_TRUE(catalogue->commit());
    key_id_ = plan.key_id;
    seal_key_id_ = plan.seal_key_id;
    auto live = std::make_shared<LiveContexts>();
    live->tokens.emplace(key_id_, live_token(*catalogue, key_id_, Scope::person).value());
    const ContextRecord& seal = *catalogue->context(seal_key_id_);
    const SecretBytes parent = catalogue->keys().open(seal.parent).value();
    ProtectionKey key = make_protection_key(seal.row, parent.bytes()).value();
    key.nonce_key = derive_use_key(parent.bytes(), KeyUse::enc_nonce, key.ctx);
    live->seals.emplace(seal_key_id_,
                        LiveSeal{std::make_shared<const ProtectionKey>(std::move(key)),
                                 id_from(seal.row.purpose_id), WallTime::max()});
    live->current_seal.emplace(seal_key_id_, seal_key_id_);
    live_.store(std::move(live));
    resolver_.emplace(store_, *subjects_, live_, clock_);
  }

  // A new value each time, so that each needs a write.
  std::shared_ptr<ResolveBatch> fresh() {
    Binding binding;
    binding.key.key_id = key_id_;
    binding.seal_key_id = seal_key_id_;
    return batch_of({"somebody" + std::to_string(++made_) + "@example.fr"}, binding, Kind::email);
  }
  // How long one request waited for its answer.
  milliseconds ask() {
    const auto batch = fresh();
    std::promise<void> answered;
    batch->done = [&answered] { answered.set_value(); };
    const auto begin = Steady::now();
    resolver_->submit(batch);
    answered.get_future().wait();
    EXPECT_EQ(batch->status, ResolveStatus::ok);
    return std::chrono::duration_cast<milliseconds>(Steady::now() - begin);
  }
  // So many at once, each of which comes back with the next as soon as it is answered.
  void ask_together(int clients, std::uint64_t each) {
    std::vector<std::thread> threads;
    for (int i = 0; i < clients; ++i) {
      threads.emplace_back([this, each] {
        for (std::uint64_t n = 0; n < each; ++n) ask();
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  TestClock clock_;
  std::atomic<int> takes_ms_{0};
  std::atomic<int> made_{0};
  CachingTokenStore store_{std::make_unique<SlowStore>(takes_ms_)};
  std::unique_ptr<SubjectStore> subjects_ = SubjectStore::in_memory(ShredSecret::random());
  LiveContextsCell live_;
  std::uint32_t key_id_ = 0;
  std::uint32_t seal_key_id_ = 0;
  std::optional<Resolver> resolver_;
};

// Three of these are about moments. On a machine that is busy a client comes back late, and a round
// is none; so the best of several attempts counts: what the wait is for shows in none without it.
constexpr int kAttempts = 40;

// Without the wait it would be two halves, and twice as many writes.
TEST_F(Crowd, ThatComesBackAtOnceSharesOneWrite) {
  takes_ms_ = 40;
  constexpr std::uint64_t kRounds = 10;
  std::uint64_t fewest = std::numeric_limits<std::uint64_t>::max();
  for (int i = 0; i < kAttempts && fewest > kRounds + kRounds / 2; ++i) {
    const VaultCounters before = resolver_->counters();
    ask_together(8, kRounds);
    const VaultCounters after = resolver_->counters();
    EXPECT_EQ(after.minted - before.minted, 8U * kRounds);
    EXPECT_GE(after.commits - before.commits, kRounds);
    fewest = std::min(fewest, after.commits - before.commits);
  }
  EXPECT_LE(fewest, kRounds + kRounds / 2);
}

// A quarter of a disk's stall of two seconds would be half a second for everybody behind it.
TEST_F(Crowd, ThatDoesNotComeBackIsWaitedForFiveMillisecondsOnly) {
  milliseconds best = milliseconds::max();
  // What of the stall is left, and no more than a little beside it.
  constexpr milliseconds kMost{1800 + 300};
  for (int i = 0; i < kAttempts / 4 && best >= kMost; ++i) {
    takes_ms_ = 2000;
    std::thread others([this] { ask_together(3, 1); });
    // Queued while the disk stands still, so that it is the next round, with a crowd expected.
    while (resolver_->counters().pending < 3) std::this_thread::sleep_for(milliseconds(1));
    std::this_thread::sleep_for(milliseconds(200));
    takes_ms_ = 0;
    const auto begin = Steady::now();
    ask();
    others.join();
    best = std::min(best, std::chrono::duration_cast<milliseconds>(Steady::now() - begin));
  }
  EXPECT_LT(best, kMost);
}

// What a request does between two tokens may take longer than a wait lasts.
TEST(CrowdWait, InVainIsNotTriedAgainForSomeRounds) {
  CrowdWait wait;
  EXPECT_EQ(wait.patience(), CrowdWait::Duration::zero());  // nothing was written yet
  wait.wrote(milliseconds(8), 64);
  EXPECT_EQ(wait.size(), 64U);
  EXPECT_EQ(wait.patience(), milliseconds(2));
  for (const int skipped : {1, 3, 7, 15, 31, 63, 63}) {
    wait.ended(false);
    for (int i = 0; i < skipped; ++i) EXPECT_EQ(wait.patience(), CrowdWait::Duration::zero());
    EXPECT_EQ(wait.patience(), milliseconds(2)) << skipped;
  }
  wait.ended(true);
  EXPECT_EQ(wait.patience(), milliseconds(2));
  wait.ended(false);
  EXPECT_EQ(wait.patience(), CrowdWait::Duration::zero());
  EXPECT_EQ(wait.patience(), milliseconds(2));
}

TEST_F(Crowd, IsNotWaitedForByWhoComesLater) {
  milliseconds best = milliseconds::max();
  for (int i = 0; i < kAttempts && best >= milliseconds(5); ++i) {
    takes_ms_ = 100;
    ask_together(8, 1);
    // The last write says 8 and, by a quarter of its time, 5 ms; after a pause neither counts.
    std::this_thread::sleep_for(milliseconds(50));
    takes_ms_ = 0;
    best = std::min(best, ask());
  }
  EXPECT_LT(best, milliseconds(5));
}

}  // namespace
}  // namespace paravent::crypto::vault
