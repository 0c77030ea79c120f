// The staircase cannot skip a step: what does not compile, and what is refused, with a real vault
// and real logs; and what it gives at each level when every ticket is right.

#include <gtest/gtest.h>

#include <future>
#include <type_traits>

#include "crypto/reveal/reidentifier.h"
#include "crypto/tokens/field_protector.h"
#include "tests/crypto/audit/audit_support.h"

namespace paravent::crypto::reveal {
namespace {

// No ticket can be made by hand or copied.
static_assert(!std::is_default_constructible_v<Grant>);
static_assert(!std::is_copy_constructible_v<Grant> && !std::is_copy_assignable_v<Grant>);
static_assert(!std::is_aggregate_v<Grant> && std::is_move_constructible_v<Grant>);
static_assert(!std::is_default_constructible_v<Principal> && !std::is_aggregate_v<Principal>);
static_assert(!std::is_constructible_v<Principal, std::string, std::string, vault::Id>);
static_assert(!std::is_constructible_v<Principal, std::shared_ptr<const StaircaseMark>, std::string,
                                       std::string, const vault::Id&>);
static_assert(!std::is_default_constructible_v<DescribedToken>);
static_assert(!std::is_constructible_v<DescribedToken, std::shared_ptr<const StaircaseMark>,
                                       const TokenDigest&, vault::TokenDescription>);
static_assert(!std::is_default_constructible_v<GrantAuthority>);
static_assert(!std::is_constructible_v<GrantAuthority, std::shared_ptr<const StaircaseMark>>);
static_assert(!std::is_copy_constructible_v<GrantAuthority>);
static_assert(!std::is_default_constructible_v<PrincipalAuthority>);
static_assert(!std::is_constructible_v<PrincipalAuthority, std::shared_ptr<const StaircaseMark>>);
static_assert(!std::is_copy_constructible_v<PrincipalAuthority>);
static_assert(!std::is_default_constructible_v<Reidentifier>);
static_assert(
    !std::is_constructible_v<Reidentifier, std::shared_ptr<const StaircaseMark>, vault::Vault&>);
static_assert(!std::is_default_constructible_v<audit::AuditReceipt>);
static_assert(!std::is_copy_constructible_v<audit::AuditReceipt>);
static_assert(!std::is_default_constructible_v<vault::OpeningPermit>);
static_assert(!std::is_copy_constructible_v<vault::OpeningPermit>);

// reidentify takes its tickets away: neither an lvalue nor a missing one will do.
template <typename... Arguments>
concept Reveals = requires(const Reidentifier& reidentifier, Arguments&&... arguments) {
  reidentifier.reidentify(std::forward<Arguments>(arguments)...);
};
static_assert(Reveals<const ParsedToken&, Grant, audit::AuditReceipt>);
static_assert(!Reveals<const ParsedToken&, Grant&, audit::AuditReceipt>);
static_assert(!Reveals<const ParsedToken&, Grant, audit::AuditReceipt&>);
static_assert(!Reveals<const ParsedToken&, Grant>);
static_assert(!Reveals<const ParsedToken&, audit::AuditReceipt>);
static_assert(!Reveals<const ParsedToken&>);
// Nor is there a shorter way for a value whose text names no key.
static_assert(Reveals<const vault::BareValue&, Grant, audit::AuditReceipt>);
static_assert(!Reveals<const vault::BareValue&, Grant&, audit::AuditReceipt>);
static_assert(!Reveals<const vault::BareValue&, Grant>);
static_assert(!Reveals<const vault::BareValue&>);

class StaircaseTest : public testing::Test {
 protected:
  StaircaseTest() {
    const std::vector<vault::PolicyNames> names{{"atelier", {"crm"}, {"contact", "billing"}},
                                                {"other", {"crm"}, {"contact"}}};
    EXPECT_TRUE(vault_->admit_names(names).has_value());
    tenant_ = vault_->tenant_id("atelier").value();
    other_tenant_ = vault_->tenant_id("other").value();
    log_ = open_log(vault::id_hex(tenant_));
    token_ = token_of("marie.curie@gmail.com");
  }

  std::unique_ptr<audit::AuditLog> open_log(const std::string& id) {
    auto log = audit::AuditLog::open(folder_.path("audit/" + id),
                                     audit::audit_origin(std::string(32, 'a'), id),
                                     audit::test_seed(), keys_, clock_);
    EXPECT_TRUE(log.has_value());
    return std::move(*log);
  }

