// The keys of tenants and domains rotate: what hangs on them moves, everything that was made opens,
// every token stays what it is, people are found by the same references, and the old versions end
// with the new ones.

#include <algorithm>
#include <array>

#include "crypto/vault/engine/upkeep/key_admin.h"
#include "crypto/vault/engine/upkeep/row_keeper.h"
#include "tests/crypto/vault/engine/key_destroy_support.h"
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
  // Whoever had it may have the epoch keys below: they protect nothing new.
  for (const KeyInfo& epoch : of_class(KeyClass::epoch, "crm")) {
    EXPECT_EQ(epoch.record.condition.state,
              epoch.record.version == 1 ? KeyState::deactivated : KeyState::active);
    EXPECT_EQ(epoch.primary, epoch.record.version == 2);
  }
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

// Whoever had the key may have had the epoch keys that were out of use, too.
TEST_F(KeyRotation, WhatIsOutOfUseBelowACompromisedKeyProtectsNoMoreOnceItIsBack) {
  const std::string token = mint(vault(), tokens(), "anne@example.fr");
  const KeyInfo epoch = of_class(KeyClass::epoch, "crm").front();
  const KeyInfo domain = primary(KeyClass::domain, "crm");
  const KeyInfo tenant = primary(KeyClass::tenant);
  for (const Id& disabled : {epoch.record.id, domain.record.id}) {
    ASSERT_TRUE(admin().apply(disabled, KeyOperation::disable));
    ASSERT_TRUE(admin().apply(primary(KeyClass::tenant).record.id, KeyOperation::compromise));
    ASSERT_TRUE(admin().rotate(primary(KeyClass::tenant).record.id));
    ASSERT_TRUE(admin().apply(disabled, KeyOperation::enable));
    const std::uint32_t before = epoch.record.version + (disabled == domain.record.id ? 1U : 0U);
    EXPECT_EQ(mint(vault(), tokens(), "anne@example.fr"), token);
    std::uint32_t newest = 0;
    for (const KeyInfo& key : of_class(KeyClass::epoch, "crm")) {
      newest = std::max(newest, key.record.version);
      EXPECT_EQ(key.record.condition.state, key.primary ? KeyState::active : KeyState::deactivated);
    }
    EXPECT_EQ(newest, before + 1) << "a version that nobody can have had";
    EXPECT_EQ(open_text(vault(), token), "anne@example.fr");
  }
}

TEST_F(KeyRotation, AnOlderVersionEndsWithTheNewestAndNotBefore) {
  const std::string token = mint(vault(), tokens(), "anne@example.fr");
  const KeyInfo old = primary(KeyClass::domain, "crm");
  const Id made = admin().rotate(old.record.id).value();
  run_rows();
  for (const KeyOperation operation :
       {KeyOperation::destroy, KeyOperation::disable, KeyOperation::override_compromise}) {
    const auto early = admin().check(old.record.id, operation);
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().kind(), ErrorKind::refused);
  }
  expect_sentence(admin().check(old.record.id, KeyOperation::destroy).error(), ErrorKind::refused,
                  "follows the newest");
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

// That the old version turns out to have been compromised takes nothing away from the new one.
TEST_F(KeyRotation, AnOlderVersionMayBeMarkedCompromisedAfterwards) {
  const BoundRoute route = bound_route(vault());
  const Answer first = ask(vault(), route, "anne@example.fr", "Anne");
  const std::string token = mint(vault(), tokens(), "bob@example.fr");
  const Id tenant = primary(KeyClass::tenant).record.id;
  const Id domain = primary(KeyClass::domain, "crm").record.id;
  const Id next_tenant = admin().rotate(tenant).value();
  const Id next_domain = admin().rotate(domain).value();
  for (const Id& key : {tenant, domain}) {
    ASSERT_TRUE(admin().apply(key, KeyOperation::compromise));
  }
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(ask(vault(), bound_route(vault()), "anne@example.fr", "Anne").tokens, first.tokens);
    EXPECT_EQ(open_text(vault(), first.tokens[0]), "anne@example.fr");
    EXPECT_EQ(mint(vault(), tokens(), "bob@example.fr"), token);
    EXPECT_EQ(open_text(vault(), token), "bob@example.fr");
    run_rows();
    reopen();
  }
  // And the state of the newest is what counts for everything that was derived from an older one.
  for (const Id& key : {next_domain, next_tenant}) {
    ASSERT_TRUE(admin().apply(key, KeyOperation::disable));
    EXPECT_EQ(open_text(vault(), token), "(unavailable)");
    const auto found =
        SubjectAdmin(vault()).find(*vault().tenant_id("atelier"), Kind::email, "anne@example.fr");
    EXPECT_EQ(found.has_value(), key == next_domain) << "people hang on the tenant";
    ASSERT_TRUE(admin().apply(key, KeyOperation::enable));
  }
  EXPECT_EQ(open_text(vault(), token), "bob@example.fr");
}

