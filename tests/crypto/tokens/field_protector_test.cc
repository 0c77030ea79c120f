#include "crypto/tokens/field_protector.h"

#include <gtest/gtest.h>

#include <set>

#include "crypto/base/encoding.h"
#include "tests/crypto/tokens/cases.h"
#include "tests/crypto/tokens/naughty_strings.h"
#include "tests/crypto/tokens/protector_fixture.h"

namespace paravent::crypto {
namespace {

using testing::key_of;
using testing::open_token;
using testing::protector_of;
using testing::row_of;

constexpr Kind kAllKinds[] = {Kind::text, Kind::name, Kind::email, Kind::phone, Kind::ip};

std::string protect(FieldProtector& protector, Kind kind, std::string_view value,
                    std::uint32_t slot = 0) {
  std::string out;
  EXPECT_TRUE(protector.protect(slot, kind, value, out));
  return out;
}

std::string raw(const std::string& hex) { return std::string(as_text(*from_hex(hex))); }

// golden.py made the file from docs/token-format.md with other people's cryptography.
TEST(FieldProtector, GivesTheGoldenTokens) {
  const auto rows = testing::read_cases("tests/crypto/tokens/golden.tsv", 13);
  EXPECT_EQ(rows.size(), 29U);
  for (const auto& row : rows) {
    ContextRow context;
    context.algorithm = row[0] == "derived"     ? Algorithm::derived
                        : row[0] == "pseudonym" ? Algorithm::pseudonym
                                                : Algorithm::encrypted;
    context.key_id = static_cast<std::uint32_t>(std::stoul(row[1], nullptr, 16));
    context.tenant_id = raw(row[3]);
    context.domain_id = raw(row[4]);
    context.purpose_id = raw(row[5]);
    context.space_id = raw(row[6]);
    context.key_version = static_cast<std::uint32_t>(std::stoul(row[7]));
    const Kind kind = *kind_from_name(row[8]);
    context.normaliser_id = normaliser_id(kind);
    const auto key = make_protection_key(context, *from_hex(row[2]));
    ASSERT_TRUE(key);
    EXPECT_EQ(to_hex(as_bytes(key->ctx)), row[11]);
    auto protector =
        FieldProtector::create(std::span<const ProtectionKey>(&*key, 1), {},
                               {std::make_unique<testing::FixedRandom>(*from_hex(row[10])), {}});
    ASSERT_TRUE(protector);
    EXPECT_EQ(protect(**protector, kind, raw(row[9])), row[12]) << row[0] << " " << row[8];
  }
}

TEST(FieldProtector, EqualWhereItPromisesAndNowhereElse) {
  for (const Algorithm algorithm : {Algorithm::derived, Algorithm::pseudonym}) {
    const ContextRow base = row_of(algorithm, Kind::email);
    const auto token_in = [&](const ContextRow& row, std::string_view value,
                              std::uint8_t parent = 7) {
      const auto key = key_of(row, parent);
      return protect(*protector_of(key), Kind::email, value);
    };
    const std::string token = token_in(base, "a@b.example");
    EXPECT_EQ(token_in(base, "a@b.example"), token) << "another instance, the same context";
    std::vector<ContextRow> others(7, base);
    others[0].tenant_id.back() = 'x';
    others[1].domain_id.back() = 'x';
    others[2].purpose_id.back() = 'x';
    others[3].space_id.back() = 'x';
    others[4].scope_id = "r";
    others[5].key_version = 2;
    others[6].normaliser_id = normaliser_id(Kind::name);
    std::set<std::string> payloads = {token.substr(4)};
    for (const auto& row : others) payloads.insert(token_in(row, "a@b.example").substr(4));
    payloads.insert(token_in(base, "a@b.exampld").substr(4));
    payloads.insert(token_in(base, "a@b.example", 8).substr(4));  // another epoch's key
    EXPECT_EQ(payloads.size(), 10U);
  }
  const auto key = key_of(row_of(Algorithm::encrypted, Kind::email));
  const auto protector = protector_of(key);
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) tokens.insert(protect(*protector, Kind::email, "a@b.example"));
  EXPECT_EQ(tokens.size(), 100U) << "equal values give unequal ciphertexts";
}

TEST(FieldProtector, LengthTellsTheBucketAndNoMore) {
  const auto derived = key_of(row_of(Algorithm::derived, Kind::email));
  const auto encrypted = key_of(row_of(Algorithm::encrypted, Kind::email));
  const auto pseudonym = key_of(row_of(Algorithm::pseudonym, Kind::email));
  const auto d = protector_of(derived);
  const auto e = protector_of(encrypted);
  const auto h = protector_of(pseudonym);
  for (std::size_t size = 1; size <= kMaxDerivedValue; ++size) {
    const std::string value(size, 'v');
    for (const Kind kind : kAllKinds) {
      const std::size_t bucket = bucket_for(kind, size);
      ASSERT_EQ(protect(*d, kind, value).size(), derived_token_length(bucket));
      ASSERT_EQ(protect(*e, kind, value).size(), encrypted_token_length(bucket));
      ASSERT_EQ(protect(*h, kind, value).size(), kPseudonymLength);
    }
  }
}

TEST(FieldProtector, LimitsAreRefusedCleanly) {
  const auto derived = key_of(row_of(Algorithm::derived, Kind::text));
  const auto encrypted = key_of(row_of(Algorithm::encrypted, Kind::text));
  const auto pseudonym = key_of(row_of(Algorithm::pseudonym, Kind::text));
  const std::pair<const ProtectionKey*, std::size_t> limits[] = {{&derived, kMaxDerivedValue},
                                                                 {&encrypted, kMaxEncryptedValue},
                                                                 {&pseudonym, kMaxPseudonymValue}};
  for (const auto& [key, limit] : limits) {
    const auto protector = protector_of(*key);
    std::string out = "kept";
    EXPECT_TRUE(protector->protect(0, Kind::text, std::string(limit, 'x'), out));
    ASSERT_TRUE(parse_token(out.substr(4)));
    for (const std::string& value : {std::string(), std::string(limit + 1, 'x')}) {
      out = "kept";
      const Status status = protector->protect(0, Kind::text, value, out);
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().kind(), ErrorKind::malformed);
      EXPECT_TRUE(status.error().sentence().empty());
      EXPECT_EQ(out, "kept");
    }
    // Still in order after a large value and a refusal.
    EXPECT_TRUE(parse_token(protect(*protector, Kind::text, "small")));
  }
}

