// The names of a vault's tenants, domains and purposes: they come by registration, change without
// touching a token, and change together.

#include <gtest/gtest.h>

#include "crypto/vault/engine/vault/vault.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

template <typename Place>
class VaultNamesTest : public VaultFixture<Place> {};

TYPED_TEST_SUITE(VaultNamesTest, VaultPlaces);

TYPED_TEST(VaultNamesTest, NamesComeByRegistrationOnly) {
  EXPECT_TRUE(this->vault().has_tenants());
  PolicyNames changed = atelier();
  changed.domains.push_back("ga");
  changed.purposes.push_back("statistics");
  const std::vector<PolicyNames> policies{changed, {"nouveau", {"crm"}, {}}};
  const auto refused = this->vault().admit_names(policies);
  ASSERT_FALSE(refused);
  for (const std::string_view name :
       {"domain \"ga\"", "purpose \"statistics\"", "tenant \"nouveau\"", "domain \"crm\""}) {
    expect_sentence(refused.error(), ErrorKind::configuration, name);
  }
  EXPECT_EQ(this->vault().unknown_names(policies).size(), 4U);
  ASSERT_TRUE(this->vault().register_names(policies));
  EXPECT_TRUE(this->vault().admit_names(policies));
  EXPECT_EQ(this->vault().tenants().size(), 2U);
  EXPECT_FALSE(this->vault().register_names(std::vector<PolicyNames>{{"", {}, {}}}));
  EXPECT_FALSE(
      this->vault().register_names(std::vector<PolicyNames>{{std::string(256, 'x'), {}, {}}}));
}

TYPED_TEST(VaultNamesTest, RenamingKeepsTokensReadable) {
  const std::string token = mint(this->vault(), this->bind(email_tokens()), "a@b.fr");
  ASSERT_TRUE(this->vault().rename(NameKind::purpose, "atelier", "contact", "prospects"));
  ASSERT_TRUE(this->vault().rename(NameKind::domain, "atelier", "crm", "customers"));
  ASSERT_TRUE(this->vault().rename(NameKind::tenant, "", "atelier", "workshop"));
  EXPECT_FALSE(this->vault().rename(NameKind::purpose, "workshop", "contact", "x"));
  EXPECT_FALSE(this->vault().rename(NameKind::purpose, "workshop", "billing", "prospects"));
  EXPECT_FALSE(this->vault().rename(NameKind::purpose, "atelier", "billing", "invoices"));
  const auto bound =
      this->vault().bind("workshop", std::vector{email_tokens("prospects", "customers")});
  ASSERT_TRUE(bound);
  EXPECT_EQ(mint(this->vault(), bound->front(), "a@b.fr"), token);
  EXPECT_EQ(ReverseVault(this->vault()).describe(parse_token(token).value())->purposes[0].name,
            "prospects");
}

TYPED_TEST(VaultNamesTest, NamesChangeAsAWholeOrNotAtAll) {
  using enum Vault::NamesStep;
  PolicyNames next = atelier();
  next.tenant = "workshop";
  next.purposes.push_back("statistics");
  const auto change = [&](std::vector<Renaming> renamings, bool create, Vault::NamesStep step) {
    return this->vault().change_names(next, renamings, create, step);
  };
  const auto is_as_it_was = [&] {
    return this->vault().tenant_id("atelier").has_value() &&
           this->vault().check_names(std::vector{atelier()}).has_value();
  };
  // The tenant's new name would do; the purpose stays unknown, or the next renaming is wrong.
  const auto incomplete = change({{"atelier", "workshop"}}, false, make);
  ASSERT_FALSE(incomplete);
  expect_sentence(incomplete.error(), ErrorKind::configuration, "purpose \"statistics\"");
  EXPECT_TRUE(is_as_it_was());
  const auto wrong = change({{"atelier", "workshop"}, {"billing", "nothing"}}, true, make);
  ASSERT_FALSE(wrong);
  expect_sentence(wrong.error(), ErrorKind::configuration, "nothing");
  EXPECT_TRUE(is_as_it_was());
  const auto planned = change({{"atelier", "workshop"}}, true, plan);
  ASSERT_TRUE(planned);
  EXPECT_EQ(*planned, "tenant atelier is now workshop; created purpose statistics; ");
  EXPECT_TRUE(is_as_it_was());
  EXPECT_EQ(change({{"atelier", "workshop"}}, true, make).value(), *planned);
  EXPECT_FALSE(is_as_it_was());
  EXPECT_TRUE(this->vault().check_names(std::vector{next}));
  EXPECT_EQ(change({}, false, plan).value(), "");
}

}  // namespace
}  // namespace paravent::crypto::vault
