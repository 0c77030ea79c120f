// What each worker has of its own: the key that its tables are hashed with.

#include "proxy/pipeline/worker_state.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "proxy/body/key_set.h"
#include "tests/proxy/pipeline/transaction_testing.h"

namespace paravent::proxy::testing {
namespace {

constexpr const char* kRules = "      form.email: { do: drop }\n";

std::uint64_t hash_of(const Exchange& exchange) {
  return exchange.worker->json_scanners->at(0).keys().hash_of(1, "email");
}

// Nobody outside can know it, nor learn it from another worker or from this one's last start.
TEST(WorkerState, EachHashesTheKeysOfJsonWithASecretOfItsOwn) {
  const Exchange one(policy_text(kRules));
  const Exchange other(policy_text(kRules));
  EXPECT_NE(hash_of(one), hash_of(other));
}

}  // namespace
}  // namespace paravent::proxy::testing
