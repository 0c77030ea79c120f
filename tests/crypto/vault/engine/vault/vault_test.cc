// The behaviour of a vault, on disk and in memory alike.

#include "crypto/vault/engine/vault/vault.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

#include "crypto/tokens/field_protector.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

template <typename Place>
class VaultTest : public VaultFixture<Place> {
 protected:
  std::string protect(const ContextSpec& spec, std::string_view value) {
    std::vector<ProtectionKey> keys;
    keys.push_back(this->bind(spec).key);
    auto protector = FieldProtector::create(keys);
    EXPECT_TRUE(protector);
    std::string out;
    EXPECT_TRUE((*protector)->protect(0, spec.kind, value, out));
    return out;
  }
  Result<TokenDescription> describe(std::string_view text) {
    return ReverseVault(this->vault()).describe(parse_token(text).value());
  }
};

TYPED_TEST_SUITE(VaultTest, VaultPlaces);

TYPED_TEST(VaultTest, EqualValuesGetEqualTokens) {
  const Binding email = this->bind(email_tokens());
  const std::string token = mint(this->vault(), email, "jeanne@example.org");
  EXPECT_EQ(token.size(), 46U);
  EXPECT_EQ(mint(this->vault(), email, "jeanne@example.org"), token);
  EXPECT_NE(mint(this->vault(), email, "paul@example.org"), token);
  EXPECT_EQ(open_text(this->vault(), token), "jeanne@example.org");
  const VaultCounters counters = this->vault().counters();
  EXPECT_EQ(counters.minted, 2U);
  EXPECT_EQ(counters.found, 1U);
  EXPECT_FALSE(counters.degraded);
}

TYPED_TEST(VaultTest, AcrossPurposesOneTokenAcrossDomainsAndSpacesAnother) {
  const std::string token = mint(this->vault(), this->bind(email_tokens()), "a@b.fr");
  EXPECT_EQ(mint(this->vault(), this->bind(email_tokens("billing")), "a@b.fr"), token);
  EXPECT_NE(mint(this->vault(), this->bind(email_tokens("contact", "mailing")), "a@b.fr"), token);
  ContextSpec other = email_tokens();
  other.space = "employees";
  EXPECT_NE(mint(this->vault(), this->bind(other), "a@b.fr"), token);
  const auto description = this->describe(token);
  ASSERT_TRUE(description);
  std::set<std::string> purposes;
  for (const PurposeClock& purpose : description->purposes) purposes.insert(purpose.name);
  EXPECT_EQ(purposes, (std::set<std::string>{"contact", "billing"}));
}

TYPED_TEST(VaultTest, DuplicatesInsideABatchGetOneToken) {
  const Binding email = this->bind(email_tokens());
  const auto batch = batch_of({"x@y.fr", "z@y.fr", "x@y.fr"}, email, Kind::email);
  ASSERT_EQ(run(this->vault(), batch), ResolveStatus::ok);
  EXPECT_EQ(batch->jobs[0].id, batch->jobs[2].id);
  EXPECT_NE(batch->jobs[0].id, batch->jobs[1].id);
}

TYPED_TEST(VaultTest, TwoPurposesOfANewValueInOneBatchShareARow) {
  const Binding contact = this->bind(email_tokens());
  const Binding billing = this->bind(email_tokens("billing"));
  const auto batch = batch_of({"x@y.fr", "x@y.fr"}, contact, Kind::email);
  batch->jobs[1].seal_key_id = billing.seal_key_id;
  ASSERT_EQ(run(this->vault(), batch), ResolveStatus::ok);
  EXPECT_EQ(batch->jobs[0].id, batch->jobs[1].id);
  std::string text;
  write_vault_token(contact.key.key_id, batch->jobs[0].id, text);
  EXPECT_EQ(this->describe(text)->purposes.size(), 2U);
  EXPECT_EQ(open_text(this->vault(), text), "x@y.fr");
}

