// Which uses of a known token are stored, and which are answered from memory: by the retention of
// the purpose, and whether the row still lies under a current key.

#include <algorithm>
#include <chrono>

#include "crypto/vault/engine/upkeep/key_admin.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

RetentionRule three_years(bool from_contact) {
  RetentionRule rule;
  rule.from = from_contact ? CountsFrom::contact : CountsFrom::collection;
  rule.active = {36, 0};
  return rule;
}

// Whether a use is answered without asking the store.
bool is_known(Vault& vault, const Binding& binding, std::string_view value) {
  return vault.answer_known(*batch_of({std::string(value)}, binding, Kind::email));
}

template <typename Place>
class TokenUses : public VaultFixture<Place> {
 protected:
  Result<TokenDescription> describe(std::string_view text) {
    return ReverseVault(this->vault()).describe(parse_token(text).value());
  }
  void state_retention(const RetentionRule& rule, const char* purpose = "contact") {
    ASSERT_TRUE(KeyAdmin(this->vault())
                    .set_retentions(std::vector<PurposeRetention>{{"atelier", purpose, rule}}));
  }
  // On a day on which nobody has used it yet.
  bool is_known_tomorrow(const Binding& binding, std::string_view value) {
    this->clock().advance(std::chrono::hours(24));
    return is_known(this->vault(), binding, value);
  }
};

TYPED_TEST_SUITE(TokenUses, VaultPlaces);

TYPED_TEST(TokenUses, ADayIsNotNotedWhereNothingCountsFromTheLastContact) {
  Binding email = this->bind(email_tokens());
  this->state_retention(three_years(false));
  const std::string token = mint(this->vault(), email, "a@b.fr");
  const auto march = this->describe(token).value();
  const std::uint64_t commits = this->vault().counters().commits;
  // Another day, and neither a write nor a question to the store.
  EXPECT_TRUE(this->is_known_tomorrow(email, "a@b.fr"));
  EXPECT_EQ(mint(this->vault(), email, "a@b.fr"), token);
  EXPECT_EQ(this->vault().counters().commits, commits);
  EXPECT_EQ(this->describe(token)->purposes[0].last_contact, march.purposes[0].last_contact);
  // Another epoch: the row follows, and says the day with it.
  this->clock().set(email.valid_until);
  email = this->bind(email_tokens());
  EXPECT_FALSE(is_known(this->vault(), email, "a@b.fr"));
  EXPECT_EQ(mint(this->vault(), email, "a@b.fr"), token);
  EXPECT_EQ(this->vault().counters().commits, commits + 1);
  const auto april = this->describe(token).value();
  EXPECT_GT(april.epoch, march.epoch);
  EXPECT_GT(april.purposes[0].last_contact, march.purposes[0].last_contact);
  EXPECT_EQ(april.purposes[0].created, march.purposes[0].created);
  EXPECT_EQ(open_text(this->vault(), token), "a@b.fr");
  EXPECT_TRUE(is_known(this->vault(), email, "a@b.fr"));
}

TYPED_TEST(TokenUses, ARetentionThatCountsFromTheLastContactHasDaysNotedAtOnce) {
  const Binding email = this->bind(email_tokens());
  this->state_retention(three_years(false));
  const std::string token = mint(this->vault(), email, "a@b.fr");
  const auto first = this->describe(token).value();
  EXPECT_TRUE(this->is_known_tomorrow(email, "a@b.fr"));
  this->state_retention(three_years(true));
  EXPECT_FALSE(is_known(this->vault(), email, "a@b.fr"));
  EXPECT_EQ(mint(this->vault(), email, "a@b.fr"), token);
  EXPECT_EQ(this->describe(token)->purposes[0].last_contact,
            first.purposes[0].last_contact + std::chrono::hours(24));
  EXPECT_FALSE(this->is_known_tomorrow(email, "a@b.fr"));
  // And no more, once nothing counts from it.
  this->state_retention(three_years(false));
  mint(this->vault(), email, "a@b.fr");
  EXPECT_TRUE(this->is_known_tomorrow(email, "a@b.fr"));
}

