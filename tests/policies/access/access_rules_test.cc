#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "policies/access/access_policy.h"
#include "policies/model/load_policy.h"

namespace paravent::policies {
namespace {

using namespace std::chrono_literals;
using crypto::Algorithm;
using crypto::Kind;
using crypto::WallTime;
using crypto::vault::Id;
using crypto::vault::TokenDescription;

constexpr Id kTenant{1};
constexpr Id kOther{2};

constexpr const char* kPolicy = R"(policy: 1
tenant: atelier
roles:
  dpo: { reveal: clear }
  support: { reveal: masked }
  desk: { reveal: replaced }
  legal: { reveal: clear }
  nobody: { reveal: refused }
  stranger: { reveal: clear }
recipients: { crm: { name: CRM, country: FR } }
purposes:
  contact:
    basis: legitimate-interest
    retention: { from: last-contact, active: P3Y, archive: P5Y }
    reveal: [dpo, support, desk, nobody]
    reveal-archived: [dpo, legal]
  order:
    basis: contract
    retention: { from: collection, active: P1Y }
    reveal: [dpo]
  contract:
    basis: contract
    retention: { from: contract-end, active: P1Y }
    reveal: [dpo]
routes:
  - name: form
    match: { path: /form }
    upstream: http://127.0.0.1:9000
    recipient: crm
    purpose: contact
    fields:
      form.email: { kind: email, do: tokenise }
      form.email2: { kind: email, do: tokenise }
      form.message: { do: encrypt }
      form.login: { kind: email, do: tokenise, space: login }
    unlisted: encrypt
  - name: shop
    match: { path: /shop }
    upstream: http://127.0.0.1:9000
    recipient: crm
    purpose: order
    fields: { form.mail: { kind: email, do: tokenise } }
)";

WallTime day(int year, unsigned month, unsigned number) {
  using namespace std::chrono;
  return sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(number));
}

class Access : public testing::Test {
 protected:
  Access() : loaded_(load_policy_text("access.yaml", kPolicy)), rules_(compile_rules()) {}

  AccessRules compile_rules() {
    EXPECT_TRUE(loaded_.ok()) << diagnostics_text(loaded_.diagnostics);
    const TenantPolicy tenant{kTenant, &loaded_.policy};
    return AccessRules(std::span(&tenant, 1));
  }

  // An e-mail collected for `purpose` on 1 January 2020, last contact on 1 June 2020.
  static TokenDescription token(const std::string& purpose) {
    TokenDescription description;
    description.kind = Kind::email;
    description.tenant_id = kTenant;
    description.tenant = "atelier";
    description.domain = "crm";
    description.space = "email";
    description.reversible = true;
    description.purposes.push_back({Id{9}, purpose, day(2020, 1, 1), day(2020, 6, 1)});
    return description;
  }

  Verdict verdict(std::string_view role, std::string_view purpose, const TokenDescription& about,
                  WallTime now) const {
    return rules_.rule(kTenant, role, purpose, about, now).verdict;
  }

  LoadedPolicy loaded_;
  AccessRules rules_;
};

TEST(BareContexts, AreWhatTheCurrentPolicySays) {
  const LoadedPolicy loaded = load_policy_text("bare.yaml", R"(policy: 1
tenant: atelier
roles: { dpo: { reveal: clear } }
recipients: { crm: { name: CRM, country: FR }, ga: { name: Stats, country: FR } }
purposes:
  contact: { basis: contract, retention: { active: P3Y }, reveal: [dpo] }
  order: { basis: contract, retention: { active: P3Y }, reveal: [dpo] }
routes:
  - name: form
    match: { path: /form }
    upstream: http://127.0.0.1:9000
    recipient: crm
    purpose: contact
    fields:
      form.phone: { kind: phone, do: tokenise, mode: derived, shape: preserve, epoch: day, because: legacy }
      form.mobile: { kind: phone, do: tokenise, mode: derived }
      form.seen: { kind: ip, do: tokenise, mode: ipcrypt-pfx, shape: ip, because: abuse }
      form.from: { kind: ip, do: tokenise, mode: ipcrypt-pfx, because: abuse }
  - name: shop
    match: { path: /shop }
    upstream: http://127.0.0.1:9000
    recipient: ga
    purpose: contact
    fields:
      form.phone: { kind: phone, do: tokenise, mode: derived, shape: preserve, epoch: day, because: legacy }
)");
  ASSERT_TRUE(loaded.ok()) << diagnostics_text(loaded.diagnostics);
  const TenantPolicy tenant{kTenant, &loaded.policy};
  const AccessRules rules(std::span(&tenant, 1));
  const auto one = rules.bare_contexts(kTenant, "contact", "form.phone", "form");
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].domain + one[0].purpose + one[0].space, "crmcontactphone");
  EXPECT_EQ(one[0].algorithm, Algorithm::format_preserving);
  EXPECT_EQ(one[0].kind, Kind::phone);
  EXPECT_EQ(one[0].epoch, crypto::EpochLength::day);
  EXPECT_EQ(rules.bare_contexts(kTenant, "contact", "form.phone", "").size(), 2U);
  const auto seen = rules.bare_contexts(kTenant, "contact", "form.seen", "");
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].algorithm, Algorithm::address_prefix);
  for (const char* field : {"form.mobile", "form.from", "form.nothing", ""}) {
    EXPECT_TRUE(rules.bare_contexts(kTenant, "contact", field, "").empty()) << field;
  }
  EXPECT_TRUE(rules.bare_contexts(kTenant, "order", "form.phone", "").empty());
  EXPECT_TRUE(rules.bare_contexts(kTenant, "contact", "form.phone", "other").empty());
  EXPECT_TRUE(rules.bare_contexts(kOther, "contact", "form.phone", "form").empty());
}

