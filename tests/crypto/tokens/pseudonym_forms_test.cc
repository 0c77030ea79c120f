// What pseudonyms promise beyond their text: equal exactly where the form says so, nothing shared
// between forms, and as many collisions as the number of bits gives.

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "crypto/base/encoding.h"
#include "crypto/tokens/shape_text.h"
#include "tests/crypto/tokens/protector_fixture.h"

namespace paravent::crypto {
namespace {

using testing::key_of;
using testing::protect;
using testing::protector_of;
using testing::row_of;

Bytes payload_of(const std::string& token) { return parse_token(token)->payload; }

std::vector<ProtectForm> distinct_forms() {
  std::vector<ProtectForm> forms = {{.kind = Kind::email}};
  for (const unsigned bits : {1U, 8U, 16U, 100U, 159U}) {
    forms.push_back({.kind = Kind::email, .bits = static_cast<std::uint8_t>(bits)});
  }
  for (std::uint8_t first = 0; first < 3; ++first) {
    forms.push_back({.kind = Kind::email, .scope_id = {first}, .scope = Scope::relationship});
  }
  return forms;
}

TEST(PseudonymForms, EqualWithinOneFormAndUnrelatedAcrossForms) {
  const auto key = key_of(row_of(Algorithm::pseudonym, Kind::email));
  const auto protector = protector_of(key);
  const auto another = protector_of(key);
  std::set<std::string> seen;
  std::size_t made = 0;
  for (const ProtectForm& form : distinct_forms()) {
    const std::string token = protect(*protector, form, "a@b.example");
    EXPECT_EQ(protect(*another, form, "a@b.example"), token);
    EXPECT_EQ(token.size(), kPseudonymLength);
    // The first byte tells 8 bits: with so few forms a shared prefix would be seen.
    if (form.bits == 0 || form.bits >= 16) {
      EXPECT_NE(protect(*protector, form, "a@b.exampld"), token);
      const Bytes payload = payload_of(token);
      EXPECT_TRUE(seen.insert(to_hex(ByteView(payload).first(2))).second);
      ++made;
    }
  }
  EXPECT_EQ(seen.size(), made);
}

TEST(PseudonymForms, RequestAndRelationshipDifferByTheirContextOnly) {
  ContextRow relationship = row_of(Algorithm::pseudonym, Kind::email);
  relationship.scope_id = "l";
  ContextRow request = relationship;
  request.scope_id = "q";
  const ProtectForm l = {.kind = Kind::email, .scope_id = {9}, .scope = Scope::relationship};
  const ProtectForm q = {.kind = Kind::email, .scope_id = {9}, .scope = Scope::request};
  const auto of = [&](const ContextRow& row, const ProtectForm& form) {
    const auto key = key_of(row);
    return protect(*protector_of(key), form, "a@b.example");
  };
  EXPECT_EQ(of(relationship, l), of(relationship, q));
  EXPECT_NE(of(relationship, l), of(request, l));
  EXPECT_NE(of(relationship, l),
            of(row_of(Algorithm::pseudonym, Kind::email), {.kind = Kind::email}));
}

// A value that ends as a tail begins must not meet another value with that tail.
TEST(PseudonymForms, NoValueImitatesAnotherForm) {
  const auto key = key_of(row_of(Algorithm::pseudonym, Kind::text));
  const auto protector = protector_of(key);
  const std::string plain = protect(*protector, {.kind = Kind::text}, std::string("a\x10", 2));
  const std::string cut = protect(*protector, {.kind = Kind::text, .bits = 0x10}, "a");
  EXPECT_NE(payload_of(plain)[0], payload_of(cut)[0]);
  ScopeId scope{};
  const std::string scoped =
      protect(*protector, {.kind = Kind::text, .scope_id = scope, .scope = Scope::request}, "a");
  const std::string imitated =
      protect(*protector, {.kind = Kind::text}, std::string(16, '\0') + std::string("\0\1a", 3));
  EXPECT_NE(scoped, imitated);
}

TEST(PseudonymForms, EmailIsASpellingAndShapesAreSurrogatesOfTheirOwn) {
  const auto key = key_of(row_of(Algorithm::pseudonym, Kind::email));
  const auto protector = protector_of(key);
  EXPECT_EQ(protect(*protector, {.kind = Kind::email, .shape = Shape::email}, "a@b.example"),
            protect(*protector, {.kind = Kind::email}, "a@b.example"));
  // The same bits in two lengths would be prefixes of each other.
  const auto digits = [&](std::uint8_t length) {
    return protect(*protector, {.kind = Kind::email, .shape = Shape::digits, .length = length},
                   "a@b.example");
  };
  EXPECT_EQ(digits(0), digits(12)) << "0 stands for the usual length";
  EXPECT_NE(digits(12).substr(0, 6), digits(6));
  EXPECT_NE(digits(18).substr(0, 12), digits(12));
  const std::string hex = protect(*protector, {.kind = Kind::email, .shape = Shape::hex16}, "v");
  const std::string uuid = protect(*protector, {.kind = Kind::email, .shape = Shape::uuid}, "v");
  EXPECT_NE(hex.substr(0, 8), uuid.substr(0, 8));
  const std::string ip = protect(*protector, {.kind = Kind::ip, .shape = Shape::ip}, "192.0.2.1");
  EXPECT_TRUE(matches_shape(Shape::ip, 0, ip)) << ip;
  const std::string v4 = protect(*protector, {.kind = Kind::ip, .shape = Shape::ipv4}, "192.0.2.1");
  EXPECT_TRUE(matches_shape(Shape::ipv4, 0, v4)) << v4;
}

TEST(PseudonymForms, BitsThatAreNotKeptAreZero) {
  const auto key = key_of(row_of(Algorithm::pseudonym, Kind::email));
  const auto protector = protector_of(key);
  for (unsigned bits = 1; bits < 160; ++bits) {
    bool last_bit = false;
    for (int i = 0; i < 20; ++i) {
      const Bytes payload = payload_of(
          protect(*protector, {.kind = Kind::text, .bits = static_cast<std::uint8_t>(bits)},
                  "value " + std::to_string(i)));
      for (unsigned at = bits; at < 160; ++at) {
        ASSERT_EQ((payload[at / 8] >> (7 - at % 8)) & 1, 0) << bits;
      }
      last_bit = last_bit || ((payload[(bits - 1) / 8] >> (7 - (bits - 1) % 8)) & 1) != 0;
    }
    EXPECT_TRUE(last_bit) << bits;
  }
}

// Birthdays: n values in 2^b places meet in n (n-1) / 2^(b+1) pairs, Poisson when that is few; and
// each place is filled evenly (chi-square). Fixed key, so the outcome is fixed; the bounds are five
// standard deviations.
TEST(PseudonymForms, BitsCollideAtTheExpectedRate) {
  const auto key = key_of(row_of(Algorithm::pseudonym, Kind::text));
  const auto protector = protector_of(key);
  constexpr int kValues = 8000;
  for (const unsigned bits : {8U, 12U, 16U, 20U, 24U}) {
    const ProtectForm form = {.kind = Kind::text, .bits = static_cast<std::uint8_t>(bits)};
    std::map<std::string, int> seen;
    for (int i = 0; i < kValues; ++i) {
      ++seen[protect(*protector, form, std::to_string(i))];
    }
    double pairs = 0;
    for (const auto& [token, count] : seen) pairs += count * (count - 1) / 2.0;
    const double expected = kValues * (kValues - 1.0) / 2 / static_cast<double>(1U << bits);
    EXPECT_NEAR(pairs, expected, 5 * std::sqrt(expected) + 5) << bits;
  }
}

TEST(PseudonymForms, WhatHasNoSuchFormIsRefused) {
  const ProtectForm wrong[] = {
      {.kind = Kind::text, .shape = Shape::preserve},
      {.kind = Kind::text, .bits = 160},
      {.kind = Kind::text, .shape = Shape::uuid, .bits = 8},
      {.kind = Kind::text, .shape = Shape::digits, .length = 5},
      {.kind = Kind::text, .length = 5},
  };
  const auto key = key_of(row_of(Algorithm::pseudonym, Kind::text));
  const auto protector = protector_of(key);
  for (const ProtectForm& form : wrong) {
    std::string out = "kept";
    const Status status = protector->protect(0, form, "value", out);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind(), ErrorKind::usage);
    EXPECT_EQ(out, "kept");
  }
  // The others have one form each, addresses and preserved values apart.
  for (const Algorithm algorithm :
       {Algorithm::derived, Algorithm::encrypted, Algorithm::sealed, Algorithm::sealed_single,
        Algorithm::address, Algorithm::address_random, Algorithm::format_preserving}) {
    const auto other = testing::any_key_of(algorithm, Kind::ip);
    for (const ProtectForm& form : {ProtectForm{.kind = Kind::ip, .shape = Shape::uuid},
                                    ProtectForm{.kind = Kind::ip, .bits = 8},
                                    ProtectForm{.kind = Kind::ip, .scope = Scope::request},
                                    ProtectForm{.kind = Kind::ip, .length = 8},
                                    ProtectForm{.kind = Kind::ip, .shape = Shape::ipv4},
                                    ProtectForm{.kind = Kind::ip, .shape = Shape::preserve}}) {
      std::string out = "kept";
      const Status status = protector_of(other)->protect(0, form, "192.0.2.1", out);
      ASSERT_FALSE(status) << algorithm_name(algorithm);
      EXPECT_EQ(status.error().kind(), ErrorKind::usage);
      EXPECT_EQ(out, "kept");
    }
  }
}

TEST(PseudonymForms, ThePreviousEpochIsAnotherKeyBesideTheSlot) {
  std::vector<ProtectionKey> slots;
  slots.push_back(key_of(row_of(Algorithm::pseudonym, Kind::email, 1), 7));
  slots.push_back(key_of(row_of(Algorithm::derived, Kind::email, 2), 7));
  std::vector<std::optional<ProtectionKey>> previous(2);
  previous[0] = key_of(row_of(Algorithm::pseudonym, Kind::email, 9), 8);
  const auto protector = *FieldProtector::create(slots, previous);
  EXPECT_TRUE(protector->has_previous(0));
  EXPECT_FALSE(protector->has_previous(1));
  EXPECT_FALSE(protector->has_previous(2));
  const ProtectForm form = {.kind = Kind::email};
  std::string old;
  ASSERT_TRUE(protector->protect_previous(0, form, "a@b.example", old));
  EXPECT_EQ(old, protect(*protector_of(*previous[0]), form, "a@b.example"));
  EXPECT_NE(old, protect(*protector, form, "a@b.example"));
  std::string out;
  EXPECT_DEATH(static_cast<void>(protector->protect_previous(1, form, "a", out)), "");
  EXPECT_FALSE(protector_of(slots[0])->has_previous(0));

  previous[1] = key_of(row_of(Algorithm::pseudonym, Kind::email, 9), 8);
  EXPECT_FALSE(FieldProtector::create(slots, previous)) << "another algorithm than the slot's";
  previous.resize(1);
  EXPECT_FALSE(FieldProtector::create(slots, previous)) << "one per slot";
}

TEST(PseudonymForms, TheKeyedNumberIsStableAndJoinedToNoPseudonym) {
  const auto key = key_of(row_of(Algorithm::pseudonym, Kind::email));
  const auto protector = protector_of(key);
  const auto number = protector->keyed_number(0, "a@b.example");
  ASSERT_TRUE(number);
  EXPECT_EQ(*protector_of(key)->keyed_number(0, "a@b.example"), *number);
  EXPECT_NE(*protector->keyed_number(0, "a@b.exampld"), *number);
  EXPECT_NE(*protector_of(key_of(row_of(Algorithm::pseudonym, Kind::email), 8))
                 ->keyed_number(0, "a@b.example"),
            *number);
  for (const ProtectForm& form : distinct_forms()) {
    const Bytes payload = payload_of(protect(*protector, form, "a@b.example"));
    EXPECT_NE(load_u32be(payload.data()), static_cast<std::uint32_t>(*number >> 32U));
  }
  EXPECT_FALSE(protector->keyed_number(0, ""));
  EXPECT_FALSE(protector->keyed_number(0, std::string(kMaxPseudonymValue + 1, 'x')));
  const auto derived = key_of(row_of(Algorithm::derived, Kind::email));
  EXPECT_DEATH(static_cast<void>(protector_of(derived)->keyed_number(0, "a")), "");
}

}  // namespace
}  // namespace paravent::crypto