TEST(FieldProtector, NaughtyStringsComeBackExactlyOrAreRefused) {
  const auto derived = key_of(row_of(Algorithm::derived, Kind::text));
  const auto encrypted = key_of(row_of(Algorithm::encrypted, Kind::text));
  int round_trips = 0;
  for (const ProtectionKey* key : {&derived, &encrypted}) {
    const auto protector = protector_of(*key);
    for (const auto& string : testing::naughty_strings()) {
      for (const Kind kind : kAllKinds) {
        std::string value;
        if (!normalise(kind, string, {}, value)) continue;
        std::string text;
        if (!protector->protect(0, kind, value, text)) {
          EXPECT_GT(value.size(), kMaxDerivedValue);
          EXPECT_TRUE(text.empty());
          continue;
        }
        const auto token = parse_token(text);
        ASSERT_TRUE(token);
        const auto opened = open_token(*key, *token);
        ASSERT_TRUE(opened);
        EXPECT_EQ(opened->kind, kind);
        EXPECT_EQ(opened->value, value);
        if (kind == Kind::text) {
          EXPECT_EQ(opened->value, string);
        }
        ++round_trips;
      }
    }
  }
  EXPECT_GT(round_trips, 2000);
}

TEST(FieldProtector, AnAlteredTokenOrAnotherContextDoesNotOpen) {
  for (const Algorithm algorithm : {Algorithm::derived, Algorithm::encrypted}) {
    const auto key = key_of(row_of(algorithm, Kind::email));
    const auto token = parse_token(protect(*protector_of(key), Kind::email, "a@b.example"));
    ASSERT_TRUE(token);
    ASSERT_TRUE(open_token(key, *token));
    for (std::size_t i = 0; i < token->payload.size(); ++i) {
      ParsedToken bad = *token;
      bad.payload[i] = static_cast<std::uint8_t>(bad.payload[i] ^ 1U);
      EXPECT_FALSE(open_token(key, bad)) << i;
    }
    ParsedToken moved = *token;
    moved.key_id ^= 1U;
    EXPECT_FALSE(open_token(key, moved)) << "the header is authenticated";
    auto row = row_of(algorithm, Kind::email);
    row.purpose_id.back() = 'x';
    EXPECT_FALSE(open_token(key_of(row), *token));
  }
}