  ParsedToken token_of(std::string_view value, Algorithm algorithm = Algorithm::vault_token,
                       const std::string& tenant = "atelier") {
    const vault::ContextSpec spec{"crm",       "contact", "email",
                                  Kind::email, algorithm, EpochLength::none};
    auto bound = vault_->bind(tenant, std::span(&spec, 1));
    EXPECT_TRUE(bound.has_value());
    std::string text;
    if (algorithm == Algorithm::vault_token) {
      auto batch = std::make_shared<vault::ResolveBatch>();
      batch->values = value;
      vault::MintJob job;
      job.key_id = bound->front().key.key_id;
      job.seal_key_id = bound->front().seal_key_id;
      job.kind = Kind::email;
      job.end = static_cast<std::uint32_t>(value.size());
      batch->jobs.push_back(job);
      std::promise<void> answered;
      batch->done = [&] { answered.set_value(); };
      vault_->resolve(batch);
      answered.get_future().wait();
      EXPECT_EQ(batch->status, vault::ResolveStatus::ok);
      write_vault_token(job.key_id, batch->jobs[0].id, text);
    } else {
      std::vector<ProtectionKey> slots;
      slots.push_back(std::move(bound->front().key));
      EXPECT_TRUE((*FieldProtector::create(slots))->protect(0, Kind::email, value, text));
    }
    return parse_token(text).value();
  }

  Principal dpo() const { return stairs_.authentication.authenticated("marie", "dpo", tenant_); }

  Grant grant_for(const ParsedToken& token, RevealLevel level = RevealLevel::clear) {
    const auto described = stairs_.reidentifier->describe(token);
    EXPECT_TRUE(described.has_value());
    return stairs_.access.issue(dpo(), *described, "contact", level).value();
  }

  std::string reveal(const ParsedToken& token, Grant grant, audit::AuditReceipt receipt) {
    const auto value =
        stairs_.reidentifier->reidentify(token, std::move(grant), std::move(receipt));
    if (value) return std::string(as_text(value->bytes()));
    EXPECT_EQ(value.error().kind(), ErrorKind::refused);
    EXPECT_EQ(value.error().sentence(), "");
    return "(refused)";
  }

  audit::AuditReceipt receipt_for(const Grant& grant) {
    return log_->append(grant.audit_entry("case 1")).value();
  }