// Whoever only asks whether it is there leaves the row as it is, and hears whether it was made now.
TYPED_TEST(VaultTest, WhatIsOnlyWantedNewIsMadeOrLeftAlone) {
  const Binding contact = this->bind(email_tokens());
  const Binding billing = this->bind(email_tokens("billing"));
  const std::string token = mint(this->vault(), contact, "a@b.fr");
  const auto ask = [&](const std::vector<std::string>& values) {
    const auto batch = batch_of(values, billing, Kind::email);
    for (MintJob& job : batch->jobs) job.only_new = true;
    EXPECT_EQ(run(this->vault(), batch), ResolveStatus::ok);
    return batch;
  };
  const auto known = ask({"a@b.fr", "new@b.fr"});
  EXPECT_FALSE(known->jobs[0].minted);
  EXPECT_TRUE(known->jobs[1].minted);
  std::string text;
  write_vault_token(contact.key.key_id, known->jobs[0].id, text);
  EXPECT_EQ(text, token);
  EXPECT_EQ(this->describe(token)->purposes.size(), 1U) << "not for that purpose too";
  EXPECT_FALSE(ask({"new@b.fr"})->jobs[0].minted);
  const auto twice = ask({"twice@b.fr", "twice@b.fr"});
  EXPECT_FALSE(twice->jobs[0].minted) << "not for it alone";
  // Nobody remembers it as used for that purpose.
  EXPECT_FALSE(this->vault().answer_known(*batch_of({"a@b.fr"}, billing, Kind::email)));
  EXPECT_EQ(mint(this->vault(), billing, "a@b.fr"), token);
  EXPECT_EQ(this->describe(token)->purposes.size(), 2U);
}

