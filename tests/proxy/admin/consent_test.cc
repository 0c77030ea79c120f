// A policy that gives more: no way around the second person, and none that uses approvals up for
// nothing; and who did what is on record.

#include <gtest/gtest.h>

#include "policies/model/load_policy.h"
#include "proxy/admin/grants/policy_consent.h"
#include "tests/proxy/admin/admin_testing.h"

namespace paravent::proxy::admin {
namespace {

using crypto::vault::Id;

constexpr std::string_view kCredential = "0123456789ab";
constexpr std::string_view kSeen = "reveal: [dpo, support, auditor]";

policies::Policy policy_of(std::string text, std::string_view old, std::string_view next) {
  const std::size_t place = text.find(old);
  EXPECT_NE(place, std::string::npos) << old;
  auto loaded = policies::load_policy_text("test.yaml", text.replace(place, old.size(), next));
  EXPECT_TRUE(loaded.ok()) << policies::diagnostics_text(loaded.diagnostics);
  return std::move(loaded.policy);
}

class ConsentTest : public ::testing::Test {
 protected:
  using Load = PolicyConsent::Load;

  static std::string text() {
    return admin_test_policy() + "four-eyes: { approve: [dpo], purposes: [contact] }\n";
  }
  Operator admin() const { return {"admin", api_.tenant, "admin", {}, std::string(kCredential)}; }
  Load load_of(const Id& tenant, const policies::Policy& policy) const {
    return {tenant, &policy, std::string(64, 'a')};
  }
  // "done", or why not.
  std::string check(const std::vector<Load>& loads) {
    const auto status = consent_.check(loads, admin());
    return status ? "done" : status.error().sentence();
  }
  std::vector<Case> cases_of(const Id& tenant) {
    std::vector<Case> found;
    const auto use = api_.operators->cases().use();
    for (const Case* one : use.all()) {
      if (one->tenant == tenant) found.push_back(*one);
    }
    return found;
  }
  void approve(const Id& tenant) {
    auto all = cases_of(tenant);
    ASSERT_EQ(all.size(), 1U);
    all[0].state = CaseState::approved;
    all[0].approver = "dpo";
    all[0].approver_role = "dpo";
    ASSERT_TRUE(api_.operators->cases().use().keep(all[0]).has_value());
  }
  Id second_tenant() {
    const std::vector<crypto::vault::PolicyNames> names{{"second", {"crm"}, {"contact"}}};
    EXPECT_TRUE(api_.vault->register_names(names).has_value());
    const Id id = api_.vault->tenant_id("second").value();
    EXPECT_TRUE(api_.logs->open_tenant(id).has_value());
    return id;
  }

  Api api_{text()};
  const policies::Policy before_ = policy_of(text(), "policy: 1", "policy: 1");
  const policies::Policy wider_ = policy_of(text(), "reveal: masked", "reveal: clear");
  PolicyConsent consent_{api_.folder.path(), *api_.operators, *api_.logs};
};

// First away with four eyes and all that they were about, then back with what they were about.
TEST_F(ConsentTest, FourEyesAreNotTakenAwayInTwoSteps) {
  const policies::Policy neither = policy_of(admin_test_policy(), kSeen, "reveal: []");
  ASSERT_TRUE(consent_.keep({load_of(api_.tenant, before_)}).has_value());
  EXPECT_NE(check({load_of(api_.tenant, neither)}).find("limit alone purpose contact"),
            std::string::npos);
  EXPECT_EQ(cases_of(api_.tenant).size(), 1U) << "a second person may agree to it";
  // The way out of whoever owns the machine.
  std::filesystem::remove(api_.folder.path() / ("terms-" + crypto::vault::id_hex(api_.tenant)));
  EXPECT_EQ(check({load_of(api_.tenant, neither)}), "done");
}

TEST_F(ConsentTest, ALoadThatIsRefusedUsesNoApprovalUp) {
  const Id second = second_tenant();
  ASSERT_TRUE(consent_.keep({load_of(api_.tenant, before_), load_of(second, before_)}));
  const std::vector<Load> both{load_of(api_.tenant, wider_), load_of(second, wider_)};
  EXPECT_NE(check(both), "done");
  EXPECT_EQ(cases_of(second).size(), 1U) << "each of them can be approved now";
  approve(api_.tenant);
  EXPECT_NE(check(both), "done") << "nobody approved the second one";
  EXPECT_EQ(cases_of(api_.tenant).at(0).state, CaseState::approved);
  EXPECT_EQ(consent_.approval(api_.tenant), nullptr);
  approve(second);
  EXPECT_EQ(check(both), "done");
  for (const Id& tenant : {api_.tenant, second}) {
    EXPECT_EQ(cases_of(tenant).at(0).state, CaseState::closed);
    ASSERT_NE(consent_.approval(tenant), nullptr);
    EXPECT_EQ(consent_.approval(tenant)->approver, "dpo");
  }
  EXPECT_NE(check(both), "done") << "once";
}

TEST_F(ConsentTest, TheRecordSaysWithWhatItWasAskedForAndUsed) {
  ASSERT_TRUE(consent_.keep({load_of(api_.tenant, before_)}).has_value());
  const auto last_is = [&](std::string_view step) {
    const auto entry = api_.entries(api_.log().size() - 1).at(0);
    EXPECT_TRUE(entry.detail->remark.starts_with(step)) << entry.detail->remark;
    EXPECT_EQ(entry.detail->operator_name + " " + entry.detail->role, "admin admin");
    EXPECT_EQ(entry.detail->credential, kCredential);
  };
  EXPECT_NE(check({load_of(api_.tenant, wider_)}), "done");
  last_is("open: load policy ");
  approve(api_.tenant);
  EXPECT_EQ(check({load_of(api_.tenant, wider_)}), "done");
  last_is("use: load policy ");
}

}  // namespace
}  // namespace paravent::proxy::admin
