// The witness must accept what the gateway's writers write and refuse everything near it. It shares
// no code with them, so agreement here is evidence about both.

#include "bench/support/token_shape.h"

#include <gtest/gtest.h>

#include <string>

#include "crypto/tokens/token_text.h"

namespace paravent::bench {
namespace {

using crypto::Bytes;
using crypto::TokenClass;

Bytes body_of(TokenClass token_class, std::size_t payload) {
  Bytes body(crypto::kTokenHeaderSize + payload);
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<std::uint8_t>(i * 37 + 11);
  body[0] = crypto::kTokenFormat;
  body[1] = static_cast<std::uint8_t>(token_class == TokenClass::derived ? 2 : 3);
  return body;
}

std::string short_token(TokenClass token_class, std::size_t payload) {
  std::string text;
  crypto::write_short_token(token_class, body_of(token_class, payload), text);
  return text;
}

std::string encrypted_token(std::size_t bucket) {
  Bytes body = body_of(TokenClass::encrypted, 24 + bucket + 16 + 4);
  std::string text;
  crypto::write_long_token(TokenClass::encrypted, body, text);
  return text;
}

TEST(TokenShape, AcceptsPublishedBech32m) {
  EXPECT_TRUE(is_bech32m("abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx", "abcdef", 45));
  EXPECT_TRUE(
      is_bech32m("split1checkupstagehandshakeupstreamerranterredcaperredlc445v", "split", 60));
}

TEST(TokenShape, RefusesPlainBech32AndUpperCase) {
  // BIP-173's checksum constant is 1.
  EXPECT_FALSE(is_bech32m("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "abcdef", 45));
  EXPECT_FALSE(is_bech32m("ABCDEF1L7AUM6ECHK45NJ3S0WDVT2FG8X9YRZPQZD3RYX", "ABCDEF", 45));
}

TEST(TokenShape, AcceptsTheGatewaysShortTokens) {
  EXPECT_TRUE(is_bech32m(short_token(TokenClass::derived, 16 + 64), "pvd", 148));
  EXPECT_TRUE(is_bech32m(short_token(TokenClass::derived, 16 + 32), "pvd", 97));
  EXPECT_TRUE(is_bech32m(short_token(TokenClass::pseudonym, 20), "pvh", 52));
}

TEST(TokenShape, RefusesEveryChangedCharacterOfAShortToken) {
  const std::string token = short_token(TokenClass::pseudonym, 20);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string altered = token;
    altered[i] = altered[i] == 'q' ? 'p' : 'q';
    EXPECT_FALSE(is_bech32m(altered, "pvh", 52)) << i;
  }
}

TEST(TokenShape, RefusesTheWrongKindAndLength) {
  const std::string token = short_token(TokenClass::pseudonym, 20);
  EXPECT_FALSE(is_bech32m(token, "pvd", 52));
  EXPECT_FALSE(is_bech32m(token, "pvh", 51));
  EXPECT_FALSE(is_bech32m(token.substr(1), "pvh", 51));
  EXPECT_FALSE(is_bech32m("", "pvh", 0));
}

TEST(TokenShape, AcceptsTheGatewaysEncryptedTextInEveryBucket) {
  for (const std::size_t bucket : {16U, 32U, 96U, 192U, 1024U, 2048U}) {
    EXPECT_TRUE(is_encrypted_text(encrypted_token(bucket))) << bucket;
  }
}

TEST(TokenShape, RefusesEveryChangedCharacterOfAnEncryptedText) {
  const std::string token = encrypted_token(32);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string altered = token;
    altered[i] = altered[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(is_encrypted_text(altered)) << i;
  }
}

TEST(TokenShape, RefusesEncryptedTextOfNoBucket) {
  Bytes body = body_of(TokenClass::encrypted, 24 + 33 + 16 + 4);
  std::string text;
  crypto::write_long_token(TokenClass::encrypted, body, text);
  EXPECT_FALSE(is_encrypted_text(text));
  EXPECT_FALSE(is_encrypted_text("pve_"));
  EXPECT_FALSE(is_encrypted_text(""));
}

TEST(TokenShape, Base64UrlWantsItsAlphabetAndZeroSpareBits) {
  EXPECT_TRUE(is_base64url("AA"));
  EXPECT_TRUE(is_base64url("_-8"));
  EXPECT_FALSE(is_base64url("AB"));    // four spare bits, one set
  EXPECT_FALSE(is_base64url("AAB"));   // two spare bits, one set
  EXPECT_FALSE(is_base64url("A"));     // no length of base64
  EXPECT_FALSE(is_base64url("AA=="));  // padded
  EXPECT_FALSE(is_base64url("a%40b"));
}

}  // namespace
}  // namespace paravent::bench
