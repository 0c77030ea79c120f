// What an operator does to keys, as the data path and the way back see it; and the proof of
// crypto-shredding: the old data beside the new keys.

#include "crypto/vault/engine/upkeep/key_admin.h"

#include <functional>

#include "crypto/tokens/field_protector.h"
#include "crypto/vault/engine/keys/file_key_store.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

ContextSpec spec_of(Algorithm algorithm, std::string purpose = "contact") {
  return {"crm", std::move(purpose), "email", Kind::email, algorithm, EpochLength::month};
}

class KeyAdminTest : public testing::Test {
 protected:
  KeyAdminTest() {
    const std::vector<PolicyNames> policies{atelier()};
    EXPECT_TRUE(vault().admit_names(policies));
  }
  Vault& vault() { return *place_.vault; }
  KeyAdmin admin() { return KeyAdmin(vault()); }
  Binding bind(const ContextSpec& spec, std::string_view tenant = "atelier") {
    auto bound = vault().bind(tenant, std::span(&spec, 1));
    EXPECT_TRUE(bound) << (bound ? "" : bound.error().sentence());
    return std::move(bound->front());
  }
  std::string protect(const ContextSpec& spec, std::string_view value) {
    const Binding binding = bind(spec);
    auto protector = FieldProtector::create(std::span(&binding.key, 1)).value();
    std::string out;
    EXPECT_TRUE(protector->protect(0, Kind::email, value, out));
    return out;
  }
  // The one key with these properties that is not destroyed.
  KeyInfo key(KeyClass key_class, std::string_view purpose = "") {
    std::optional<KeyInfo> found;
    for (const KeyInfo& info : admin().list()) {
      if (info.record.key_class != key_class || info.purpose != purpose || !info.primary) continue;
      EXPECT_FALSE(found) << "not the only one";
      found = info;
    }
    EXPECT_TRUE(found);
    return *found;
  }
  Result<Destruction> destroy(const Id& id) { return admin().destroy(std::span(&id, 1)); }
  std::string open(std::string_view text) { return open_text(vault(), text); }

  DiskVault place_;
};

TEST_F(KeyAdminTest, ADisabledKeyNeitherProtectsNorOpens) {
  const Binding before = bind(email_tokens());
  const std::string token = mint(vault(), before, "anne@example.fr");
  const std::string derived = protect(spec_of(Algorithm::derived), "anne@example.fr");
  ASSERT_EQ(open(token), "anne@example.fr");
  const Id id = key(KeyClass::epoch, "contact").record.id;
  const auto changes = admin().changes();
  ASSERT_TRUE(admin().apply(id, KeyOperation::disable));
  EXPECT_GT(admin().changes(), changes);
  EXPECT_EQ(open(token), "(unavailable)");
  EXPECT_EQ(open(derived), "(unavailable)");
  // Whoever still holds the old binding is refused at once, and a new one says that there is none.
  EXPECT_EQ(run(vault(), batch_of({"bert@example.fr"}, before, Kind::email)),
            ResolveStatus::sealed);
  EXPECT_FALSE(bind(email_tokens()).available);
  EXPECT_FALSE(bind(spec_of(Algorithm::derived)).available);
  // Another purpose goes on.
  EXPECT_TRUE(bind(email_tokens("billing")).available);
  ASSERT_TRUE(admin().apply(id, KeyOperation::enable));
  EXPECT_EQ(open(token), "anne@example.fr");
  EXPECT_EQ(open(derived), "anne@example.fr");
  EXPECT_EQ(mint(vault(), bind(email_tokens()), "anne@example.fr"), token);
}

// What one request has opened saves it the unwrapping, and nothing else.
TEST_F(KeyAdminTest, AMemoOutlivesNoKey) {
  const std::string stored = mint(vault(), bind(email_tokens()), "anne@example.fr");
  const std::string derived = protect(spec_of(Algorithm::derived), "anne@example.fr");
  const ReverseVault reverse(vault());
  KeyMemo memo;
  const auto open_with = [&](const std::string& text) {
    return reverse.open_value(parse_token(text).value(), "contact", memo,
                              reveal::Reidentifier::permit());
  };
  for (const std::string& text : {stored, derived, stored}) {
    const auto value = open_with(text);
    ASSERT_TRUE(value);
    EXPECT_EQ(as_text(value->bytes()), "anne@example.fr");
  }
  ASSERT_TRUE(admin().apply(key(KeyClass::epoch, "contact").record.id, KeyOperation::disable));
  EXPECT_FALSE(open_with(stored));
  EXPECT_FALSE(open_with(derived));
}

