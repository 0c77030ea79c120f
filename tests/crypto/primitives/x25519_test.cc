#include "crypto/primitives/x25519.h"

#include <gtest/gtest.h>

#include "tests/crypto/primitives/test_bytes.h"

namespace paravent::crypto {
namespace {

// RFC 7748 6.1.
TEST(X25519, PublishedExample) {
  const Bytes alice = unhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const auto alice_public = x25519_public_key(alice);
  ASSERT_TRUE(alice_public.has_value());
  EXPECT_EQ(to_hex(*alice_public),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  X25519PublicKey shared{};
  ASSERT_TRUE(x25519(
      alice, unhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"), shared));
  EXPECT_EQ(to_hex(shared), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

TEST(X25519, FreshPairsAgree) {
  const X25519KeyPair a = generate_x25519_key_pair();
  const X25519KeyPair b = generate_x25519_key_pair();
  EXPECT_NE(a.public_key, b.public_key);
  ASSERT_EQ(a.private_key.size(), kX25519Size);
  X25519PublicKey from_a{};
  X25519PublicKey from_b{};
  ASSERT_TRUE(x25519(a.private_key.bytes(), b.public_key, from_a));
  ASSERT_TRUE(x25519(b.private_key.bytes(), a.public_key, from_b));
  EXPECT_EQ(from_a, from_b);
}

// Points of order 1, 2, 4 and 8, their non-canonical spellings, and the same with the top bit set,
// which RFC 7748 ignores.
TEST(X25519, RefusesLowOrderPoints) {
  for (const std::string_view point :
       {"0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    for (const std::uint8_t top : {std::uint8_t{0}, std::uint8_t{0x80}}) {
      Bytes public_key = unhex(point);
      public_key.back() |= top;
      X25519PublicKey shared;
      shared.fill(0xaa);
      const Status status = x25519(Bytes(32, 0x42), public_key, shared);
      ASSERT_FALSE(status.has_value()) << point;
      EXPECT_EQ(status.error().kind(), ErrorKind::malformed);
      EXPECT_TRUE(status.error().sentence().empty());
      EXPECT_EQ(shared, X25519PublicKey{}) << "output must be wiped";
    }
  }
}

TEST(X25519, RefusesOtherSizes) {
  const Bytes right(32, 9);
  Bytes out(32);
  for (const std::size_t size : {0U, 31U, 33U, 64U}) {
    Bytes wrong(size, 9);
    EXPECT_EQ(x25519(wrong, right, out).error().kind(), ErrorKind::usage);
    EXPECT_EQ(x25519(right, wrong, out).error().kind(), ErrorKind::usage);
    EXPECT_EQ(x25519(right, right, wrong).error().kind(), ErrorKind::usage);
    EXPECT_EQ(x25519_public_key(Bytes(size, 9)).error().kind(), ErrorKind::usage);
  }
}

}  // namespace
}  // namespace paravent::crypto
