// The keys of tenants and domains rotate: what hangs on them moves, everything that was made opens,
// every token stays what it is, people are found by the same references, and the old versions end
// with the new ones.

#include <algorithm>
#include <array>

#include "crypto/vault/engine/key_admin.h"
#include "crypto/vault/engine/row_keeper.h"
#include "tests/crypto/vault/engine/subject_support.h"

namespace paravent::crypto::vault {
namespace {

constexpr Wish kUuid{.shape = Shape::uuid};
const auto kNeverStopped = [] { return false; };

class KeyRotation : public testing::Test {
 protected:
  KeyRotation() {
    const std::array policies{atelier()};
    EXPECT_TRUE(disk_.vault->register_names(policies));
  }

  Vault& vault() { return *disk_.vault; }
  KeyAdmin admin() { return KeyAdmin(vault()); }

  Binding tokens() {
    const ContextSpec spec = email_tokens();
    auto bound = vault().bind("atelier", std::span(&spec, 1));
    EXPECT_TRUE(bound) << (bound ? "" : bound.error().sentence());
    return std::move(bound->front());
  }

  std::vector<KeyInfo> of_class(KeyClass key_class, const std::string& domain = {}) {
    std::vector<KeyInfo> out = admin().list();
    std::erase_if(out, [&](const KeyInfo& key) {
      return key.record.key_class != key_class || (!domain.empty() && key.domain != domain);
    });
    return out;
  }
  KeyInfo primary(KeyClass key_class, const std::string& domain = {}) {
    for (KeyInfo& key : of_class(key_class, domain)) {
      if (key.primary) return std::move(key);
    }
    ADD_FAILURE() << "no such key";
    return {};
  }

  void run_rows() {
    const auto report = RowKeeper(vault()).run(kNeverStopped);
    ASSERT_TRUE(report) << report.error().sentence();
    EXPECT_EQ((*report)->waiting, 0U);
  }

  void reopen() {
    disk_.close();
    ASSERT_TRUE(disk_.open());
  }