TEST(FieldProtector, SlotsAreIndependentAndVaultSlotsStayUnused) {
  std::vector<ProtectionKey> keys;
  keys.push_back(key_of(row_of(Algorithm::vault_token, Kind::email, 1)));
  keys.push_back(key_of(row_of(Algorithm::pseudonym, Kind::email, 2)));
  keys.push_back(key_of(row_of(Algorithm::derived, Kind::email, 3)));
  keys.push_back(key_of(row_of(Algorithm::encrypted, Kind::email, 4)));
  const auto protector = *FieldProtector::create(keys);
  for (int round = 0; round < 3; ++round) {
    for (std::uint32_t slot = 1; slot < 4; ++slot) {
      const auto token = parse_token(protect(*protector, Kind::email, "a@b.example", slot));
      ASSERT_TRUE(token);
      EXPECT_EQ(token->key_id, slot + 1);
      EXPECT_EQ(token->algorithm, keys[slot].algorithm);
    }
  }
  std::string out;
  EXPECT_DEATH(static_cast<void>(protector->protect(0, Kind::email, "a", out)), "");
  EXPECT_DEATH(static_cast<void>(protector->protect(4, Kind::email, "a", out)), "");
}

TEST(FieldProtector, RefusesKeysThatDoNotFit) {
  const auto refused = [](ProtectionKey key) {
    const auto made = FieldProtector::create(std::span<const ProtectionKey>(&key, 1));
    return !made && made.error().kind() == ErrorKind::usage;
  };
  for (const Algorithm algorithm :
       {Algorithm::derived, Algorithm::pseudonym, Algorithm::encrypted}) {
    auto key = key_of(row_of(algorithm, Kind::email));
    key.key = SecretBytes(31);
    EXPECT_TRUE(refused(std::move(key)));
    auto no_context = key_of(row_of(algorithm, Kind::email));
    no_context.ctx.clear();
    EXPECT_TRUE(refused(std::move(no_context)));
  }
  EXPECT_TRUE(refused(key_of(row_of(Algorithm::vault_row, Kind::email))));
  for (const Algorithm algorithm : {Algorithm::address, Algorithm::address_prefix,
                                    Algorithm::address_random, Algorithm::format_preserving}) {
    auto key = testing::any_key_of(algorithm, Kind::ip);
    key.key = SecretBytes(31);
    EXPECT_TRUE(refused(std::move(key)));
  }
  for (const Algorithm algorithm : {Algorithm::sealed, Algorithm::sealed_single}) {
    for (const Bytes& public_key :
         {Bytes(), Bytes(31, 9), Bytes(32, 0) /* a point of low order: nothing can be shared */}) {
      auto key = testing::any_key_of(algorithm, Kind::email);
      key.public_key = public_key;
      EXPECT_TRUE(refused(std::move(key)));
    }
  }
}

}  // namespace
}  // namespace paravent::crypto
