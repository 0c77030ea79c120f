// Vault tokens in shapes of their own, and in scopes: what stays equal, what cannot be joined, and
// that a text is one row's for ever.

#include <atomic>
#include <set>
#include <thread>

#include "crypto/primitives/x25519.h"
#include "crypto/tokens/field_protector.h"
#include "crypto/tokens/shape_text.h"
#include "crypto/vault/engine/catalogue/catalogue.h"
#include "crypto/vault/engine/keys/memory_key_store.h"
#include "crypto/vault/engine/rows/memory_token_store.h"
#include "crypto/vault/engine/upkeep/key_admin.h"
#include "crypto/vault/engine/vault/name_search.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

template <typename Place>
class ShapedVaultTest : public VaultFixture<Place> {
 protected:
  ContextSpec scoped(Scope scope) {
    ContextSpec spec = email_tokens();
    spec.scope = scope;
    return spec;
  }
};

TYPED_TEST_SUITE(ShapedVaultTest, VaultPlaces);

constexpr Shape kOwnTexts[] = {Shape::phone, Shape::digits, Shape::digits_digits,
                               Shape::hex16, Shape::uuid,   Shape::alphanumeric};

TYPED_TEST(ShapedVaultTest, EqualValuesGetEqualTextsInEveryShape) {
  const Binding email = this->bind(email_tokens());
  std::set<std::string> texts;
  for (const Shape shape : kOwnTexts) {
    const std::string text = mint(this->vault(), email, "a@b.fr", {.shape = shape});
    EXPECT_TRUE(matches_shape(shape, 0, text)) << text;
    EXPECT_EQ(mint(this->vault(), email, "a@b.fr", {.shape = shape}), text);
    EXPECT_NE(mint(this->vault(), email, "c@d.fr", {.shape = shape}), text);
    texts.insert(text);
  }
  EXPECT_EQ(texts.size(), std::size(kOwnTexts));
  EXPECT_EQ(this->vault().counters().minted, 2U);  // one row each, whatever the shapes
  // Another length is another text, and not a piece of the first.
  const std::string six =
      mint(this->vault(), email, "a@b.fr", {.shape = Shape::digits, .length = 6});
  EXPECT_EQ(six.size(), 6U);
  EXPECT_EQ(texts.count(six), 0U);
  for (const std::string& text : texts) EXPECT_FALSE(text.starts_with(six));
}

TYPED_TEST(ShapedVaultTest, OneRowForAllShapesAndTheTokenItself) {
  const Binding email = this->bind(email_tokens());
  auto batch = batch_of({"a@b.fr", "a@b.fr", "a@b.fr", "a@b.fr"}, email, Kind::email);
  batch->jobs[0].shape = Shape::uuid;
  batch->jobs[1].shape = Shape::email;
  batch->jobs[2].shape = Shape::hex16;
  batch->jobs[3].shape = Shape::uuid;
  ASSERT_EQ(run(this->vault(), batch), ResolveStatus::ok);
  for (const MintJob& job : batch->jobs) EXPECT_EQ(job.id, batch->jobs[0].id);
  EXPECT_EQ(batch->jobs[1].shaped_size, 0U);
  EXPECT_EQ(batch->jobs[0].shaped_text(), batch->jobs[3].shaped_text());
  EXPECT_EQ(batch->jobs[2].shaped_size, 16U);
  EXPECT_EQ(this->vault().counters().minted, 1U);
  EXPECT_EQ(mint(this->vault(), email, "a@b.fr", {.shape = Shape::uuid}),
            batch->jobs[0].shaped_text());
}

TYPED_TEST(ShapedVaultTest, ARowFoundAgainGetsTheTextItLacks) {
  const Binding email = this->bind(email_tokens());
  const std::string token = mint(this->vault(), email, "a@b.fr");
  const std::uint64_t before = this->vault().counters().commits;
  const std::string text = mint(this->vault(), email, "a@b.fr", {.shape = Shape::uuid});
  EXPECT_EQ(text.size(), 36U);
  EXPECT_EQ(this->vault().counters().commits, before + 1);
  EXPECT_EQ(mint(this->vault(), email, "a@b.fr", {.shape = Shape::uuid}), text);
  EXPECT_EQ(this->vault().counters().commits, before + 1);  // now it is only looked up
  EXPECT_EQ(mint(this->vault(), email, "a@b.fr"), token);
  EXPECT_EQ(this->vault().counters().minted, 1U);
}