TEST_F(KeyAdminTest, ACompromisedKeyOpensOnlyUnderAnOverride) {
  const std::string token = mint(vault(), bind(email_tokens()), "anne@example.fr");
  const Id id = key(KeyClass::epoch, "contact").record.id;
  ASSERT_TRUE(admin().apply(id, KeyOperation::compromise));
  EXPECT_EQ(open(token), "(unavailable)");
  EXPECT_FALSE(bind(email_tokens()).available);
  ASSERT_TRUE(admin().apply(id, KeyOperation::override_compromise));
  EXPECT_EQ(open(token), "anne@example.fr");
  EXPECT_FALSE(bind(email_tokens()).available) << "opens, never protects";
  // Rotating gives traffic a new key; the value moves to it at its next use.
  ASSERT_TRUE(admin().rotate(id));
  EXPECT_EQ(mint(vault(), bind(email_tokens()), "anne@example.fr"), token);
  place_.clock.advance(std::chrono::hours(24));
  EXPECT_EQ(mint(vault(), bind(email_tokens()), "anne@example.fr"), token);
  ASSERT_TRUE(admin().apply(id, KeyOperation::disable)) << "takes the override back";
  EXPECT_EQ(open(token), "anne@example.fr");
}

TEST_F(KeyAdminTest, RotationChangesDerivedTokensAndKeepsVaultTokens) {
  const std::string token = mint(vault(), bind(email_tokens()), "anne@example.fr");
  const std::string derived = protect(spec_of(Algorithm::derived), "anne@example.fr");
  const std::string hidden = protect(spec_of(Algorithm::encrypted), "anne@example.fr");
  const Binding held = bind(email_tokens());
  const Id old = key(KeyClass::epoch, "contact").record.id;
  const auto fresh = admin().rotate(old);
  ASSERT_TRUE(fresh) << fresh.error().sentence();
  // Requests that began before go on under the old key: nothing stops traffic.
  EXPECT_EQ(run(vault(), batch_of({"carl@example.fr"}, held, Kind::email)), ResolveStatus::ok);
  EXPECT_EQ(mint(vault(), bind(email_tokens()), "anne@example.fr"), token);
  const std::string again = protect(spec_of(Algorithm::derived), "anne@example.fr");
  EXPECT_NE(again, derived);
  for (const std::string& text : {token, derived, again, hidden}) {
    EXPECT_EQ(open(text), "anne@example.fr");
  }
  EXPECT_EQ(admin().find(old)->record.condition.state, KeyState::deactivated);
  EXPECT_EQ(admin().find(*fresh)->record.version, 2U);
  // The key version is in the context string, not only in the key.
  EXPECT_FALSE(admin().find(*fresh)->key_ids.empty());
  ASSERT_TRUE(place_.open());
  EXPECT_EQ(open(derived), "anne@example.fr");
  EXPECT_EQ(open(again), "anne@example.fr");
}

TEST_F(KeyAdminTest, KeysOfTheLogsAndOfTheSubjectStoreDoNotRotate) {
  EXPECT_TRUE(vault().audit_signing_seed(std::nullopt));
  bind(email_tokens());
  for (const KeyInfo& info : admin().list()) {
    const bool rotates = info.record.key_class == KeyClass::epoch ||
                         info.record.key_class == KeyClass::domain ||
                         info.record.key_class == KeyClass::tenant;
    EXPECT_EQ(admin().check_rotate(info.record.id).has_value(), rotates);
    if (info.record.key_class != KeyClass::audit_seed) continue;
    EXPECT_FALSE(admin().check(info.record.id, KeyOperation::destroy));
    EXPECT_FALSE(admin().check(info.record.id, KeyOperation::disable));
  }
  EXPECT_FALSE(admin().rotate(Id{1}));
}

TEST_F(KeyAdminTest, WithoutAPrimaryTheNextBindingMakesAKey) {
  const std::string token = mint(vault(), bind(email_tokens()), "anne@example.fr");
  ASSERT_TRUE(destroy(key(KeyClass::epoch, "contact").record.id));
  EXPECT_EQ(open(token), "(unavailable)");
  const Binding next = bind(email_tokens());
  ASSERT_TRUE(next.available);
  EXPECT_EQ(key(KeyClass::epoch, "contact").record.version, 2U);
  // Who writes again, even on the same day, gets a token that opens.
  EXPECT_EQ(open(mint(vault(), next, "anne@example.fr")), "anne@example.fr");
}