// Of a store from before there was such a thing, in the midst of a move of its index.
TEST_F(KeyRotation, AnIndexThatHadNoKeyNamedHangsOnTheOldest) {
  const std::string token = mint(vault(), tokens(), "anne@example.fr");
  ASSERT_TRUE(RowKeeper::want_reindex(vault(), "atelier", "crm"));
  const Id old = primary(KeyClass::domain, "crm").record.id;
  EXPECT_EQ(admin().check_rotate(old).error().kind(), ErrorKind::busy);
  run_rows();
  ASSERT_TRUE(admin().rotate(old));
  EXPECT_EQ(mint(vault(), tokens(), "anne@example.fr"), token) << "found under the version before";
  run_rows();
  reopen();
  EXPECT_EQ(mint(vault(), tokens(), "anne@example.fr"), token);
}

// Destroyed and made again: with an index of its own, whatever the old one hung on.
TEST_F(KeyRotation, ADomainThatIsMadeAgainAfterItsEndBeginsAnew) {
  for (const bool finished : {true, false}) {
    const std::string token = mint(vault(), tokens(), "anne@example.fr");
    ASSERT_TRUE(admin().rotate(primary(KeyClass::domain, "crm").record.id));
    if (finished) run_rows();
    ASSERT_TRUE(admin().destroy(std::array<Id, 1>{primary(KeyClass::domain, "crm").record.id}));
    const std::array policies{atelier()};
    ASSERT_TRUE(vault().register_names(policies));
    const std::string other = mint(vault(), tokens(), "anne@example.fr");
    EXPECT_FALSE(other.empty());
    EXPECT_NE(other, token);
    EXPECT_EQ(open_text(vault(), token), "(unavailable)");
    run_rows();
    EXPECT_FALSE(RowKeeper::wanted(vault()).any());
    reopen();
    EXPECT_EQ(mint(vault(), tokens(), "anne@example.fr"), other);
    EXPECT_EQ(open_text(vault(), other), "anne@example.fr");
  }
}

// A row that waits for its key keeps the index of its own domain alone.
TEST_F(KeyRotation, DomainsDoNotWaitForEachOther) {
  const ContextSpec spec = email_tokens("contact", "mailing");
  const auto mailing = vault().bind("atelier", std::span(&spec, 1));
  ASSERT_TRUE(mailing);
  const std::string crm = mint(vault(), tokens(), "anne@example.fr");
  const std::string there = mint(vault(), mailing->front(), "anne@example.fr");
  const Id epoch = primary(KeyClass::epoch, "crm").record.id;
  ASSERT_TRUE(admin().apply(epoch, KeyOperation::disable));
  for (const char* domain : {"crm", "mailing"}) {
    ASSERT_TRUE(admin().rotate(primary(KeyClass::domain, domain).record.id));
  }
  const auto report = RowKeeper(vault()).run(kNeverStopped);
  ASSERT_TRUE(report);
  EXPECT_EQ((*report)->waiting, 1U);
  EXPECT_EQ(admin().check_rotate(primary(KeyClass::domain, "crm").record.id).error().kind(),
            ErrorKind::busy);
  EXPECT_TRUE(admin().check_rotate(primary(KeyClass::domain, "mailing").record.id));
  ASSERT_TRUE(admin().apply(epoch, KeyOperation::enable));
  run_rows();
  EXPECT_FALSE(RowKeeper::wanted(vault()).any());
  EXPECT_EQ(mint(vault(), tokens(), "anne@example.fr"), crm);
  const auto again = vault().bind("atelier", std::span(&spec, 1));
  EXPECT_EQ(mint(vault(), again->front(), "anne@example.fr"), there);
}