TYPED_TEST(ShapedVaultTest, DomainsCannotBeJoined) {
  for (const Shape shape : kOwnTexts) {
    EXPECT_NE(mint(this->vault(), this->bind(email_tokens()), "a@b.fr", {.shape = shape}),
              mint(this->vault(), this->bind(email_tokens("contact", "mailing")), "a@b.fr",
                   {.shape = shape}));
  }
}

TYPED_TEST(ShapedVaultTest, ATinyShapeCollidesAndEveryRowKeepsItsOwnText) {
  const Binding email = this->bind(email_tokens());
  const Wish six{.shape = Shape::digits, .length = 6};
  // Of 3000 values among 900 000 texts five pairs are expected to meet; that none does has a chance
  // of 7 in 1000, so twice as many are asked: then it is less than 1 in 10^8.
  constexpr int kValues = 6000;
  std::vector<std::string> texts;
  std::set<std::string> seen;
  for (int begin = 0; begin < kValues; begin += 500) {
    std::vector<std::string> values;
    for (int i = begin; i < begin + 500; ++i) values.push_back(std::to_string(i) + "@b.fr");
    const auto batch = batch_of(values, email, Kind::email, six);
    ASSERT_EQ(run(this->vault(), batch), ResolveStatus::ok);
    for (const MintJob& job : batch->jobs) {
      texts.emplace_back(job.shaped_text());
      EXPECT_TRUE(seen.insert(texts.back()).second) << texts.back();
    }
  }
  // Found again, each value has the text that it was given.
  for (int i = 0; i < kValues; i += 37) {
    EXPECT_EQ(mint(this->vault(), email, std::to_string(i) + "@b.fr", six),
              texts[static_cast<std::size_t>(i)]);
  }
}

TYPED_TEST(ShapedVaultTest, SixtyFourThreadsTwoShapesOneRowAndOneTextEach) {
  const Binding email = this->bind(email_tokens());
  std::vector<std::thread> threads;
  std::vector<std::string> texts(64);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    threads.emplace_back([&, i] {
      const Shape shape = i % 2 == 0 ? Shape::uuid : Shape::phone;
      texts[i] = mint(this->vault(), email, "same@example.org", Wish{.shape = shape});
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], texts[i % 2]) << i;
  EXPECT_EQ(texts[0].size(), 36U);
  EXPECT_EQ(texts[1].size(), 16U);
  EXPECT_EQ(this->vault().counters().minted, 1U);
}

TYPED_TEST(ShapedVaultTest, ShapesThatNoVaultTokenHasAreRefused) {
  const Binding email = this->bind(email_tokens());
  for (const Wish& wish :
       {Wish{.shape = Shape::ip}, Wish{.shape = Shape::ipv4}, Wish{.shape = Shape::preserve},
        Wish{.shape = Shape::digits, .length = 5}, Wish{.shape = Shape::digits, .length = 19},
        Wish{.shape = Shape::alphanumeric, .length = 33}, Wish{.shape = static_cast<Shape>(77)}}) {
    EXPECT_EQ(run(this->vault(), batch_of({"a@b.fr"}, email, Kind::email, wish)),
              ResolveStatus::sealed);
  }
  EXPECT_EQ(this->vault().counters().minted, 0U);
}

TYPED_TEST(ShapedVaultTest, RelationshipScope) {
  const Binding person = this->bind(email_tokens());
  const Binding related = this->bind(this->scoped(Scope::relationship));
  EXPECT_NE(person.key.key_id, related.key.key_id);
  const Wish one{.scope = Scope::relationship, .scope_id = {1}};
  const Wish two{.scope = Scope::relationship, .scope_id = {2}};
  const std::string token = mint(this->vault(), related, "a@b.fr", one);
  EXPECT_EQ(mint(this->vault(), related, "a@b.fr", one), token);
  EXPECT_NE(mint(this->vault(), related, "a@b.fr", two), token);
  EXPECT_NE(mint(this->vault(), related, "c@d.fr", one), token);
  EXPECT_NE(mint(this->vault(), person, "a@b.fr"), token);
  EXPECT_EQ(open_text(this->vault(), token), "a@b.fr");
}

