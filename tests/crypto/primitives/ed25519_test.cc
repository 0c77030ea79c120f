#include "crypto/primitives/ed25519.h"

#include <gtest/gtest.h>

#include "tests/crypto/primitives/test_bytes.h"

namespace paravent::crypto {
namespace {

// RFC 8032 7.1, tests 2 and 3 (test 1 is a start-up self-test).
struct Example {
  std::string_view seed, public_key, message, signature;
};

constexpr Example kExamples[] = {
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d8c"
     "387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "659"
     "4a7c15e9716ed28dc027beceea1ec40a"},
};

TEST(Ed25519, PublishedExamples) {
  for (const Example& example : kExamples) {
    const auto signer = Ed25519Signer::create(SecretBytes::copy_of(unhex(example.seed)));
    ASSERT_TRUE(signer.has_value());
    const Bytes message = unhex(example.message);
    EXPECT_EQ(to_hex(signer->public_key()), example.public_key);
    EXPECT_EQ(to_hex(signer->sign(message)), example.signature);
    EXPECT_TRUE(ed25519_verify(signer->public_key(), message, unhex(example.signature)));
  }
}

TEST(Ed25519, EveryBitOfTheSignatureMatters) {
  const auto signer = Ed25519Signer::create(SecretBytes::copy_of(Bytes(32, 3)));
  ASSERT_TRUE(signer.has_value());
  Ed25519Signature signature = signer->sign(as_bytes("checkpoint"));
  for (std::size_t bit = 0; bit < 512; ++bit) {
    signature[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(ed25519_verify(signer->public_key(), as_bytes("checkpoint"), signature)) << bit;
    signature[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  }
  EXPECT_FALSE(ed25519_verify(signer->public_key(), as_bytes("checkpoinT"), signature));
  EXPECT_TRUE(ed25519_verify(signer->public_key(), as_bytes("checkpoint"), signature));
}

TEST(Ed25519, RefusesWrongSizes) {
  EXPECT_EQ(Ed25519Signer::create(SecretBytes(31)).error().kind(), ErrorKind::usage);
  const auto signer = Ed25519Signer::create(SecretBytes(32));
  ASSERT_TRUE(signer.has_value());
  const Ed25519Signature signature = signer->sign({});
  EXPECT_TRUE(ed25519_verify(signer->public_key(), {}, signature));
  EXPECT_FALSE(ed25519_verify(ByteView(signer->public_key()).first(31), {}, signature));
  EXPECT_FALSE(ed25519_verify(signer->public_key(), {}, ByteView(signature).first(63)));
}

}  // namespace
}  // namespace paravent::crypto
