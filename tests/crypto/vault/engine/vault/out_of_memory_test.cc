// What a vault answers where its threads have no memory: nothing by halves, and as before when
// there is some again.

#include <gtest/gtest.h>

#include <future>
#include <string>

#include "tests/crypto/vault/engine/support.h"
#include "tests/support/allocation_counter.h"

namespace paravent::crypto::vault {
namespace {

using paravent::testing::fail_allocation;
using paravent::testing::Failing;
using paravent::testing::stop_failing;

// As run(), and whichever of the vault's threads answers may fail from then on.
ResolveStatus mark_and_run(TokenVault& vault, const std::shared_ptr<ResolveBatch>& batch) {
  std::promise<void> answered;
  batch->done = [&answered] {
    paravent::testing::let_this_thread_fail();
    answered.set_value();
  };
  vault.resolve(batch);
  answered.get_future().wait();
  return batch->status;
}

class VaultOutOfMemory : public VaultFixture<InMemoryVault> {
 protected:
  std::shared_ptr<ResolveBatch> batch(const std::vector<std::string>& values) const {
    return batch_of(values, email_, Kind::email);
  }

  Binding email_ = bind(email_tokens());
};

TEST_F(VaultOutOfMemory, ALookUpThatFindsNoMemoryIsAnsweredUnavailable) {
  const auto known = batch({"a@b.fr", "c@d.fr", "e@f.fr"});
  ASSERT_EQ(run(vault(), known), ResolveStatus::ok);
  ASSERT_EQ(mark_and_run(vault(), batch({"a@b.fr"})), ResolveStatus::ok);
  for (const Failing how : {Failing::once, Failing::from_there_on}) {
    for (const bool is_new : {false, true}) {
      for (std::uint64_t nth = 1;; ++nth) {
        SCOPED_TRACE(nth);
        auto asked = batch({"a@b.fr", "c@d.fr", "e@f.fr"});
        if (is_new) asked = batch({"a@b.fr", std::to_string(nth) + "@new.fr"});
        if (nth > 1)
          asked->confirms.push_back({.key_id = email_.key.key_id,
                                     .token_key_id = email_.key.key_id,
                                     .id = known->jobs[0].id});
        fail_allocation(nth, how);
        const ResolveStatus status = run(vault(), asked);
        const bool failed = stop_failing();
        EXPECT_EQ(status, failed ? ResolveStatus::store_unavailable : ResolveStatus::ok);
        const auto again = batch({"a@b.fr", "c@d.fr", "e@f.fr"});
        ASSERT_EQ(run(vault(), again), ResolveStatus::ok);
        EXPECT_EQ(again->jobs[1].id, known->jobs[1].id);
        EXPECT_EQ(vault().counters().pending, 0U);
        if (HasFailure()) return;
        if (!failed) {
          EXPECT_GT(nth, 2U) << "a look-up takes memory";
          break;
        }
      }
    }
  }
}

TEST_F(VaultOutOfMemory, AWriteIsNotBegunWithoutTheMemoryToEndIt) {
  ASSERT_EQ(mark_and_run(vault(), batch({"a@b.fr"})), ResolveStatus::ok);
  const std::uint64_t minted = vault().counters().minted;
  // The round itself would find what little it needs.
  paravent::testing::fail_allocations_of(std::size_t{1} << 20U);
  EXPECT_EQ(run(vault(), batch({"new@b.fr"})), ResolveStatus::store_unavailable);
  EXPECT_TRUE(stop_failing());
  EXPECT_EQ(vault().counters().minted, minted);
  EXPECT_EQ(vault().counters().pending, 0U);
  EXPECT_EQ(run(vault(), batch({"new@b.fr"})), ResolveStatus::ok);
  EXPECT_EQ(vault().counters().minted, minted + 1);
}

}  // namespace
}  // namespace paravent::crypto::vault
