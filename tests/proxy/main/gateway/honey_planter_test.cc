// Honey tokens are rows of nobody: what somebody has already is found, and left as it is.

#include "proxy/main/gateway/honey_planter.h"

#include <gtest/gtest.h>

#include "crypto/vault/engine/upkeep/subject_admin.h"
#include "policies/plan/compiler.h"
#include "proxy/main/installation/snapshot_builder.h"
#include "tests/policies/policy_text.h"

namespace paravent::proxy::main {
namespace {

using policies::testing::policy_of;
using policies::testing::route_of;

const std::string kPolicy = policy_of(route_of("form", "{ method: POST, path: /f }", R"(
    subject: form.email
    fields:
      form.email: { kind: email, do: tokenise, erasable: subject }
      form.friend: { kind: email, do: tokenise, space: friends }
)") + route_of("order", "{ method: POST, path: /o }", R"(
    subject: form.who
    fields:
      form.who: { kind: email, do: tokenise, space: orders, erasable: subject }
)"));

class Planter : public testing::Test {
 protected:
  Planter() : vault_(crypto::vault::Vault::in_memory(clock_).value()) {
    const policies::Policy policy = policies::testing::loaded_policy(kPolicy);
    const std::vector<crypto::vault::PolicyNames> names{policy_names(policy)};
    EXPECT_TRUE(vault_->register_names(names).has_value());
    plan_ = policies::compile({&policy, 1}).value();
  }
  admin::PlantedRow plant(std::string_view route, std::string_view field, std::string_view value) {
    const auto made = plant_honey(*vault_, *plan_, "atelier", route, field, value);
    EXPECT_TRUE(made.has_value());
    return made.value();
  }
  std::size_t rows_of(std::string_view address) {
    const auto tenant = vault_->tenant_id("atelier").value();
    const crypto::vault::SubjectAdmin people(*vault_);
    const auto id = people.find(tenant, crypto::Kind::email, address);
    return id ? people.tokens(*id).value().size() : 0;
  }

  crypto::SystemClock clock_;
  std::unique_ptr<crypto::vault::Vault> vault_;
  std::shared_ptr<const policies::PolicyPlan> plan_;
};

TEST_F(Planter, MakesARowOfAValueThatNobodyHas) {
  const admin::PlantedRow friends = plant("form", "form.friend", "decoy@example.fr");
  EXPECT_TRUE(friends.minted);
  EXPECT_TRUE(friends.token.starts_with("pvv1"));
  const admin::PlantedRow again = plant("form", "form.friend", " DECOY@example.fr");
  EXPECT_FALSE(again.minted) << "the normal form counts";
  EXPECT_EQ(again.token, friends.token);
}

// By the field that tells the person too, in whichever field the person's own row is.
TEST_F(Planter, LeavesAPersonAlone) {
  EXPECT_TRUE(plant("form", "form.email", "anne@example.fr").minted);
  EXPECT_EQ(rows_of("anne@example.fr"), 1U);
  EXPECT_FALSE(plant("form", "form.email", "anne@example.fr").minted);
  const admin::PlantedRow order = plant("order", "form.who", "anne@example.fr");
  EXPECT_FALSE(order.minted);
  EXPECT_TRUE(order.token.empty());
  EXPECT_EQ(rows_of("anne@example.fr"), 1U) << "the decoy is none of theirs";
}

}  // namespace
}  // namespace paravent::proxy::main