TYPED_TEST(VaultTest, SixtyFourThreadsOneValueOneToken) {
  const Binding email = this->bind(email_tokens());
  std::vector<std::thread> threads;
  std::vector<std::string> tokens(64);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    threads.emplace_back([&, i] { tokens[i] = mint(this->vault(), email, "same@example.org"); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(tokens[0].size(), 46U);
  for (const std::string& token : tokens) EXPECT_EQ(token, tokens[0]);
  EXPECT_EQ(this->vault().counters().minted, 1U);
}

TYPED_TEST(VaultTest, WhatCannotBeAnsweredIsRefusedAsAWhole) {
  const Binding email = this->bind(email_tokens());
  auto batch = batch_of({"a@b.fr"}, email, Kind::email);
  batch->jobs[0].key_id ^= 1U;
  EXPECT_EQ(run(this->vault(), batch), ResolveStatus::sealed);
  batch = batch_of({"a@b.fr"}, email, Kind::email);
  batch->jobs[0].seal_key_id ^= 1U;
  EXPECT_EQ(run(this->vault(), batch), ResolveStatus::sealed);
  batch = batch_of({"a@b.fr"}, email, Kind::email);
  batch->jobs[0].end = 1000;  // beyond the values
  EXPECT_EQ(run(this->vault(), batch), ResolveStatus::sealed);
  EXPECT_EQ(run(this->vault(), batch_of({std::string(70000, 'a')}, email, Kind::text)),
            ResolveStatus::sealed);
  EXPECT_EQ(run(this->vault(), std::make_shared<ResolveBatch>()), ResolveStatus::ok);
  EXPECT_EQ(this->vault().counters().minted, 0U);
}

TYPED_TEST(VaultTest, BindingsAreStableWithinAnEpochAndChangeWithIt) {
  const Binding first = this->bind(email_tokens());
  const Binding again = this->bind(email_tokens());
  EXPECT_EQ(first.key.key_id, again.key.key_id);
  EXPECT_EQ(first.seal_key_id, again.seal_key_id);
  EXPECT_TRUE(first.key.key.empty());
  EXPECT_EQ(first.valid_until, WallTime(std::chrono::sys_days{std::chrono::year{2026} / 4 / 1}));
  const ContextSpec derived{"crm",       "contact",          "phone",
                            Kind::phone, Algorithm::derived, EpochLength::month};
  const Binding march = this->bind(derived);
  EXPECT_EQ(march.key.key.size(), 64U);
  this->clock().set(first.valid_until);
  const Binding april = this->bind(derived);
  EXPECT_NE(april.key.key_id, march.key.key_id);
  EXPECT_FALSE(equal_constant_time(april.key.key.bytes(), march.key.key.bytes()));
  const Binding next = this->bind(email_tokens());
  EXPECT_EQ(next.key.key_id, first.key.key_id);  // a vault token has no epoch
  EXPECT_NE(next.seal_key_id, first.seal_key_id);
}

TYPED_TEST(VaultTest, ContextsDifferInEveryPartOfTheSpec) {
  const ContextSpec base{"crm",       "contact",          "email",
                         Kind::email, Algorithm::derived, EpochLength::month};
  std::vector<ContextSpec> specs(7, base);
  specs[1].domain = "mailing";
  specs[2].purpose = "billing";
  specs[3].space = "other";
  specs[4].kind = Kind::name;
  specs[5].algorithm = Algorithm::pseudonym;
  specs[6].epoch = EpochLength::none;
  const auto bound = this->vault().bind("atelier", specs);
  ASSERT_TRUE(bound);
  std::set<std::uint32_t> ids;
  for (const Binding& binding : *bound) ids.insert(binding.key.key_id);
  EXPECT_EQ(ids.size(), specs.size());
  EXPECT_EQ((*bound)[6].valid_until, WallTime::max());
}

TYPED_TEST(VaultTest, UnknownNamesAreErrorsThatLeaveNothingBehind) {
  const std::vector<ContextSpec> specs{email_tokens(), email_tokens("nonsense")};
  const auto bound = this->vault().bind("atelier", specs);
  ASSERT_FALSE(bound);
  expect_sentence(bound.error(), ErrorKind::configuration, "purpose \"nonsense\"");
  EXPECT_FALSE(this->vault().bind("nobody", specs));
  EXPECT_FALSE(this->vault().bind("atelier", std::vector{email_tokens("contact", "nowhere")}));
}

TYPED_TEST(VaultTest, SpecsThatContradictThemselvesAreErrors) {
  const ContextSpec base{"crm",           "contact", "email", Kind::email, Algorithm::pseudonym,
                         EpochLength::day};
  const auto fails = [this](const ContextSpec& spec, std::string_view part) {
    const auto bound = this->vault().bind("atelier", std::span(&spec, 1));
    ASSERT_FALSE(bound) << part;
    expect_sentence(bound.error(), ErrorKind::configuration, part);
  };
  ContextSpec spec = base;
  spec.algorithm = Algorithm::vault_row;
  fails(spec, "cannot be bound");
  for (const Algorithm algorithm : {Algorithm::derived, Algorithm::encrypted, Algorithm::address,
                                    Algorithm::format_preserving}) {
    spec = base;
    spec.algorithm = algorithm;
    spec.scope = Scope::relationship;
    fails(spec, "scope");
    spec.scope = Scope::person;
    spec.overlap_seconds = 60;
    fails(spec, "overlap");
  }
  spec = base;
  spec.epoch = EpochLength::none;
  spec.overlap_seconds = 60;
  fails(spec, "overlap");
  spec = base;
  spec.public_key = Bytes(32, 9);
  fails(spec, "public key");
  for (const std::size_t size : {0U, 31U, 33U}) {
    spec = base;
    spec.algorithm = Algorithm::sealed;
    spec.public_key = Bytes(size, 9);
    fails(spec, "public key");
  }
  spec = base;
  spec.space.clear();
  fails(spec, "space");
}

TYPED_TEST(VaultTest, PseudonymScopesHaveRowsOfTheirOwn) {
  ContextSpec spec{"crm", "contact", "email", Kind::email, Algorithm::pseudonym, EpochLength::day};
  std::set<std::uint32_t> ids;
  std::set<std::string> contexts;
  for (const Scope scope : {Scope::person, Scope::relationship, Scope::request}) {
    spec.scope = scope;
    const Binding binding = this->bind(spec);
    ids.insert(binding.key.key_id);
    contexts.insert(binding.key.ctx);
  }
  EXPECT_EQ(ids.size(), 3U);
  EXPECT_EQ(contexts.size(), 3U);
}

TYPED_TEST(VaultTest, EpochsOverlapForAsLongAsTheSpecSays) {
  ContextSpec spec{"crm", "contact", "email", Kind::email, Algorithm::pseudonym, EpochLength::day};
  spec.overlap_seconds = 7200;
  const WallTime midnight = epoch_end(epoch_at(EpochLength::day, this->clock().now()));
  const Binding first = this->bind(spec);
  EXPECT_FALSE(first.previous);  // there was no day before
  EXPECT_EQ(first.valid_until, midnight);

  this->clock().set(midnight);
  const Binding overlap = this->bind(spec);
  ASSERT_TRUE(overlap.previous);
  EXPECT_EQ(overlap.previous->key_id, first.key.key_id);
  EXPECT_TRUE(equal_constant_time(overlap.previous->key.bytes(), first.key.key.bytes()));
  EXPECT_NE(overlap.key.key_id, first.key.key_id);
  EXPECT_EQ(overlap.valid_until, midnight + std::chrono::hours(2));
  // A rule of the same context without an overlap shares the row and not the past.
  ContextSpec without = spec;
  without.overlap_seconds = 0;
  const Binding plain = this->bind(without);
  EXPECT_EQ(plain.key.key_id, overlap.key.key_id);
  EXPECT_FALSE(plain.previous);

  this->clock().set(midnight + std::chrono::seconds(7199));
  EXPECT_TRUE(this->bind(spec).previous);
  this->clock().set(midnight + std::chrono::seconds(7200));
  const Binding after = this->bind(spec);
  EXPECT_FALSE(after.previous);
  EXPECT_EQ(after.valid_until, midnight + std::chrono::hours(24));

  // A day without traffic: the one before it is no neighbour.
  this->clock().set(midnight + std::chrono::hours(48));
  EXPECT_FALSE(this->bind(spec).previous);
}

TYPED_TEST(VaultTest, SealedRowsNameTheirRecipient) {
  ContextSpec spec{"crm", "contact", "text", Kind::text, Algorithm::sealed, EpochLength::none};
  spec.public_key = Bytes(32, 9);
  const Binding first = this->bind(spec);
  EXPECT_TRUE(first.key.key.empty());
  EXPECT_EQ(first.key.public_key, spec.public_key);
  EXPECT_EQ(this->bind(spec).key.key_id, first.key.key_id);
  spec.public_key[0] ^= 1U;
  const Binding other = this->bind(spec);
  EXPECT_NE(other.key.key_id, first.key.key_id);  // one key id names one key
  spec.algorithm = Algorithm::sealed_single;
  EXPECT_NE(this->bind(spec).key.key_id, other.key.key_id);
}

// A token that came back: yes or no, and nothing is made where the answer is no.
TYPED_TEST(VaultTest, ConfirmsTheTokensOfTheFieldsOwnContext) {
  const Binding email = this->bind(email_tokens());
  const Binding mailing = this->bind(email_tokens("contact", "mailing"));
  const auto minted = batch_of({"a@b.fr"}, email, Kind::email);
  ASSERT_EQ(run(this->vault(), minted), ResolveStatus::ok);
  const auto ask = [&](const Binding& binding, std::uint32_t token_key_id, const Id& id,
                       const std::shared_ptr<ResolveBatch>& batch) {
    batch->confirms.push_back({binding.key.key_id, token_key_id, id});
    EXPECT_FALSE(this->vault().answer_known(*batch));
    EXPECT_EQ(run(this->vault(), batch), ResolveStatus::ok);
    return batch->confirms.back().known;
  };
  const auto alone = [] { return std::make_shared<ResolveBatch>(); };
  const Id id = minted->jobs[0].id;
  Id other = id;
  other[3] ^= 1U;
  EXPECT_TRUE(ask(email, email.key.key_id, id, alone()));
  EXPECT_FALSE(ask(email, email.key.key_id, other, alone()));
  EXPECT_FALSE(ask(email, mailing.key.key_id, id, alone()));
  EXPECT_FALSE(ask(mailing, email.key.key_id, id, alone()));
  EXPECT_FALSE(ask(mailing, mailing.key.key_id, id, alone()));
  // Beside a value that is to be minted.
  const auto with_job = [&] { return batch_of({"new@b.fr"}, email, Kind::email); };
  EXPECT_FALSE(ask(email, email.key.key_id, other, with_job()));
  EXPECT_EQ(this->vault().counters().minted, 1U);
  const auto both = with_job();
  EXPECT_TRUE(ask(email, email.key.key_id, id, both));
  EXPECT_EQ(this->vault().counters().minted, 2U);
  std::string text;
  write_vault_token(email.key.key_id, both->jobs[0].id, text);
  EXPECT_EQ(open_text(this->vault(), text), "new@b.fr");
}

TYPED_TEST(VaultTest, LastContactMovesOnceADayAndTheRowFollowsTheEpoch) {
  Binding email = this->bind(email_tokens());
  const std::string token = mint(this->vault(), email, "a@b.fr");
  const auto march = this->describe(token).value();
  const std::uint64_t commits = this->vault().counters().commits;
  mint(this->vault(), email, "a@b.fr");
  EXPECT_EQ(this->vault().counters().commits, commits);  // same day: nothing written
  this->clock().advance(std::chrono::hours(24));
  EXPECT_EQ(mint(this->vault(), email, "a@b.fr"), token);
  EXPECT_EQ(this->vault().counters().commits, commits + 1);
  const auto next_day = this->describe(token).value();
  EXPECT_EQ(next_day.purposes[0].created, march.purposes[0].created);
  EXPECT_EQ(next_day.purposes[0].last_contact,
            march.purposes[0].last_contact + std::chrono::hours(24));
  this->clock().set(email.valid_until);
  email = this->bind(email_tokens());
  EXPECT_EQ(mint(this->vault(), email, "a@b.fr"), token);
  EXPECT_GT(this->describe(token)->epoch, march.epoch);
  EXPECT_EQ(open_text(this->vault(), token), "a@b.fr");
}

TYPED_TEST(VaultTest, AnotherPurposeDoesNotTakeTheRowOver) {
  ContextSpec billing_spec = email_tokens("billing");
  billing_spec.epoch = EpochLength::none;
  const Binding billing = this->bind(billing_spec);
  const Binding contact = this->bind(email_tokens());
  const std::string token = mint(this->vault(), billing, "a@b.fr");
  mint(this->vault(), contact, "a@b.fr");
  EXPECT_EQ(this->describe(token)->epoch.length, EpochLength::none);
  EXPECT_EQ(this->describe(token)->purposes.size(), 2U);
}

TYPED_TEST(VaultTest, DescribesEveryAlgorithm) {
  for (const Algorithm algorithm :
       {Algorithm::derived, Algorithm::encrypted, Algorithm::pseudonym}) {
    const ContextSpec spec{"mailing",  "billing", "clients",
                           Kind::name, algorithm, EpochLength::month};
    const std::string text = this->protect(spec, "Dupont");
    const auto description = this->describe(text);
    ASSERT_TRUE(description) << text;
    EXPECT_EQ(description->tenant, "atelier");
    EXPECT_EQ(description->tenant_id, *this->vault().tenant_id("atelier"));
    EXPECT_EQ(description->domain, "mailing");
    EXPECT_EQ(description->space, "clients");
    EXPECT_EQ(description->kind, Kind::name);
    EXPECT_EQ(description->algorithm, algorithm);
    ASSERT_EQ(description->purposes.size(), 1U);
    EXPECT_EQ(description->purposes[0].name, "billing");
    EXPECT_EQ(description->purposes[0].created,
              WallTime(std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}));
    EXPECT_EQ(description->reversible, algorithm != Algorithm::pseudonym);
    EXPECT_EQ(open_text(this->vault(), text),
              algorithm == Algorithm::pseudonym ? "(unavailable)" : "Dupont");
  }
}

TYPED_TEST(VaultTest, UnknownForeignAndAlteredAnswerAlike) {
  const Binding email = this->bind(email_tokens());
  const std::string token = mint(this->vault(), email, "a@b.fr");
  const std::string derived = this->protect(
      {"crm", "contact", "phone", Kind::phone, Algorithm::derived, EpochLength::month},
      "+33612345678");
  std::vector<ParsedToken> wrong;
  for (const std::string& text : {token, derived}) {
    const ParsedToken good = parse_token(text).value();
    for (int bit = 0; bit < 32; ++bit) {
      wrong.push_back(good);
      wrong.back().key_id ^= 1U << bit;
    }
    for (const Algorithm algorithm :
         {Algorithm::encrypted, Algorithm::sealed, Algorithm::vault_row, Algorithm::pseudonym}) {
      wrong.push_back(good);
      wrong.back().algorithm = algorithm;
    }
  }
  ParsedToken seal = parse_token(token).value();
  seal.key_id = email.seal_key_id;
  wrong.push_back(seal);
  ParsedToken crossed = parse_token(derived).value();
  crossed.key_id = parse_token(token)->key_id;
  wrong.push_back(crossed);
  for (const ParsedToken& bad : wrong) {
    const auto description = ReverseVault(this->vault()).describe(bad);
    ASSERT_FALSE(description);
    EXPECT_EQ(description.error().kind(), ErrorKind::refused);
    EXPECT_TRUE(description.error().sentence().empty());
  }
  // Payload: every altered bit is one and the same failure to open.
  for (const std::string& text : {token, derived}) {
    const ParsedToken good = parse_token(text).value();
    for (std::size_t bit = 0; bit < good.payload.size() * 8; ++bit) {
      ParsedToken bad = good;
      bad.payload[bit / 8] = static_cast<std::uint8_t>(bad.payload[bit / 8] ^ (1U << (bit % 8)));
      const auto value =
          ReverseVault(this->vault()).open_value(bad, "contact", reveal::Reidentifier::permit());
      ASSERT_FALSE(value) << bit;
      EXPECT_EQ(value.error().kind(), ErrorKind::refused);
      EXPECT_TRUE(value.error().sentence().empty());
    }
  }
}

// Whoever asks for a token of another tenant is answered as for one that nobody has, before the
// token's row is looked at.
TYPED_TEST(VaultTest, AForeignTokenIsAnUnknownOne) {
  const std::string stored = mint(this->vault(), this->bind(email_tokens()), "a@b.fr");
  ContextSpec derived_spec = email_tokens();
  derived_spec.algorithm = Algorithm::derived;
  const std::string derived = this->protect(derived_spec, "a@b.fr");
  const ReverseVault reverse(this->vault());
  for (const std::string& text : {stored, derived}) {
    const ParsedToken token = parse_token(text).value();
    const Id own = reverse.describe(token)->tenant_id;
    KeyMemo memo;
    const auto description = reverse.describe(token, own, memo);
    ASSERT_TRUE(description);
    EXPECT_EQ(description->tenant, "atelier");
    Id stranger = own;
    stranger[3] = static_cast<std::uint8_t>(stranger[3] ^ 1U);
    ParsedToken unknown = token;
    unknown.key_id ^= 0x10000;
    for (const auto& answer :
         {reverse.describe(token, stranger, memo), reverse.describe(unknown, own, memo),
          reverse.describe(unknown, stranger, memo)}) {
      ASSERT_FALSE(answer);
      EXPECT_EQ(answer.error().kind(), ErrorKind::refused);
      EXPECT_TRUE(answer.error().sentence().empty());
    }
  }
}

TYPED_TEST(VaultTest, AClockBehindMakesNoNewKeys) {
  this->bind(email_tokens());
  this->clock().advance(std::chrono::seconds(-4));
  EXPECT_TRUE(this->vault().bind("atelier", std::vector{email_tokens("billing")}));
  this->clock().advance(std::chrono::hours(-24 * 40));
  const auto bound = this->vault().bind("atelier", std::vector{email_tokens()});
  ASSERT_TRUE(bound);
  EXPECT_FALSE(bound->front().available);
}

TYPED_TEST(VaultTest, AuditKeysAreStableAndApart) {
  const auto tenant = this->vault().tenant_id("atelier");
  const auto seed = this->vault().audit_signing_seed(std::nullopt);
  const auto tenant_seed = this->vault().audit_signing_seed(tenant);
  ASSERT_TRUE(seed && tenant_seed);
  EXPECT_EQ(seed->size(), 32U);
  EXPECT_FALSE(equal_constant_time(seed->bytes(), tenant_seed->bytes()));
  EXPECT_TRUE(
      equal_constant_time(seed->bytes(), this->vault().audit_signing_seed(std::nullopt)->bytes()));
  const WallTime now = this->clock().now();
  const auto march = this->vault().audit_detail_key(tenant, now);
  ASSERT_TRUE(march);
  EXPECT_TRUE(equal_constant_time(
      march->bytes(),
      this->vault().audit_detail_key(tenant, now + std::chrono::hours(48))->bytes()));
  const WallTime later = now + std::chrono::hours(24 * 31);
  const auto early = this->vault().audit_detail_key(tenant, later);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().kind(), ErrorKind::refused);
  this->clock().set(later);
  const auto april = this->vault().audit_detail_key(tenant, later);
  ASSERT_TRUE(april);
  EXPECT_FALSE(equal_constant_time(march->bytes(), april->bytes()));
  EXPECT_FALSE(equal_constant_time(april->bytes(),
                                   this->vault().audit_detail_key(std::nullopt, later)->bytes()));
  // A month that has passed keeps its key, and gets none when it never had one.
  EXPECT_TRUE(
      equal_constant_time(march->bytes(), this->vault().audit_detail_key(tenant, now)->bytes()));
  EXPECT_FALSE(this->vault().audit_detail_key(std::nullopt, now));
}