  audit::TempFolder folder_;
  audit::TestClock clock_;
  audit::TestKeys keys_;
  std::unique_ptr<vault::Vault> vault_ = vault::Vault::in_memory(clock_).value();
  Staircase stairs_ = build_staircase(*vault_);
  vault::Id tenant_{};
  vault::Id other_tenant_{};
  std::unique_ptr<audit::AuditLog> log_;
  ParsedToken token_;
};

TEST_F(StaircaseTest, EveryStepTaken) {
  Grant grant = grant_for(token_);
  auto receipt = receipt_for(grant);
  EXPECT_EQ(reveal(token_, std::move(grant), std::move(receipt)), "marie.curie@gmail.com");
  // The record says who, why and what, and holds no value.
  const auto records = log_->read(0, 10);
  ASSERT_EQ(records->size(), 1U);
  const audit::AuditDetail& detail = *(*records)[0].detail;
  EXPECT_EQ(detail.operator_name, "marie");
  EXPECT_EQ(detail.role, "dpo");
  EXPECT_EQ(detail.purpose, "contact");
  EXPECT_EQ(detail.reason, "case 1");
  EXPECT_EQ(detail.tokens.front().digest, token_digest(token_));
  EXPECT_EQ(detail.tokens.front().key_id, token_.key_id);
}

TEST_F(StaircaseTest, EveryLevel) {
  Grant masked = grant_for(token_, RevealLevel::masked);
  auto first = receipt_for(masked);
  EXPECT_EQ(reveal(token_, std::move(masked), std::move(first)), "m*** @ gmail.com");
  Grant replaced = grant_for(token_, RevealLevel::replaced);
  auto second = receipt_for(replaced);
  EXPECT_EQ(reveal(token_, std::move(replaced), std::move(second)), kReplacement);
}

TEST_F(StaircaseTest, DerivedAndEncryptedTokensToo) {
  for (const Algorithm algorithm : {Algorithm::derived, Algorithm::encrypted}) {
    const ParsedToken token = token_of("paul@example.org", algorithm);
    Grant grant = grant_for(token);
    auto receipt = receipt_for(grant);
    EXPECT_EQ(reveal(token, std::move(grant), std::move(receipt)), "paul@example.org");
  }
}

TEST_F(StaircaseTest, AGrantForAnotherToken) {
  const ParsedToken other = token_of("paul@example.org");
  Grant grant = grant_for(other);
  auto receipt = receipt_for(grant);
  EXPECT_EQ(reveal(token_, std::move(grant), std::move(receipt)), "(refused)");
}

TEST_F(StaircaseTest, AReceiptForAnotherGrant) {
  Grant grant = grant_for(token_);
  const Grant twin = grant_for(token_);  // same token, principal, purpose and level
  EXPECT_EQ(reveal(token_, std::move(grant), receipt_for(twin)), "(refused)");
  Grant clear = grant_for(token_, RevealLevel::clear);
  const Grant masked = grant_for(token_, RevealLevel::masked);
  EXPECT_EQ(reveal(token_, std::move(clear), receipt_for(masked)), "(refused)");
}

TEST_F(StaircaseTest, AReceiptOfARefusalOrOfAnotherEvent) {
  for (const auto& [event, outcome] :
       {std::pair{audit::EventKind::reveal, audit::Outcome::refused},
        std::pair{audit::EventKind::reveal, audit::Outcome::failed},
        std::pair{audit::EventKind::refusal, audit::Outcome::done}}) {
    Grant grant = grant_for(token_);
    audit::AuditEntry entry = grant.audit_entry("case 1");
    entry.event = event;
    entry.outcome = outcome;
    EXPECT_EQ(reveal(token_, std::move(grant), log_->append(entry).value()), "(refused)");
  }
}

TEST_F(StaircaseTest, AReceiptOfAnotherLog) {
  const auto installation = open_log(std::string(audit::kInstallationLog));
  Grant grant = grant_for(token_);
  auto receipt = installation->append(grant.audit_entry("case 1"));
  EXPECT_EQ(reveal(token_, std::move(grant), std::move(*receipt)), "(refused)");
}

TEST_F(StaircaseTest, TicketsAreSpent) {
  Grant grant = grant_for(token_);
  auto receipt = receipt_for(grant);
  Grant taken = std::move(grant);
  EXPECT_FALSE(grant.valid());  // NOLINT(bugprone-use-after-move): spent is what is asserted
  auto again = receipt_for(taken);
  EXPECT_EQ(reveal(token_, std::move(grant), std::move(receipt)), "(refused)");
  const auto spent = std::move(again);
  EXPECT_EQ(reveal(token_, std::move(taken), std::move(again)), "(refused)");
}

TEST_F(StaircaseTest, TicketsOfAnotherStaircase) {
  const Staircase foreign = build_staircase(*vault_);
  const auto described = foreign.reidentifier->describe(token_);
  const Principal stranger = foreign.authentication.authenticated("marie", "dpo", tenant_);
  const auto level = RevealLevel::clear;
  EXPECT_FALSE(stairs_.access.issue(stranger, *described, "contact", level).has_value());
  EXPECT_FALSE(stairs_.access.issue(dpo(), *described, "contact", level).has_value());
  Grant grant = foreign.access.issue(stranger, *described, "contact", level).value();
  auto receipt = receipt_for(grant);
  EXPECT_EQ(reveal(token_, std::move(grant), std::move(receipt)), "(refused)");
}

TEST_F(StaircaseTest, WhatNoDecisionCanAllow) {
  const auto described = stairs_.reidentifier->describe(token_);
  const auto level = RevealLevel::clear;
  EXPECT_TRUE(stairs_.access.issue(dpo(), *described, "contact", level).has_value());
  EXPECT_FALSE(stairs_.access.issue(dpo(), *described, "billing", level).has_value());
  EXPECT_FALSE(stairs_.access.issue(dpo(), *described, "", level).has_value());
  const Principal outsider = stairs_.authentication.authenticated("marie", "dpo", other_tenant_);
  EXPECT_FALSE(stairs_.access.issue(outsider, *described, "contact", level).has_value());
  const Principal nobody = stairs_.authentication.authenticated("marie", "dpo", vault::kNoId);
  EXPECT_FALSE(stairs_.access.issue(nobody, *described, "contact", level).has_value());
  const auto pseudonym = stairs_.reidentifier->describe(token_of("a@b.fr", Algorithm::pseudonym));
  ASSERT_TRUE(pseudonym.has_value());
  EXPECT_FALSE(stairs_.access.issue(dpo(), *pseudonym, "contact", level).has_value());
}

TEST_F(StaircaseTest, ATokenThatIsNotWhatItsTextSays) {
  const ParsedToken other = token_of("paul@example.org");
  ParsedToken forged = token_;
  forged.payload = other.payload;
  EXPECT_FALSE(stairs_.reidentifier->describe(forged).has_value());
  Grant grant = grant_for(token_);
  auto receipt = receipt_for(grant);
  EXPECT_EQ(reveal(forged, std::move(grant), std::move(receipt)), "(refused)");
}

TEST_F(StaircaseTest, UnknownTokensAreRefusedInOneManner) {
  std::string text;
  write_vault_token(token_.key_id, std::array<std::uint8_t, 16>{1}, text);
  const auto unknown = stairs_.reidentifier->describe(parse_token(text).value());
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().kind(), ErrorKind::refused);
  EXPECT_EQ(unknown.error().sentence(), "");
}

}  // namespace
}  // namespace paravent::crypto::reveal
