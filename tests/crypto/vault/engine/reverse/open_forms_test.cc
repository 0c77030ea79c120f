// The ways back that look nothing up: addresses and values of preserved form.

#include <gtest/gtest.h>

#include <random>

#include "crypto/base/ip_address.h"
#include "crypto/vault/engine/reverse/open_address.h"
#include "crypto/vault/engine/reverse/open_preserved.h"
#include "tests/crypto/tokens/golden_forms.h"
#include "tests/crypto/tokens/naughty_strings.h"
#include "tests/crypto/tokens/protector_fixture.h"

namespace paravent::crypto::vault {
namespace {

using testing::any_key_of;
using testing::protect;
using testing::protector_of;

constexpr Algorithm kAddresses[] = {Algorithm::address, Algorithm::address_prefix,
                                    Algorithm::address_random};
constexpr ProtectForm kLiteral = {.kind = Kind::ip, .shape = Shape::ip};

std::string text_of(const Result<SecretBytes>& value) {
  return value ? std::string(as_text(value->bytes())) : "refused";
}

void expect_refused(const Result<SecretBytes>& answer) {
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind(), ErrorKind::refused);
  EXPECT_TRUE(answer.error().sentence().empty());
}

TEST(OpenForms, OpenTheGoldenTexts) {
  int opened = 0;
  for (const testing::GoldenForm& golden : testing::golden_forms()) {
    if (golden.sealed() || golden.row.algorithm == Algorithm::pseudonym) continue;
    const auto key = *make_protection_key(golden.row, golden.parent);
    if (golden.form.shape == Shape::preserve) {
      EXPECT_EQ(text_of(open_preserved(key.key.bytes(), key.ctx, golden.form.kind, golden.token)),
                golden.value);
    } else if (golden.form.shape == Shape::ip) {
      EXPECT_EQ(text_of(open_address_literal(key, golden.token)), golden.value);
    } else {
      EXPECT_EQ(text_of(open_address(key, *parse_token(golden.token))), golden.value);
    }
    ++opened;
  }
  EXPECT_EQ(opened, 31);
}

TEST(OpenForms, AddressesComeBackAndFamiliesStay) {
  std::mt19937 rng(1);
  for (const Algorithm algorithm : kAddresses) {
    const auto key = any_key_of(algorithm, Kind::ip);
    const auto protector = protector_of(key);
    for (int i = 0; i < 500; ++i) {
      IpAddress bytes{};
      for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng());
      if (i % 2 == 0) {
        std::fill(bytes.begin(), bytes.begin() + 10, std::uint8_t{0});
        bytes[10] = bytes[11] = 0xFF;
      }
      std::string address;
      append_ip(bytes, address);
      const auto token = parse_token(protect(*protector, {.kind = Kind::ip}, address));
      ASSERT_TRUE(token);
      ASSERT_EQ(text_of(open_address(key, *token)), address);
      if (algorithm == Algorithm::address_random) continue;
      const std::string literal = protect(*protector, kLiteral, address);
      ASSERT_EQ(text_of(open_address_literal(key, literal)), address);
      IpAddress parsed;
      ASSERT_TRUE(parse_ip(literal, parsed));
      if (algorithm == Algorithm::address_prefix) {
        ASSERT_EQ(is_ipv4(parsed), is_ipv4(bytes));
      }
    }
  }
}

TEST(OpenForms, EqualAddressesAreEqualOnlyWhereTheAlgorithmSaysSo) {
  for (const Algorithm algorithm : kAddresses) {
    const auto key = any_key_of(algorithm, Kind::ip);
    const auto protector = protector_of(key);
    const std::string once = protect(*protector, {.kind = Kind::ip}, "192.0.2.1");
    const std::string again = protect(*protector, {.kind = Kind::ip}, "192.0.2.1");
    EXPECT_EQ(once == again, algorithm != Algorithm::address_random);
    auto row = testing::row_of(algorithm, Kind::ip);
    row.domain_id.back() = 'x';
    const auto other = testing::key_of(row);
    EXPECT_NE(protect(*protector_of(other), {.kind = Kind::ip}, "192.0.2.1").substr(14, 20),
              once.substr(14, 20));
  }
  const auto prefix = any_key_of(Algorithm::address_prefix, Kind::ip);
  const auto protector = protector_of(prefix);
  const auto network = [&](const char* address) {
    const std::string text = protect(*protector, kLiteral, address);
    return text.substr(0, text.rfind('.'));
  };
  EXPECT_EQ(network("192.0.2.1"), network("192.0.2.254"));
  EXPECT_NE(network("192.0.2.1"), network("192.0.3.1"));
}