TYPED_TEST(ShapedVaultTest, RequestScope) {
  const Binding binding = this->bind(this->scoped(Scope::request));
  const Wish first{.scope = Scope::request, .scope_id = {1}};
  auto batch = batch_of({"a@b.fr", "a@b.fr", "c@d.fr"}, binding, Kind::email, first);
  ASSERT_EQ(run(this->vault(), batch), ResolveStatus::ok);
  EXPECT_EQ(batch->jobs[0].id, batch->jobs[1].id);  // within the request
  EXPECT_NE(batch->jobs[0].id, batch->jobs[2].id);
  const std::string again =
      mint(this->vault(), binding, "a@b.fr", {.scope = Scope::request, .scope_id = {2}});
  std::string text;
  write_vault_token(binding.key.key_id, batch->jobs[0].id, text);
  EXPECT_NE(again, text);
  // Nothing finds a row of a request again, not even the same request.
  EXPECT_NE(mint(this->vault(), binding, "a@b.fr", first), text);
  EXPECT_EQ(open_text(this->vault(), text), "a@b.fr");
  EXPECT_EQ(open_text(this->vault(), again), "a@b.fr");
  const Wish shaped{.shape = Shape::uuid, .scope = Scope::request, .scope_id = {3}};
  EXPECT_EQ(mint(this->vault(), binding, "a@b.fr", shaped).size(), 36U);
}

TYPED_TEST(ShapedVaultTest, AScopeThatIsNotTheBindingsIsRefused) {
  const Binding person = this->bind(email_tokens());
  const Binding related = this->bind(this->scoped(Scope::relationship));
  EXPECT_EQ(mint(this->vault(), related, "a@b.fr"), "");
  EXPECT_EQ(mint(this->vault(), related, "a@b.fr", {.scope = Scope::relationship}), "");
  EXPECT_EQ(mint(this->vault(), related, "a@b.fr", {.scope = Scope::request, .scope_id = {1}}), "");
  EXPECT_EQ(mint(this->vault(), person, "a@b.fr", {.scope = Scope::relationship, .scope_id = {1}}),
            "");
  EXPECT_EQ(this->vault().counters().minted, 0U);
}

TYPED_TEST(ShapedVaultTest, AShapedTextLeadsToItsToken) {
  const Binding email = this->bind(email_tokens());
  const std::string token = mint(this->vault(), email, "a@b.fr");
  const Id tenant = *this->vault().tenant_id("atelier");
  const ReverseVault reverse(this->vault());
  for (const Shape shape : kOwnTexts) {
    const std::string text = mint(this->vault(), email, "a@b.fr", {.shape = shape});
    const auto found = reverse.find_shaped(tenant, text);
    ASSERT_TRUE(found) << text;
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->front().text, token);
    EXPECT_EQ(reverse.describe(found->front())->kind, Kind::email);
    EXPECT_EQ(open_text(this->vault(), found->front().text), "a@b.fr");
    // One digit further: a possible text that nobody has.
    std::string other = text;
    other.back() = other.back() == '1' ? '2' : '1';
    const auto unknown = reverse.find_shaped(tenant, other);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().kind(), ErrorKind::refused);
    EXPECT_TRUE(unknown.error().sentence().empty());
    // Somebody else's tenant does not know it either.
    EXPECT_EQ(reverse.find_shaped(Id{7}, text).error().kind(), ErrorKind::refused);
  }
}

TYPED_TEST(ShapedVaultTest, ATextOfADomainThatIsOutOfUseMayBeHidden) {
  const Binding email = this->bind(email_tokens());
  const std::string text = mint(this->vault(), email, "a@b.fr", {.shape = Shape::hex16});
  const Id tenant = *this->vault().tenant_id("atelier");
  const ReverseVault reverse(this->vault());
  KeyAdmin keys(this->vault());
  const auto look = [&] { return reverse.look_for_shaped(tenant, text).value(); };
  EXPECT_EQ(look().tokens.size(), 1U);
  EXPECT_FALSE(look().may_be_hidden);
  for (const KeyInfo& key : keys.list()) {
    if (key.record.key_class != KeyClass::domain) continue;
    ASSERT_TRUE(keys.apply(key.record.id, KeyOperation::disable));
  }
  EXPECT_TRUE(look().tokens.empty());
  EXPECT_TRUE(look().may_be_hidden);
  ASSERT_TRUE(keys.destroy_tenant(tenant));
  EXPECT_FALSE(look().may_be_hidden);
}

TYPED_TEST(ShapedVaultTest, WhatNoShapeWritesIsMalformed) {
  const Id tenant = *this->vault().tenant_id("atelier");
  for (const std::string_view text :
       {"", "a", "hello", "12345", "01234567", "+33612345678", "+999123", "1234567890123456789",
        "ABCDEF0123456789", "a@b.fr", "paravent\n", "pvv1qqqq-qqqq", "1234567890.12345678901"}) {
    const auto found = ReverseVault(this->vault()).find_shaped(tenant, text);
    ASSERT_FALSE(found) << text;
    EXPECT_EQ(found.error().kind(), ErrorKind::malformed) << text;
  }
  const auto longest = ReverseVault(this->vault()).find_shaped(tenant, std::string(100000, '1'));
  EXPECT_EQ(longest.error().kind(), ErrorKind::malformed);
}