// Like a shorter retention, one that counts otherwise may wait for somebody to confirm it: days are
// noted from then on, so that they are there when it comes.
TYPED_TEST(TokenUses, DaysAreNotedForARetentionThatWaitsForConsent) {
  const Binding email = this->bind(email_tokens());
  KeyAdmin keys(this->vault());
  this->state_retention(three_years(false));
  mint(this->vault(), email, "a@b.fr");
  RetentionRule shorter = three_years(true);
  shorter.active = {12, 0};
  this->state_retention(shorter);
  ASSERT_EQ(keys.freeze_info().pending.size(), 1U);
  EXPECT_FALSE(is_known(this->vault(), email, "a@b.fr"));
  mint(this->vault(), email, "a@b.fr");
  EXPECT_FALSE(this->is_known_tomorrow(email, "a@b.fr"));
  ASSERT_TRUE(keys.confirm());
  EXPECT_FALSE(is_known(this->vault(), email, "a@b.fr"));
  // The other way round they are noted until it holds, and no longer.
  shorter.from = CountsFrom::collection;
  shorter.active = {6, 0};
  this->state_retention(shorter);
  mint(this->vault(), email, "a@b.fr");
  EXPECT_FALSE(this->is_known_tomorrow(email, "a@b.fr"));
  ASSERT_TRUE(keys.confirm());
  mint(this->vault(), email, "a@b.fr");
  EXPECT_TRUE(this->is_known_tomorrow(email, "a@b.fr"));
}

// A policy load that is undone: what is served counts from the last contact again.
TYPED_TEST(TokenUses, DaysAreNotedAgainWhenALoadIsUndone) {
  const Binding email = this->bind(email_tokens());
  KeyAdmin keys(this->vault());
  const std::vector<PurposeRetention> served{{"atelier", "contact", three_years(true)}};
  RetentionRule longer = three_years(false);
  longer.active = {60, 0};
  ASSERT_TRUE(keys.set_retentions(served));
  this->state_retention(longer);
  mint(this->vault(), email, "a@b.fr");
  ASSERT_TRUE(this->is_known_tomorrow(email, "a@b.fr"));
  ASSERT_TRUE(keys.count_from(served));
  EXPECT_FALSE(is_known(this->vault(), email, "a@b.fr"));
  // Nothing became shorter by it.
  EXPECT_TRUE(keys.freeze_info().pending.empty());
  EXPECT_FALSE(keys.freeze_info().keeper.frozen());
}

// Before the new epoch's key is bound a use is noted under the old one; the day is no excuse.
TYPED_TEST(TokenUses, ARowFollowsTheEpochOnItsFirstDayToo) {
  Binding email = this->bind(email_tokens());
  const std::string token = mint(this->vault(), email, "a@b.fr");
  const Epoch march = this->describe(token)->epoch;
  this->clock().set(email.valid_until);
  mint(this->vault(), email, "a@b.fr");
  EXPECT_TRUE(is_known(this->vault(), email, "a@b.fr"));
  EXPECT_EQ(this->describe(token)->epoch, march);
  email = this->bind(email_tokens());
  EXPECT_FALSE(is_known(this->vault(), email, "a@b.fr"));
  EXPECT_EQ(mint(this->vault(), email, "a@b.fr"), token);
  EXPECT_GT(this->describe(token)->epoch, march);
}