TYPED_TEST(VaultTest, ManyWritersAreAllAnswered) {
  const Binding email = this->bind(email_tokens());
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        // Half of the values are shared by all threads.
        const std::string value =
            (i % 2 == 0 ? "all" : "t" + std::to_string(t)) + std::to_string(i) + "@example.org";
        if (!mint(this->vault(), email, value).empty()) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 400);
  const VaultCounters counters = this->vault().counters();
  EXPECT_EQ(counters.minted, 8U * 25U + 25U);
  EXPECT_EQ(counters.minted + counters.found, 400U);
  EXPECT_LE(counters.commits, counters.minted);
}

TYPED_TEST(VaultTest, BeyondTheLimitABatchIsOverloadedAndStillAnswered) {
  const Binding email = this->bind(email_tokens());
  // A callback that does not return holds the vault's threads, so the queue fills up.
  std::promise<void> entered;
  std::promise<void> release;
  auto blocked = batch_of({"first@example.org"}, email, Kind::email);
  mint(this->vault(), email, "first@example.org");
  blocked->done = [&] {
    entered.set_value();
    release.get_future().wait();
  };
  this->vault().resolve(blocked);
  entered.get_future().wait();
  std::atomic<int> answered{0};
  std::vector<std::shared_ptr<ResolveBatch>> batches;
  for (int i = 0; i < 9000; ++i) {
    batches.push_back(batch_of({"first@example.org"}, email, Kind::email));
    batches.back()->done = [&] { ++answered; };
    this->vault().resolve(batches.back());
  }
  release.set_value();
  while (answered < 9000) std::this_thread::yield();
  const auto overloaded = std::count_if(batches.begin(), batches.end(), [](const auto& batch) {
    return batch->status == ResolveStatus::overloaded;
  });
  EXPECT_EQ(overloaded, 9000 - 8192);
  EXPECT_EQ(this->vault().counters().overloaded_batches, 9000U - 8192U);
}

}  // namespace
}  // namespace paravent::crypto::vault