TYPED_TEST(ShapedVaultTest, AValueWithoutAKeyIdFindsItsRowAndMakesNone) {
  ContextSpec spec{"crm",           "contact", "phone", Kind::phone, Algorithm::format_preserving,
                   EpochLength::day};
  const Id tenant = *this->vault().tenant_id("atelier");
  const ReverseVault reverse(this->vault());
  const WallTime today = this->place_.clock.now();
  EXPECT_EQ(reverse.find_bare(tenant, spec, "+33612345678", today).error().kind(),
            ErrorKind::refused);
  const Binding binding = this->bind(spec);
  const auto bare = reverse.find_bare(tenant, spec, "+33612345678", today);
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->key_id, binding.key.key_id);
  const auto description = reverse.describe(*bare);
  ASSERT_TRUE(description);
  EXPECT_EQ(description->kind, Kind::phone);
  EXPECT_EQ(description->domain, "crm");
  EXPECT_FALSE(description->verified);
  EXPECT_TRUE(description->reversible);
  // Neither another day, nor another tenant, purpose or space.
  EXPECT_FALSE(reverse.find_bare(tenant, spec, "x", today - std::chrono::hours(24)));
  EXPECT_FALSE(reverse.find_bare(tenant, spec, "x", today + std::chrono::hours(24)));
  EXPECT_FALSE(reverse.find_bare(Id{7}, spec, "x", today));
  spec.space = "mobile";
  EXPECT_FALSE(reverse.find_bare(tenant, spec, "x", today));
  spec.space = "phone";
  spec.purpose = "billing";
  EXPECT_FALSE(reverse.find_bare(tenant, spec, "x", today));
  for (const Algorithm algorithm :
       {Algorithm::vault_token, Algorithm::derived, Algorithm::sealed, Algorithm::address_random}) {
    spec.algorithm = algorithm;
    EXPECT_EQ(reverse.find_bare(tenant, spec, "x", today).error().kind(), ErrorKind::malformed);
  }
}

// What a protector makes of one value under this binding.
std::string protect(Binding binding, Kind kind, Shape shape, std::string_view value) {
  std::vector<ProtectionKey> keys;
  keys.push_back(std::move(binding.key));
  const auto protector = FieldProtector::create(keys);
  EXPECT_TRUE(protector);
  std::string out;
  EXPECT_TRUE((*protector)->protect(0, ProtectForm{.kind = kind, .shape = shape}, value, out));
  return out;
}

std::string text_of(const Result<SecretBytes>& value) {
  return value ? std::string(as_text(value->bytes())) : "(unavailable)";
}

TYPED_TEST(ShapedVaultTest, PreservedValuesOpenWithTheFieldAndTheDay) {
  const ContextSpec spec{
      "crm", "contact", "phone", Kind::phone, Algorithm::format_preserving, EpochLength::day};
  const WallTime today = this->place_.clock.now();
  const std::string value = protect(this->bind(spec), Kind::phone, Shape::preserve, "+33612345678");
  EXPECT_NE(value, "+33612345678");
  EXPECT_EQ(value.size(), 12U);
  const Id tenant = *this->vault().tenant_id("atelier");
  const ReverseVault reverse(this->vault());
  const auto open = [&](WallTime as_of, std::string_view text) {
    const auto bare = reverse.find_bare(tenant, spec, text, as_of);
    if (!bare) return std::string("(no row)");
    return text_of(reverse.open_value(*bare, reveal::Reidentifier::permit()));
  };
  EXPECT_EQ(open(today, value), "+33612345678");
  EXPECT_EQ(open(today, "pvv1"), "(unavailable)");
  EXPECT_EQ(open(today, ""), "(unavailable)");
  EXPECT_EQ(open(today + std::chrono::hours(24), value), "(no row)");
  // Tomorrow's key makes another number of it: only the day tells them apart.
  this->place_.clock.advance(std::chrono::hours(24));
  this->bind(spec);
  EXPECT_NE(open(today + std::chrono::hours(24), value), "+33612345678");
  EXPECT_EQ(open(today, value), "+33612345678");
}