// The row lies under another purpose's key, whose epoch goes on: a use brings it along, though the
// asking purpose has no epochs. What lies in other spaces stays known.
TYPED_TEST(TokenUses, ARowFollowsTheEpochOfThePurposeThatItLiesUnder) {
  ContextSpec billing_spec = email_tokens("billing");
  billing_spec.epoch = EpochLength::none;
  ContextSpec apart_spec = billing_spec;
  apart_spec.space = "employees";
  Binding contact = this->bind(email_tokens());
  const Binding billing = this->bind(billing_spec);
  const Binding apart = this->bind(apart_spec);
  this->state_retention(three_years(false), "contact");
  this->state_retention(three_years(false), "billing");
  const std::string token = mint(this->vault(), contact, "a@b.fr");
  mint(this->vault(), billing, "a@b.fr");
  const Epoch march = this->describe(token)->epoch;
  EXPECT_TRUE(is_known(this->vault(), billing, "a@b.fr"));
  mint(this->vault(), apart, "a@b.fr");
  this->clock().set(contact.valid_until);
  contact = this->bind(email_tokens());
  EXPECT_FALSE(is_known(this->vault(), billing, "a@b.fr"));
  EXPECT_TRUE(is_known(this->vault(), apart, "a@b.fr"));
  EXPECT_EQ(mint(this->vault(), billing, "a@b.fr"), token);
  EXPECT_GT(this->describe(token)->epoch, march);
  EXPECT_TRUE(is_known(this->vault(), billing, "a@b.fr"));
}

// The purpose that the row lies under gives its epochs up, and another one's go on as they were.
TYPED_TEST(TokenUses, ARowFollowsWhenEpochsAreGivenUp) {
  const Binding contact = this->bind(email_tokens());
  const Binding billing = this->bind(email_tokens("billing"));
  this->state_retention(three_years(false), "contact");
  this->state_retention(three_years(false), "billing");
  const std::string token = mint(this->vault(), contact, "a@b.fr");
  mint(this->vault(), billing, "a@b.fr");
  ASSERT_TRUE(is_known(this->vault(), billing, "a@b.fr"));
  ContextSpec endless = email_tokens();
  endless.epoch = EpochLength::none;
  this->bind(endless);
  EXPECT_FALSE(is_known(this->vault(), billing, "a@b.fr"));
  EXPECT_EQ(mint(this->vault(), billing, "a@b.fr"), token);
  EXPECT_EQ(this->describe(token)->epoch.length, EpochLength::none);
}

// A clock that is set back over an epoch's beginning, and mended: what was known in between, and
// before, is asked for again.
TYPED_TEST(TokenUses, ARowFollowsAClockThatWasSetBack) {
  Binding email = this->bind(email_tokens());
  this->state_retention(three_years(false), "contact");
  this->clock().set(email.valid_until);
  email = this->bind(email_tokens());
  const std::string token = mint(this->vault(), email, "a@b.fr");
  const Epoch april = this->describe(token)->epoch;
  ASSERT_TRUE(is_known(this->vault(), email, "a@b.fr"));
  this->clock().advance(-std::chrono::hours(13));
  email = this->bind(email_tokens());
  mint(this->vault(), email, "a@b.fr");
  EXPECT_LT(this->describe(token)->epoch, april);
  this->clock().advance(std::chrono::hours(13));
  email = this->bind(email_tokens());
  EXPECT_FALSE(is_known(this->vault(), email, "a@b.fr"));
  EXPECT_EQ(mint(this->vault(), email, "a@b.fr"), token);
  EXPECT_EQ(this->describe(token)->epoch, april);
}

// A purpose that no policy names any more keeps its key until the epoch is over, and no longer:
// then its rows are taken over by the purposes that use them.
TYPED_TEST(TokenUses, ARowOfAPurposeThatWasGivenUpIsTakenOver) {
  const Binding contact = this->bind(email_tokens());
  Binding billing = this->bind(email_tokens("billing"));
  const std::string token = mint(this->vault(), contact, "a@b.fr");
  const Epoch march = this->describe(token)->epoch;
  this->clock().set(contact.valid_until);
  billing = this->bind(email_tokens("billing"));
  EXPECT_EQ(mint(this->vault(), billing, "a@b.fr"), token);
  EXPECT_GT(this->describe(token)->epoch, march);
}

