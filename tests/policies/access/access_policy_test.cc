// The access policy with real tickets: an in-memory vault describes a real token, and every
// decision turns into a grant of the role's own level, or into none.

#include "policies/access/access_policy.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "crypto/reveal/reidentifier.h"
#include "crypto/tokens/field_protector.h"
#include "policies/model/load_policy.h"

namespace paravent::policies {
namespace {

namespace reveal = crypto::reveal;
namespace vault = crypto::vault;

constexpr const char* kPolicy = R"(policy: 1
tenant: atelier
roles:
  dpo: { reveal: clear }
  support: { reveal: masked }
  desk: { reveal: replaced }
  nobody: { reveal: refused }
recipients: { crm: { name: CRM, country: FR } }
purposes:
  contact:
    basis: contract
    retention: { active: P3Y }
    reveal: [dpo, support, desk, nobody]
  order: { basis: contract, retention: { active: P3Y }, reveal: [dpo] }
routes:
  - name: form
    match: { path: /form }
    upstream: http://127.0.0.1:9000
    recipient: crm
    purpose: contact
    fields: { form.message: { do: encrypt } }
)";

class AccessPolicyTest : public testing::Test {
 protected:
  AccessPolicyTest() {
    EXPECT_TRUE(loaded_.ok()) << diagnostics_text(loaded_.diagnostics);
    const std::vector<vault::PolicyNames> names{{"atelier", {"crm"}, {"contact", "order"}}};
    EXPECT_TRUE(vault_->admit_names(names).has_value());
    tenant_ = vault_->tenant_id("atelier").value();
    const TenantPolicy tenant{tenant_, &loaded_.policy};
    access_.emplace(std::span(&tenant, 1), stairs_.access);
  }

  crypto::ParsedToken encrypted_message() {
    const vault::ContextSpec spec{"crm",
                                  "contact",
                                  "text",
                                  crypto::Kind::text,
                                  crypto::Algorithm::encrypted,
                                  crypto::EpochLength::none};
    auto bound = vault_->bind("atelier", std::span(&spec, 1));
    EXPECT_TRUE(bound.has_value());
    std::vector<crypto::ProtectionKey> slots;
    slots.push_back(std::move(bound->front().key));
    std::string text;
    EXPECT_TRUE((*crypto::FieldProtector::create(slots))
                    ->protect(0, crypto::Kind::text, "hello", text)
                    .has_value());
    return crypto::parse_token(text).value();
  }

  Decision decide(const std::string& role, const std::string& purpose) {
    const auto token = encrypted_message();
    const auto described = stairs_.reidentifier->describe(token);
    EXPECT_TRUE(described.has_value());
    const auto who = stairs_.authentication.authenticated("marie", role, tenant_);
    return access_->decide(who, purpose, *described, clock_.now());
  }

  crypto::SystemClock clock_;
  LoadedPolicy loaded_ = load_policy_text("access.yaml", kPolicy);
  std::unique_ptr<vault::Vault> vault_ = vault::Vault::in_memory(clock_).value();
  reveal::Staircase stairs_ = reveal::build_staircase(*vault_);
  vault::Id tenant_{};
  std::optional<AccessPolicy> access_;
};

TEST_F(AccessPolicyTest, GrantsTheLevelOfTheRole) {
  const std::vector<std::pair<std::string, reveal::RevealLevel>> levels = {
      {"dpo", reveal::RevealLevel::clear},
      {"support", reveal::RevealLevel::masked},
      {"desk", reveal::RevealLevel::replaced}};
  for (const auto& [role, level] : levels) {
    const Decision decision = decide(role, "contact");
    EXPECT_EQ(decision.verdict, Verdict::allowed) << role;
    ASSERT_TRUE(decision.grant.has_value()) << role;
    EXPECT_EQ(decision.grant->level(), level) << role;
    EXPECT_EQ(decision.grant->purpose(), "contact");
  }
}

TEST_F(AccessPolicyTest, GivesNoGrantOtherwise) {
  const auto expect = [&](const std::string& role, const std::string& purpose, Verdict verdict) {
    const Decision decision = decide(role, purpose);
    EXPECT_EQ(decision.verdict, verdict) << role << ' ' << purpose;
    EXPECT_FALSE(decision.grant.has_value()) << role << ' ' << purpose;
  };
  expect("nobody", "contact", Verdict::refused);
  expect("stranger", "contact", Verdict::barred);
  expect("admin", "contact", Verdict::barred);
  expect("support", "order", Verdict::barred);
  expect("dpo", "order", Verdict::unavailable);  // not collected for it
}

TEST_F(AccessPolicyTest, RefusesTicketsOfAnotherStaircase) {
  const auto token = encrypted_message();
  const auto described = stairs_.reidentifier->describe(token);
  ASSERT_TRUE(described.has_value());
  const reveal::Staircase other = reveal::build_staircase(*vault_);
  const auto stranger = other.authentication.authenticated("marie", "dpo", tenant_);
  const Decision decision = access_->decide(stranger, "contact", *described, clock_.now());
  EXPECT_EQ(decision.verdict, Verdict::unavailable);
  EXPECT_FALSE(decision.grant.has_value());
}

}  // namespace
}  // namespace paravent::policies