TEST_F(Access, RolesSeeWhatThePolicyGivesThem) {
  const WallTime now = day(2021, 1, 1);
  const auto level = [&](std::string_view role) {
    return rules_.rule(kTenant, role, "contact", token("contact"), now).level;
  };
  EXPECT_EQ(level("dpo"), RevealLevel::clear);
  EXPECT_EQ(level("support"), RevealLevel::masked);
  EXPECT_EQ(level("desk"), RevealLevel::replaced);
  EXPECT_EQ(verdict("dpo", "contact", token("contact"), now), Verdict::allowed);
  EXPECT_EQ(verdict("nobody", "contact", token("contact"), now), Verdict::refused);
}

TEST_F(Access, EverybodyElseIsBarred) {
  const WallTime now = day(2021, 1, 1);
  for (const char* role : {"stranger", "admin", "unknown", "", "DPO"}) {
    EXPECT_EQ(verdict(role, "contact", token("contact"), now), Verdict::barred) << role;
    EXPECT_FALSE(rules_.admits(kTenant, role, "contact"));
  }
  EXPECT_EQ(verdict("dpo", "marketing", token("contact"), now), Verdict::barred);
  EXPECT_EQ(verdict("support", "order", token("order"), now), Verdict::barred);
  EXPECT_FALSE(rules_.admits(kOther, "dpo", "contact"));
  EXPECT_TRUE(rules_.admits(kTenant, "legal", "contact"));
}

TEST_F(Access, ATokenOfAnotherPurposeOrTenantIsUnavailable) {
  const WallTime now = day(2020, 7, 1);
  EXPECT_EQ(verdict("dpo", "contact", token("order"), now), Verdict::unavailable);
  TokenDescription foreign = token("contact");
  foreign.tenant_id = kOther;
  EXPECT_EQ(verdict("dpo", "contact", foreign, now), Verdict::unavailable);
  // A token with several purposes is available under each of its own.
  TokenDescription both = token("contact");
  both.purposes.push_back({Id{8}, "order", day(2020, 1, 1), day(2020, 6, 1)});
  EXPECT_EQ(verdict("dpo", "order", both, now), Verdict::allowed);
}

TEST_F(Access, PhasesFollowTheClockOfThePurpose) {
  const TokenDescription contact = token("contact");  // from last contact, P3Y then P5Y
  EXPECT_EQ(verdict("support", "contact", contact, day(2023, 6, 1) - 1ms), Verdict::allowed);
  EXPECT_EQ(verdict("support", "contact", contact, day(2023, 6, 1)), Verdict::refused);
  EXPECT_EQ(verdict("legal", "contact", contact, day(2023, 6, 1) - 1ms), Verdict::refused);
  EXPECT_EQ(verdict("legal", "contact", contact, day(2023, 6, 1)), Verdict::allowed);
  EXPECT_EQ(verdict("dpo", "contact", contact, day(2028, 6, 1) - 1ms), Verdict::allowed);
  EXPECT_EQ(verdict("dpo", "contact", contact, day(2028, 6, 1)), Verdict::unavailable);
  const TokenDescription order = token("order");  // from collection, P1Y, no archive
  EXPECT_EQ(verdict("dpo", "order", order, day(2021, 1, 1) - 1ms), Verdict::allowed);
  EXPECT_EQ(verdict("dpo", "order", order, day(2021, 1, 1)), Verdict::unavailable);
  // Until a person's contract ends, nothing has begun to count.
  TokenDescription contract = token("contract");
  contract.purposes[0].of_person = true;
  EXPECT_EQ(verdict("dpo", "contract", contract, day(2060, 1, 1)), Verdict::allowed);
  contract.purposes[0].event = day(2060, 1, 1);
  EXPECT_EQ(verdict("dpo", "contract", contract, day(2061, 1, 1) - 1ms), Verdict::allowed);
  EXPECT_EQ(verdict("dpo", "contract", contract, day(2061, 1, 1)), Verdict::unavailable);
}

// Nobody can ever record that the contract behind it ended.
TEST_F(Access, WhatBelongsToNobodyCountsFromItsCollection) {
  const TokenDescription contract = token("contract");
  EXPECT_EQ(verdict("dpo", "contract", contract, day(2021, 1, 1) - 1ms), Verdict::allowed);
  EXPECT_EQ(verdict("dpo", "contract", contract, day(2021, 1, 1)), Verdict::unavailable);
}

TEST_F(Access, PseudonymsAreRefused) {
  TokenDescription pseudonym = token("contact");
  pseudonym.reversible = false;
  pseudonym.algorithm = Algorithm::pseudonym;
  EXPECT_EQ(verdict("dpo", "contact", pseudonym, day(2021, 1, 1)), Verdict::refused);
}

TEST_F(Access, FieldsComeFromTheCurrentPolicy) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(rules_.fields("contact", token("contact")), (Names{"form.email", "form.email2"}));
  EXPECT_EQ(rules_.fields("order", token("order")), (Names{"form.mail"}));
  TokenDescription login = token("contact");
  login.space = "login";
  EXPECT_EQ(rules_.fields("contact", login), (Names{"form.login"}));
  TokenDescription text = token("contact");
  text.kind = Kind::text;
  text.space = "text";
  text.algorithm = Algorithm::encrypted;
  EXPECT_EQ(rules_.fields("contact", text), (Names{"form.message", "unlisted"}));
  TokenDescription gone = token("contact");
  gone.domain = "former-crm";
  EXPECT_EQ(rules_.fields("contact", gone), Names{});
}

}  // namespace
}  // namespace paravent::policies