// Tenants are bound by turns, and their epochs end together.
TYPED_TEST(TokenUses, AnEpochOfOneTenantIsNoEndOfWhatIsKnownOfAnother) {
  ContextSpec apart_spec = email_tokens("billing");
  apart_spec.epoch = EpochLength::none;
  apart_spec.space = "employees";
  PolicyNames second = atelier();
  second.tenant = "second";
  ASSERT_TRUE(this->vault().register_names(std::vector{second}));
  const auto bind_second = [&] {
    EXPECT_TRUE(this->vault().bind("second", std::vector{email_tokens()}));
  };
  const Binding contact = this->bind(email_tokens());
  const Binding apart = this->bind(apart_spec);
  bind_second();
  this->state_retention(three_years(false), "billing");
  mint(this->vault(), apart, "a@b.fr");
  this->clock().set(contact.valid_until);
  this->bind(email_tokens());
  EXPECT_TRUE(is_known(this->vault(), apart, "a@b.fr"));
  bind_second();
  EXPECT_TRUE(is_known(this->vault(), apart, "a@b.fr"));
}

// A key that is rotated within its epoch: no day tells its rows from those of the new one.
TYPED_TEST(TokenUses, ARowFollowsARotatedKey) {
  // Another purpose of the space, whose key stays current and began on the same day.
  this->bind(email_tokens("billing"));
  Binding email = this->bind(email_tokens());
  KeyAdmin keys(this->vault());
  this->state_retention(three_years(false));
  const std::string token = mint(this->vault(), email, "a@b.fr");
  const std::vector<KeyInfo> all = keys.list();
  const auto epoch_key = std::find_if(all.begin(), all.end(), [](const KeyInfo& key) {
    return key.record.key_class == KeyClass::epoch && key.purpose == "contact";
  });
  ASSERT_NE(epoch_key, all.end());
  ASSERT_TRUE(keys.rotate(epoch_key->record.id));
  // Before the bindings are asked for again, and after.
  mint(this->vault(), email, "a@b.fr");
  const std::uint64_t commits = this->vault().counters().commits;
  email = this->bind(email_tokens());
  EXPECT_FALSE(is_known(this->vault(), email, "a@b.fr"));
  EXPECT_EQ(mint(this->vault(), email, "a@b.fr"), token);
  EXPECT_EQ(this->vault().counters().commits, commits + 1);
  EXPECT_TRUE(is_known(this->vault(), email, "a@b.fr"));
  EXPECT_EQ(open_text(this->vault(), token), "a@b.fr");
}

// What lies under an endless key that no policy asks for any more leaves it with its next use
// behind a start. (While both are bound, in the process that reloaded, it stays.)
TEST(EndlessRows, LeaveTheirKeyWithTheirNextUseAfterAStart) {
  DiskVault place;
  ASSERT_TRUE(place.vault->admit_names(std::vector{atelier()}));
  const auto bind = [&](EpochLength epoch) {
    ContextSpec spec = email_tokens();
    spec.epoch = epoch;
    return std::move(place.vault->bind("atelier", std::span(&spec, 1)).value().front());
  };
  const auto epoch_of_row = [&](std::string_view text) {
    return ReverseVault(*place.vault).describe(parse_token(text).value()).value().epoch.length;
  };
  const std::string token = mint(*place.vault, bind(EpochLength::none), "a@b.fr");
  ASSERT_EQ(epoch_of_row(token), EpochLength::none);
  ASSERT_TRUE(place.open());
  const Binding monthly = bind(EpochLength::month);
  EXPECT_EQ(mint(*place.vault, monthly, "a@b.fr"), token);
  EXPECT_EQ(epoch_of_row(token), EpochLength::month);
  EXPECT_EQ(open_text(*place.vault, token), "a@b.fr");
}

}  // namespace
}  // namespace paravent::crypto::vault