TEST_F(KeyAdminTest, HoldsForbidDestruction) {
  bind(email_tokens());
  bind(email_tokens("billing"));
  const Id contact = key(KeyClass::epoch, "contact").record.id;
  const WallTime end = place_.clock.now() + std::chrono::hours(24 * 30);
  EXPECT_FALSE(admin().hold("atelier", "contact", std::nullopt, "", end));
  EXPECT_FALSE(admin().hold("atelier", "nothing", std::nullopt, "a court case", end));
  EXPECT_FALSE(admin().hold("atelier", "contact", std::nullopt, "late", place_.clock.now()));
  const auto hold = admin().hold("atelier", "contact", std::nullopt, "a court case", end);
  ASSERT_TRUE(hold);
  ASSERT_TRUE(place_.open());
  ASSERT_EQ(admin().holds().size(), 1U);
  EXPECT_EQ(admin().holds()[0].purpose, "contact");
  EXPECT_EQ(admin().find(contact)->held_until, end);
  for (const Id& id : {contact, key(KeyClass::tenant).record.id}) {
    const auto refused = destroy(id);
    ASSERT_FALSE(refused);
    expect_sentence(refused.error(), ErrorKind::refused, "hold");
  }
  EXPECT_TRUE(admin().apply(contact, KeyOperation::disable)) << "disabling destroys nothing";
  EXPECT_TRUE(destroy(key(KeyClass::epoch, "billing").record.id));
  ASSERT_TRUE(admin().release(*hold));
  EXPECT_FALSE(admin().release(*hold));
  EXPECT_TRUE(destroy(contact));
}

TEST_F(KeyAdminTest, TenantsComeAndGo) {
  const auto made = admin().create_tenant("second");
  ASSERT_TRUE(made);
  EXPECT_FALSE(admin().create_tenant("second"));
  EXPECT_FALSE(admin().create_tenant(""));
  const std::string token = mint(vault(), bind(email_tokens()), "anne@example.fr");
  const Id atelier_id = *vault().tenant_id("atelier");
  const auto gone = admin().destroy_tenant(atelier_id);
  ASSERT_TRUE(gone) << gone.error().sentence();
  EXPECT_EQ(gone->keys.size(), 4U);  // the tenant's, two domains', one epoch's
  EXPECT_EQ(open(token), "(unavailable)");
  // Its routes are refused; what knows nothing of it goes on.
  EXPECT_FALSE(bind(email_tokens()).available);
  EXPECT_FALSE(admin().destroy_tenant(atelier_id));
  EXPECT_FALSE(admin().destroy_tenant(Id{5}));
  const auto again = admin().destruction_of(*admin().tenant_key(atelier_id));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->keys.size(), 4U);
  EXPECT_EQ(again->at, gone->at);
}

TEST_F(KeyAdminTest, AnotherRootKeyOpensEverythingAndTheOldOneNothing) {
  const std::string token = mint(vault(), bind(email_tokens()), "anne@example.fr");
  const auto path = place_.folder.path() / "new.key";
  ASSERT_TRUE(admin().replace_root(RootKey::create(path).value()));
  EXPECT_EQ(open(token), "anne@example.fr");
  const auto refused = place_.open();
  ASSERT_FALSE(refused);
  expect_sentence(refused.error(), ErrorKind::data, "root key is not the one");
  place_.root_path = path;
  ASSERT_TRUE(place_.open());
  EXPECT_EQ(open(token), "anne@example.fr");
}

// ---- crypto-shredding: everything as it was at t0, beside the keys of t1 ----

class Shredding : public KeyAdminTest {
 protected:
  Shredding() {
    tokens_ = {mint(vault(), bind(email_tokens()), "anne@example.fr"),
               protect(spec_of(Algorithm::derived), "anne@example.fr"),
               protect(spec_of(Algorithm::encrypted), "anne@example.fr")};
    kept_ = mint(vault(), bind(email_tokens("billing", "mailing")), "bert@example.fr");
    place_.close();
    std::filesystem::copy(place_.data_path, t0_, std::filesystem::copy_options::recursive);
    EXPECT_TRUE(place_.open());
  }
  // Every file of t0 but the keys folder, which is that of now.
  void restore_old_data() {
    place_.close();
    const auto keys = place_.folder.path() / "keys-now";
    std::filesystem::rename(place_.data_path / "keys", keys);
    std::filesystem::remove_all(place_.data_path);
    std::filesystem::copy(t0_, place_.data_path, std::filesystem::copy_options::recursive);
    std::filesystem::remove_all(place_.data_path / "keys");
    std::filesystem::rename(keys, place_.data_path / "keys");
    const auto opened = place_.open();
    ASSERT_TRUE(opened) << opened.error().sentence();
  }
  void expect_gone() {
    for (const std::string& token : tokens_) EXPECT_EQ(open(token), "(unavailable)");
  }
  // The old key store and the old secret cannot be had back by putting one of them in place.
  void expect_old_keys_are_useless() {
    for (const char* name : {kKeyStoreFile, "shred-secret"}) {
      restore_old_data();
      place_.close();
      const auto now = place_.folder.path() / "now";
      std::filesystem::remove_all(now);
      std::filesystem::copy(place_.data_path, now, std::filesystem::copy_options::recursive);
      std::filesystem::copy_file(t0_ / "keys" / name, place_.data_path / "keys" / name,
                                 std::filesystem::copy_options::overwrite_existing);
      const auto refused = place_.open();
      ASSERT_FALSE(refused) << name;
      expect_sentence(refused.error(), ErrorKind::data, "not of the same moment");
      std::filesystem::remove_all(place_.data_path);
      std::filesystem::rename(now, place_.data_path);
    }
    ASSERT_TRUE(place_.open());
  }

