#include "crypto/tokens/token_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <random>

#include "crypto/tokens/frame.h"
#include "crypto/tokens/token_header.h"

namespace paravent::crypto {
namespace {

constexpr std::uint32_t kKeyId = 0xA1B2C3D4;

Bytes body_of(Algorithm algorithm, std::size_t payload_size, unsigned seed = 1) {
  const TokenHeader header = token_header(kKeyId, algorithm);
  Bytes body(header.begin(), header.end());
  std::mt19937 rng(seed);
  for (std::size_t i = 0; i < payload_size; ++i) body.push_back(static_cast<std::uint8_t>(rng()));
  return body;
}

std::string text_of(Algorithm algorithm, std::size_t payload_size, unsigned seed = 1) {
  Bytes body = body_of(algorithm, payload_size, seed);
  const TokenClass token_class = token_class_of(algorithm);
  std::string text;
  if (token_class == TokenClass::encrypted || token_class == TokenClass::sealed) {
    body.resize(body.size() + kCrcSize);
    write_long_token(token_class, body, text);
  } else {
    write_short_token(token_class, body, text);
  }
  return text;
}

struct Form {
  Algorithm algorithm;
  std::size_t payload_size;
  std::string_view prefix;
  std::size_t length;
};

const Form kForms[] = {
    {Algorithm::vault_token, 16, "pvv1", 46},
    {Algorithm::derived, 16 + 32, "pvd1", 97},
    {Algorithm::derived, 16 + 64, "pvd1", 148},
    {Algorithm::derived, 16 + 512, "pvd1", 865},
    {Algorithm::pseudonym, 20, "pvh1", 52},
    {Algorithm::address, 16, "pvi1", 46},
    {Algorithm::address_prefix, 16, "pvi1", 46},
    {Algorithm::address_random, 32, "pvi1", 71},
    {Algorithm::encrypted, 24 + 16 + 16, "pve_", 92},
    {Algorithm::encrypted, 24 + 64 + 16, "pve_", 156},
    {Algorithm::encrypted, 24 + 5120 + 16, "pve_", 6898},
    {Algorithm::sealed, 80 + 24 + 64 + 16, "pvs_", 263},
    {Algorithm::sealed_single, 32 + 64 + 16, "pvs_", 167},
};

TEST(TokenText, EveryFormRoundTripsAtItsDocumentedLength) {
  for (const Form& form : kForms) {
    const std::string text = text_of(form.algorithm, form.payload_size);
    EXPECT_TRUE(text.starts_with(form.prefix)) << text;
    EXPECT_EQ(text.size(), form.length);
    const auto token = parse_token(text);
    ASSERT_TRUE(token) << text;
    EXPECT_EQ(token->token_class, token_class_of(form.algorithm));
    EXPECT_EQ(token->algorithm, form.algorithm);
    EXPECT_EQ(token->key_id, kKeyId);
    EXPECT_EQ(token->text, text);
    const Bytes body = body_of(form.algorithm, form.payload_size);
    EXPECT_EQ(token->payload, Bytes(body.begin() + kTokenHeaderSize, body.end()));
    const auto facts = check_token(text);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->payload_size, form.payload_size);
  }
}

TEST(TokenText, WritersAppendAndTheVaultTokenIsAShortToken) {
  const Bytes body = body_of(Algorithm::vault_token, kVaultIdSize);
  std::array<std::uint8_t, kVaultIdSize> id{};
  std::copy(body.begin() + kTokenHeaderSize, body.end(), id.begin());
  std::string out = "kept:";
  write_vault_token(kKeyId, id, out);
  EXPECT_EQ(out, "kept:" + text_of(Algorithm::vault_token, kVaultIdSize));
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

TEST(TokenText, UpperCaseShortTokensAreLoweredLongOnesRefused) {
  for (const Form& form : kForms) {
    const std::string text = text_of(form.algorithm, form.payload_size);
    const auto token = parse_token(upper(text));
    if (form.prefix[3] == '1') {
      ASSERT_TRUE(token) << text;
      EXPECT_EQ(token->text, text);
      EXPECT_FALSE(parse_token("PV" + text.substr(2)));
      EXPECT_FALSE(parse_token(text.substr(0, 4) + upper(text.substr(4))));
    } else {
      EXPECT_FALSE(token);
    }
  }
}

TEST(TokenText, WrongHeadersAreMalformed) {
  Bytes body = body_of(Algorithm::vault_token, kVaultIdSize);
  const auto short_text = [&] {
    std::string text;
    write_short_token(TokenClass::vault, body, text);
    return text;
  };
  EXPECT_TRUE(parse_token(short_text()));
  body[0] = 2;
  EXPECT_FALSE(parse_token(short_text())) << "unknown format";
  body[0] = 1;
  body[1] = static_cast<std::uint8_t>(Algorithm::pseudonym);
  EXPECT_FALSE(parse_token(short_text())) << "algorithm of another class";
  body[1] = static_cast<std::uint8_t>(Algorithm::vault_row);
  EXPECT_FALSE(parse_token(short_text())) << "an algorithm that has no tokens";
  body[1] = 200;
  EXPECT_FALSE(parse_token(short_text()));
}

TEST(TokenText, WrongLengthsAreMalformedWhateverTheChecksum) {
  for (std::size_t size = 0; size < 600; ++size) {
    const bool derived = size > 16 && size <= 16 + kMaxDerivedBucket && is_bucket(size - 16);
    ASSERT_EQ(parse_token(text_of(Algorithm::derived, size)).has_value(), derived) << size;
    ASSERT_EQ(parse_token(text_of(Algorithm::vault_token, size)).has_value(), size == 16) << size;
    ASSERT_EQ(parse_token(text_of(Algorithm::pseudonym, size)).has_value(), size == 20) << size;
    const bool encrypted = size > 40 && is_bucket(size - 40);
    ASSERT_EQ(parse_token(text_of(Algorithm::encrypted, size)).has_value(), encrypted) << size;
  }
  EXPECT_TRUE(parse_token(text_of(Algorithm::encrypted, 40 + kMaxEncryptedBucket)));
  EXPECT_FALSE(parse_token(text_of(Algorithm::encrypted, 40 + kMaxEncryptedBucket + kBucketStep)));
}

TEST(TokenText, ForeignTextsAreMalformed) {
  const std::string vault = text_of(Algorithm::vault_token, 16);
  const std::string encrypted = text_of(Algorithm::encrypted, 56);
  for (const std::string& text :
       {std::string(), std::string("p"), std::string("pvv1"), std::string("pve_"), vault + " ",
        " " + vault, vault.substr(1), vault + "q", vault + std::string(1, '\0'), encrypted + "=",
        encrypted + "A", encrypted.substr(0, encrypted.size() - 1), "pvs_" + encrypted.substr(4),
        "pvx1" + vault.substr(4), "pvd1" + vault.substr(4), vault + "@example.invalid"}) {
    const auto token = parse_token(text);
    ASSERT_FALSE(token) << text;
    EXPECT_EQ(token.error().kind(), ErrorKind::malformed);
    EXPECT_TRUE(token.error().sentence().empty());
  }
}

TEST(TokenText, SpareBitsOfLongTokensMustBeZero) {
  // 6 + 72 + 4 = 82 bytes, one more than whole groups of three: four spare bits.
  std::string text = text_of(Algorithm::encrypted, 24 + 32 + 16);
  ASSERT_TRUE(parse_token(text));
  const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const std::size_t last = alphabet.find(text.back());
  ASSERT_EQ(last % 16, 0U);
  for (std::size_t spare = 1; spare < 16; ++spare) {
    text.back() = alphabet[last + spare];
    EXPECT_FALSE(parse_token(text)) << spare;
  }
}

TEST(TokenText, EmailShape) {
  const std::string vault = text_of(Algorithm::vault_token, 16);
  const std::string pseudonym = text_of(Algorithm::pseudonym, 20);
  EXPECT_EQ(strip_email_shape(vault + "@paravent.invalid"), vault);
  EXPECT_EQ(strip_email_shape(pseudonym + "@mail.example.org"), pseudonym);
  EXPECT_EQ(strip_email_shape(vault), vault);
  for (const std::string& text :
       {vault + "@", vault + "@a@b", vault + "@a b", vault + "@exa_mple",
        std::string("marie@example.com"), vault + "@" + std::string(254, 'a'), std::string("@x"),
        std::string()}) {
    EXPECT_EQ(strip_email_shape(text), text);
  }
}

TEST(TokenText, HeaderAndAssociatedData) {
  const std::string ad = token_ad(0x01020304, Algorithm::derived, "ctx");
  EXPECT_EQ(ad, std::string("\x01\x02\x01\x02\x03\x04") + "ctx");
  EXPECT_EQ(token_class_name(TokenClass::vault), "vault");
  EXPECT_EQ(token_class_name(TokenClass::sealed), "sealed");
}

}  // namespace
}  // namespace paravent::crypto