TYPED_TEST(ShapedVaultTest, AddressesOpenAsTokensAndAsLiterals) {
  const Id tenant = *this->vault().tenant_id("atelier");
  const ReverseVault reverse(this->vault());
  for (const Algorithm algorithm :
       {Algorithm::address, Algorithm::address_prefix, Algorithm::address_random}) {
    const ContextSpec spec{"crm", "contact", "ip", Kind::ip, algorithm, EpochLength::day};
    for (const std::string_view address : {"192.0.2.7", "2001:db8::1"}) {
      const std::string token = protect(this->bind(spec), Kind::ip, Shape::none, address);
      EXPECT_TRUE(token.starts_with("pvi1")) << token;
      EXPECT_EQ(open_text(this->vault(), token), address);
      const auto description = reverse.describe(parse_token(token).value());
      ASSERT_TRUE(description);
      EXPECT_FALSE(description->verified);
      EXPECT_TRUE(description->reversible);
      EXPECT_EQ(description->purposes.at(0).name, "contact");
      if (algorithm == Algorithm::address_random) continue;
      const std::string literal = protect(this->bind(spec), Kind::ip, Shape::ip, address);
      const auto bare = reverse.find_bare(tenant, spec, literal, this->place_.clock.now());
      ASSERT_TRUE(bare);
      EXPECT_EQ(text_of(reverse.open_value(*bare, reveal::Reidentifier::permit())), address);
    }
  }
}

TYPED_TEST(ShapedVaultTest, SealedValuesAreDescribedAndNeverOpenedHere) {
  ContextSpec spec{"crm", "contact", "text", Kind::text, Algorithm::sealed, EpochLength::none};
  const X25519KeyPair pair = generate_x25519_key_pair();
  spec.public_key.assign(pair.public_key.begin(), pair.public_key.end());
  for (const Algorithm algorithm : {Algorithm::sealed, Algorithm::sealed_single}) {
    spec.algorithm = algorithm;
    const std::string text = protect(this->bind(spec), Kind::text, Shape::none, "Bonjour");
    EXPECT_TRUE(text.starts_with("pvs_"));
    const auto description = ReverseVault(this->vault()).describe(parse_token(text).value());
    ASSERT_TRUE(description);
    EXPECT_FALSE(description->reversible);
    EXPECT_EQ(description->domain, "crm");
    EXPECT_EQ(description->kind, Kind::text);
    EXPECT_EQ(description->purposes.at(0).name, "contact");
    EXPECT_EQ(open_text(this->vault(), text), "(unavailable)");
  }
}

// Every text is somebody else's, up to the last attempt.
class FullStore final : public MemoryTokenStore {
 public:
  Status find_aliases(std::span<const AliasKey> keys, std::span<std::optional<Id>> out) override {
    for (std::size_t i = 0; i < keys.size(); ++i)
      out[i] = ++asked == free_at ? std::nullopt : other;
    return {};
  }

  std::optional<Id> other = Id{9};
  int asked = 0;
  int free_at = 0;
};

TEST(NameSearch, GoesOnToTheLastAttemptAndNoFurther) {
  TestClock clock;
  auto catalogue =
      Catalogue::load(std::make_unique<MemoryKeyStore>(Id{1}), RootKey::ephemeral()).value();
  const Id tenant{1};
  const Id domain{2};
  const auto parent =
      catalogue->ensure_key({.key_class = KeyClass::tenant, .tenant = tenant}, kNoId, clock.now());
  ASSERT_TRUE(catalogue->ensure_key(
      {.key_class = KeyClass::domain, .tenant = tenant, .domain = domain}, *parent, clock.now()));
  const ShapeKey key = ShapeKey::open(*catalogue, tenant, domain).value();
  EXPECT_FALSE(ShapeKey::open(*catalogue, tenant, Id{3}));

  std::set<AliasKey> claimed;
  FullStore store;
  ShapedName name;
  name.key = &key;
  name.shape = Shape::digits;
  name.length = 6;
  name.id = Id{5};
  ShapedName same = name;
  ASSERT_TRUE(search_names(store, std::span(&name, 1), claimed));
  EXPECT_EQ(name.state, NameState::exhausted);
  EXPECT_EQ(store.asked, 256);
  EXPECT_TRUE(claimed.empty());

  store.asked = 0;
  store.free_at = 256;
  ASSERT_TRUE(search_names(store, std::span(&same, 1), claimed));
  EXPECT_EQ(same.state, NameState::free);
  EXPECT_EQ(same.attempt, 255);
  EXPECT_EQ(claimed.size(), 1U);

  // A retired text is nobody's and stays so.
  store.other = kNoId;
  store.asked = 0;
  store.free_at = 3;
  ShapedName third;
  third.key = &key;
  third.shape = Shape::uuid;
  third.id = Id{6};
  ASSERT_TRUE(search_names(store, std::span(&third, 1), claimed));
  EXPECT_EQ(third.attempt, 2);
}

}  // namespace
}  // namespace paravent::crypto::vault