  std::filesystem::path t0_ = place_.folder.path() / "t0";
  std::vector<std::string> tokens_;
  std::string kept_;
};

TEST_F(Shredding, AnEpochIsGoneFromEveryBackupOfTheData) {
  for (const std::string& token : tokens_) ASSERT_EQ(open(token), "anne@example.fr");
  ASSERT_TRUE(destroy(key(KeyClass::epoch, "contact").record.id));
  expect_gone();
  restore_old_data();
  expect_gone();
  EXPECT_EQ(open(kept_), "bert@example.fr") << "another purpose is not touched";
  expect_old_keys_are_useless();
  expect_gone();
  EXPECT_EQ(open(kept_), "bert@example.fr");
}

TEST_F(Shredding, ATenantIsGoneFromEveryBackupOfTheData) {
  tokens_.push_back(kept_);
  ASSERT_TRUE(admin().destroy_tenant(*vault().tenant_id("atelier")));
  expect_gone();
  restore_old_data();
  expect_gone();
  expect_old_keys_are_useless();
  expect_gone();
}

// Keys of before beside a store of afterwards: whole, and refused; the store notes what it was
// told.
TEST_F(Shredding, BothOldFilesBesideTheNewStoreAreRefused) {
  ASSERT_TRUE(destroy(key(KeyClass::epoch, "contact").record.id));
  place_.close();
  const auto keys = place_.data_path / "keys";
  const auto newest = place_.folder.path() / "newest";
  std::filesystem::rename(keys, newest);
  std::filesystem::copy(t0_ / "keys", keys, std::filesystem::copy_options::recursive);
  const auto opened = place_.open();
  ASSERT_FALSE(opened);
  expect_sentence(opened.error(), ErrorKind::data, "older than the token store and would undo 1 ");
  place_.close();
  // Nothing was changed by trying: the newest keys go on.
  std::filesystem::remove_all(keys);
  std::filesystem::rename(newest, keys);
  ASSERT_TRUE(place_.open());
  EXPECT_EQ(open(tokens_[0]), "(unavailable)");
  place_.close();
  // Whoever says so goes on with the old ones, from then on without a word.
  std::filesystem::remove_all(keys);
  std::filesystem::copy(t0_ / "keys", keys, std::filesystem::copy_options::recursive);
  {
    DataDirectory data = DataDirectory::open(place_.data_path).value();
    auto vault = Vault::open(data, RootKey::obtain(place_.root_path, true).value(), place_.clock,
                             {}, OlderKeys::accepted);
    ASSERT_TRUE(vault) << vault.error().sentence();
  }
  EXPECT_FALSE(place_.open()) << "opened once and not accepted for good";
  place_.close();
  {
    DataDirectory data = DataDirectory::open(place_.data_path).value();
    auto vault = Vault::open(data, RootKey::obtain(place_.root_path, true).value(), place_.clock,
                             {}, OlderKeys::accepted);
    ASSERT_TRUE((*vault)->take_keys_as_they_are());
  }
  ASSERT_TRUE(place_.open());
  EXPECT_EQ(open(tokens_[0]), "anne@example.fr");
}

TEST_F(Shredding, OnlyBothOldFilesTogetherWouldUndoIt) {
  // What a key backup is, and why it expires: the certificate says from when.
  ASSERT_TRUE(destroy(key(KeyClass::epoch, "contact").record.id));
  place_.close();
  std::filesystem::remove_all(place_.data_path);
  std::filesystem::copy(t0_, place_.data_path, std::filesystem::copy_options::recursive);
  ASSERT_TRUE(place_.open());
  EXPECT_EQ(open(tokens_[0]), "anne@example.fr");
}

}  // namespace
}  // namespace paravent::crypto::vault