TEST(OpenForms, ForeignAddressesAndKeysAreRefused) {
  const auto key = any_key_of(Algorithm::address, Kind::ip);
  const auto random = any_key_of(Algorithm::address_random, Kind::ip);
  const auto token = *parse_token(protect(*protector_of(key), {.kind = Kind::ip}, "192.0.2.1"));
  expect_refused(open_address(random, token));
  expect_refused(open_address(any_key_of(Algorithm::address, Kind::ip, 99), token));
  expect_refused(open_address(any_key_of(Algorithm::derived, Kind::ip), token));
  ParsedToken cut = token;
  cut.payload.pop_back();
  expect_refused(open_address(key, cut));
  expect_refused(open_address_literal(random, "fd00::1"));
  for (const char* text : {"", "x", "192.0.2", "[::1]", "::1%eth0", "192.0.2.1 "}) {
    expect_refused(open_address_literal(key, text));
    std::string out = "kept";
    if (*text == '\0') continue;
    const Status status = protector_of(key)->protect(0, kLiteral, text, out);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().kind(), ErrorKind::malformed);
    EXPECT_EQ(out, "kept");
  }
}

TEST(OpenForms, PreservedValuesComeBack) {
  const std::pair<Kind, const char*> values[] = {
      {Kind::phone, "+33612345678"},       {Kind::phone, "+442071838750"},
      {Kind::phone, "0612345678"},         {Kind::text, "FR-2024/000123-Zo\xC3\xA9"},
      {Kind::card, "4111 1111 1111 1111"}, {Kind::siren, "732829320"},
      {Kind::siret, "73282932000074"},     {Kind::text, "99999999999999999999999999999999999999"}};
  for (const auto& [kind, value] : values) {
    const auto key = any_key_of(Algorithm::format_preserving, kind);
    const std::string text =
        protect(*protector_of(key), {.kind = kind, .shape = Shape::preserve}, value);
    EXPECT_NE(text, value);
    EXPECT_EQ(text.size(), std::string_view(value).size());
    EXPECT_EQ(text_of(open_preserved(key.key.bytes(), key.ctx, kind, text)), value);
    EXPECT_NE(text_of(open_preserved(key.key.bytes(), key.ctx + "x", kind, text)), value);
  }
  const auto key = any_key_of(Algorithm::format_preserving, Kind::siren);
  expect_refused(open_preserved(key.key.bytes(), key.ctx, Kind::siren, "732829320"));
  expect_refused(open_preserved(key.key.bytes(), key.ctx, Kind::email, "123456789"));
  expect_refused(open_preserved(key.key.bytes(), key.ctx, Kind::text, "12345"));
  expect_refused(open_preserved(key.key.bytes(), key.ctx, Kind::text, ""));
  expect_refused(open_preserved(key.key.bytes(), key.ctx, Kind::text, std::string(513, '1')));
  expect_refused(open_preserved(key.key.bytes().first(31), key.ctx, Kind::text, "1234567"));
}

TEST(OpenForms, NaughtyStringsComeBackExactlyOrAreRefused) {
  const auto key = any_key_of(Algorithm::format_preserving, Kind::text);
  const auto protector = protector_of(key);
  int round_trips = 0;
  for (const std::string& string : testing::naughty_strings()) {
    for (const std::string& value : {string, string + " 31415926"}) {
      std::string text;
      if (!protector->protect(0, {.kind = Kind::text, .shape = Shape::preserve}, value, text)) {
        EXPECT_TRUE(text.empty());
        continue;
      }
      EXPECT_EQ(text_of(open_preserved(key.key.bytes(), key.ctx, Kind::text, text)), value);
      ++round_trips;
    }
  }
  EXPECT_GT(round_trips, 400);
}

}  // namespace
}  // namespace paravent::crypto::vault