  DiskVault disk_;
};

TEST_F(KeyRotation, OfADomainMovesItsEpochsAndItsIndexAndNoTokenChanges) {
  const Binding before = tokens();
  const std::string token = mint(vault(), before, "anne@example.fr");
  const std::string shaped = mint(vault(), before, "bob@example.fr", kUuid);
  const KeyInfo old = primary(KeyClass::domain, "crm");
  const auto made = admin().rotate(old.record.id);
  ASSERT_TRUE(made) << made.error().sentence();
  const KeyInfo fresh = primary(KeyClass::domain, "crm");
  EXPECT_EQ(fresh.record.id, *made);
  EXPECT_EQ(fresh.record.version, old.record.version + 1);
  EXPECT_EQ(admin().find(old.record.id)->record.condition.state, KeyState::deactivated);
  for (const KeyInfo& epoch : of_class(KeyClass::epoch, "crm")) {
    EXPECT_EQ(epoch.record.parent, *made);
    EXPECT_EQ(epoch.record.version, 1U) << "the epoch's own key is untouched";
  }
  // Under the old bindings, under new ones, with the index half moved, after a restart.
  ASSERT_TRUE(RowKeeper::wanted(vault()).reindex);
  EXPECT_EQ(admin().check_rotate(*made).error().kind(), ErrorKind::busy);
  EXPECT_FALSE(admin().rotate(*made));
  EXPECT_EQ(mint(vault(), before, "anne@example.fr"), token);
  const std::string during = mint(vault(), tokens(), "during@example.fr");
  reopen();
  EXPECT_EQ(mint(vault(), tokens(), "anne@example.fr"), token);
  run_rows();
  EXPECT_FALSE(RowKeeper::wanted(vault()).any());
  reopen();
  const Binding after = tokens();
  EXPECT_EQ(mint(vault(), after, "anne@example.fr"), token);
  EXPECT_EQ(mint(vault(), after, "during@example.fr"), during);
  EXPECT_EQ(mint(vault(), after, "bob@example.fr", kUuid), shaped) << "a text is the same for ever";
  EXPECT_EQ(open_text(vault(), token), "anne@example.fr");
  EXPECT_EQ(open_text(vault(), during), "during@example.fr");
  const auto tenant = *vault().tenant_id("atelier");
  EXPECT_TRUE(ReverseVault(vault()).find_shaped(tenant, shaped));
  // And once more, from the version that the index hangs on now.
  ASSERT_TRUE(admin().rotate(*made));
  run_rows();
  reopen();
  EXPECT_EQ(mint(vault(), tokens(), "anne@example.fr"), token);
  EXPECT_EQ(mint(vault(), tokens(), "bob@example.fr", kUuid), shaped);
}

TEST_F(KeyRotation, OfATenantMovesDomainsAndPeopleAndFindsThemByTheSameReference) {
  const BoundRoute route = bound_route(vault());
  const Answer first = ask(vault(), route, "anne@example.fr", "Anne");
  ASSERT_EQ(first.status, ResolveStatus::ok);
  const auto tenant = *vault().tenant_id("atelier");
  const auto person = SubjectAdmin(vault()).find(tenant, Kind::email, "anne@example.fr");
  ASSERT_TRUE(person);
  const KeyInfo old = primary(KeyClass::tenant);
  const auto made = admin().rotate(old.record.id);
  ASSERT_TRUE(made) << made.error().sentence();
  for (const KeyInfo& domain : of_class(KeyClass::domain)) {
    EXPECT_EQ(domain.record.parent, *made);
  }
  // Requests that began before, the person's next one, and somebody new; then after a restart.
  EXPECT_EQ(ask(vault(), route, "anne@example.fr", "Anne").tokens, first.tokens);
  const Answer other = ask(vault(), route, "bob@example.fr", "Bob");
  ASSERT_EQ(other.status, ResolveStatus::ok);
  for (int round = 0; round < 2; ++round) {
    const BoundRoute again = bound_route(vault());
    EXPECT_EQ(ask(vault(), again, "anne@example.fr", "Anne").tokens, first.tokens);
    EXPECT_EQ(ask(vault(), again, "bob@example.fr", "Bob").tokens, other.tokens);
    for (const auto& [token, value] :
         {std::pair(first.tokens[0], "anne@example.fr"), {other.tokens[1], "Bob"}}) {
      EXPECT_EQ(open_text(vault(), token), value);
    }
    const auto found = SubjectAdmin(vault()).find(tenant, Kind::email, "anne@example.fr");
    ASSERT_TRUE(found);
    EXPECT_EQ(*found, *person);
    if (round == 0) reopen();
  }
  // Twice, and with a destroy batch between: nothing is left behind under an older version.
  ASSERT_TRUE(admin().rotate(*made));
  const KeyInfo epoch = primary(KeyClass::epoch, "crm");
  ASSERT_TRUE(admin().rotate(epoch.record.id));
  ASSERT_TRUE(admin().destroy(std::array<Id, 1>{epoch.record.id}));
  reopen();
  EXPECT_EQ(*SubjectAdmin(vault()).find(tenant, Kind::email, "anne@example.fr"), *person);
  EXPECT_EQ(ask(vault(), bound_route(vault()), "carl@example.fr", "Carl").status,
            ResolveStatus::ok);
}

TEST_F(KeyRotation, ACompromisedKeyIsRotatedAwayFromAndADisabledOneIsNot) {
  const std::string token = mint(vault(), tokens(), "anne@example.fr");
  const KeyInfo old = primary(KeyClass::domain, "crm");
  ASSERT_TRUE(admin().apply(old.record.id, KeyOperation::disable));
  EXPECT_EQ(admin().check_rotate(old.record.id).error().kind(), ErrorKind::refused);
  EXPECT_FALSE(admin().rotate(old.record.id));
  ASSERT_TRUE(admin().apply(old.record.id, KeyOperation::enable));
  ASSERT_TRUE(admin().apply(old.record.id, KeyOperation::compromise));
  EXPECT_EQ(open_text(vault(), token), "(unavailable)");
  ASSERT_TRUE(admin().rotate(old.record.id));
  EXPECT_EQ(admin().find(old.record.id)->record.condition.state, KeyState::compromised);
  EXPECT_EQ(mint(vault(), tokens(), "anne@example.fr"), token);
  run_rows();
  EXPECT_EQ(open_text(vault(), token), "anne@example.fr");
  const KeyInfo tenant = primary(KeyClass::tenant);
  ASSERT_TRUE(admin().apply(tenant.record.id, KeyOperation::compromise));
  EXPECT_FALSE(admin().rotate(primary(KeyClass::domain, "crm").record.id))
      << "what is above counts";
  ASSERT_TRUE(admin().rotate(tenant.record.id));
  EXPECT_EQ(mint(vault(), tokens(), "anne@example.fr"), token);
}

TEST_F(KeyRotation, AnOlderVersionEndsWithTheNewestAndNotBefore) {
  const std::string token = mint(vault(), tokens(), "anne@example.fr");
  const KeyInfo old = primary(KeyClass::domain, "crm");
  const Id made = admin().rotate(old.record.id).value();
  run_rows();
  const auto early = admin().check(old.record.id, KeyOperation::destroy);
  ASSERT_FALSE(early);
  expect_sentence(early.error(), ErrorKind::refused, "ends with the newest");
  EXPECT_FALSE(admin().rotate(old.record.id)) << "only the newest rotates";
  const auto gone = admin().destroy(std::array<Id, 1>{made});
  ASSERT_TRUE(gone) << gone.error().sentence();
  EXPECT_EQ(gone->keys.size(), 2U + 1U);  // both versions, and the epoch
  for (const KeyInfo& key : of_class(KeyClass::domain, "crm")) {
    EXPECT_TRUE(is_destroyed(key.record.condition.state));
  }
  EXPECT_EQ(admin().destruction_of(made)->keys.size(), 3U) << "the certificate names both";
  EXPECT_EQ(open_text(vault(), token), "(unavailable)");
  // A tenant with all of its versions.
  const Id tenant = admin().rotate(primary(KeyClass::tenant).record.id).value();
  ASSERT_TRUE(admin().destroy_tenant(*vault().tenant_id("atelier")));
  for (const KeyInfo& key : of_class(KeyClass::tenant)) {
    EXPECT_TRUE(is_destroyed(key.record.condition.state));
  }
  EXPECT_TRUE(admin().find(tenant));
}

}  // namespace
}  // namespace paravent::crypto::vault