// As a restore does, under a rotated key and with the index half moved.
TEST_F(KeyRotation, TheIndexIsMadeAnewUnderTheNewestVersion) {
  const std::string token = mint(vault(), tokens(), "anne@example.fr");
  ASSERT_TRUE(admin().rotate(primary(KeyClass::domain, "crm").record.id));
  const auto report = vault().rebuild_index();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->indexed, 1U);
  run_rows();
  reopen();
  EXPECT_EQ(mint(vault(), tokens(), "anne@example.fr"), token);
}

TEST(KeyRotationOfACatalogue, RefusesADisabledKeyByItself) {
  const TempDir temp;
  KeysOnDisk keys(temp.path());
  keys.make();
  ASSERT_TRUE(keys.catalogue->apply(keys.tenant, KeyOperation::disable, keys.now));
  ASSERT_TRUE(keys.catalogue->commit());
  const std::vector<RenewalPart*> parts{&keys.part};
  const auto refused = keys.catalogue->rotate_parent(keys.tenant, parts, keys.now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::refused);
}

// Nobody is refused and no token changes, whatever rotates meanwhile. In memory, where nothing
// waits for a disk: so the rotations fall into every place of a request.
TEST(KeyRotationUnderLoad, StopsNobody) {
  InMemoryVault place;
  Vault& vault = *place.vault;
  const std::array policies{atelier()};
  ASSERT_TRUE(vault.register_names(policies));
  const BoundRoute route = bound_route(vault);
  const ContextSpec spec = email_tokens();
  const Binding plain = std::move(vault.bind("atelier", std::span(&spec, 1)).value().front());
  constexpr std::size_t kPeople = 20;
  const auto person = [](std::size_t i) { return "person" + std::to_string(i) + "@example.fr"; };
  std::vector<std::vector<std::string>> bound;
  std::vector<std::string> known;
  for (std::size_t i = 0; i < kPeople; ++i) {
    bound.push_back(ask(vault, route, person(i), "Name").tokens);
    known.push_back(mint(vault, plain, person(i)));
  }
  std::atomic<bool> ended{false};
  std::atomic<int> asked{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  threads.emplace_back([&] {
    for (std::size_t i = 0; !ended; i = (i + 1) % kPeople, ++asked) {
      const Answer answer = ask(vault, route, person(i), "Name");
      if (answer.status != ResolveStatus::ok || answer.tokens != bound[i]) ++wrong;
    }
  });
  std::vector<std::pair<std::string, std::string>> fresh;  // of that thread, until it is joined
  threads.emplace_back([&] {
    // Somebody new each time: keys are made while their parents change.
    for (int i = 0; !ended; ++i, ++asked) {
      const std::string name = "new" + std::to_string(i);
      const Answer answer = ask(vault, route, name + "@example.fr", name);
      if (answer.status != ResolveStatus::ok || open_text(vault, answer.tokens[1]) != name) {
        ++wrong;
      } else {
        fresh.emplace_back(answer.tokens[1], name);
      }
    }
  });
  threads.emplace_back([&] {
    for (std::size_t i = 0; !ended; i = (i + 1) % kPeople, ++asked) {
      if (mint(vault, plain, person(i)) != known[i]) ++wrong;
    }
  });
  KeyAdmin admin(vault);
  for (int turn = 0; turn < 40; ++turn) {
    const KeyClass rotates = turn % 2 == 0 ? KeyClass::tenant : KeyClass::domain;
    for (const KeyInfo& key : admin.list()) {
      if (!key.primary || key.record.key_class != rotates || key.domain == "mailing") continue;
      const auto made = admin.rotate(key.record.id);
      ASSERT_TRUE(made) << made.error().sentence();
    }
    ASSERT_TRUE(RowKeeper(vault).run(kNeverStopped));
    ASSERT_FALSE(RowKeeper::wanted(vault).any());
  }
  ended = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(asked, 40);
  // Nothing was made under a version that had been left: such a key would not open any more.
  EXPECT_FALSE(fresh.empty());
  for (const KeyInfo& key : admin.list()) {
    if (key.record.key_class != KeyClass::tenant || key.primary) continue;
    ASSERT_TRUE(admin.apply(key.record.id, KeyOperation::compromise));
  }
  for (std::size_t i = 0; i < kPeople; ++i) EXPECT_EQ(open_text(vault, bound[i][0]), person(i));
  for (const auto& [token, name] : fresh) EXPECT_EQ(open_text(vault, token), name);
}

}  // namespace
}  // namespace paravent::crypto::vault
