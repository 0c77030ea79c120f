// The AEADs that exist for formats of other people: AES-GCM of any nonce, the whole of AES-SIV,
// ChaCha20-Poly1305. Published vectors run in tests/crypto/vectors; here are the refusals.

#include <gtest/gtest.h>

#include <array>

#include "crypto/primitives/aes_gcm.h"
#include "crypto/primitives/aes_siv.h"
#include "crypto/primitives/aes_siv_general.h"
#include "crypto/primitives/chacha20_poly1305.h"
#include "tests/crypto/primitives/test_bytes.h"

namespace paravent::crypto {
namespace {

using Seal = Status (*)(ByteView, ByteView, ByteView, ByteView, MutableBytes);

struct Aead {
  Seal seal, open;
  std::vector<std::size_t> keys, wrong_keys, wrong_nonces;
};

const Aead kAeads[] = {
    {aes_gcm_seal, aes_gcm_open, {16, 24, 32}, {0, 15, 17, 33, 64}, {0, kAesGcmMaxNonce + 1}},
    {chacha20_poly1305_seal, chacha20_poly1305_open, {32}, {0, 16, 31, 33}, {0, 8, 11, 13, 24}},
};

TEST(GeneralAead, OpensWhatItSealedAndNothingElse) {
  Repeatable random(61);
  for (const Aead& aead : kAeads) {
    for (const std::size_t key_size : aead.keys) {
      const Bytes key = random.bytes(key_size);
      const Bytes nonce = random.bytes(12);
      const Bytes ad = random.bytes(random.below(40));
      const Bytes message = random.bytes(33);
      Bytes sealed(message.size() + 16);
      Bytes opened(message.size());
      ASSERT_TRUE(aead.seal(key, nonce, ad, message, sealed));
      ASSERT_TRUE(aead.open(key, nonce, ad, sealed, opened));
      EXPECT_EQ(opened, message);
      for (std::size_t bit = 0; bit < sealed.size() * 8; bit += 3) {
        Bytes altered = sealed;
        altered[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        const Status status = aead.open(key, nonce, ad, altered, opened);
        ASSERT_FALSE(status.has_value());
        EXPECT_EQ(status.error().kind(), ErrorKind::malformed);
        EXPECT_EQ(opened, Bytes(opened.size()));
      }
    }
  }
}

TEST(GeneralAead, RefusesOtherSizes) {
  for (const Aead& aead : kAeads) {
    const Bytes key(aead.keys.back(), 1);
    const Bytes nonce(12, 2);
    Bytes out(32);
    Bytes clear(16);
    const auto refuses = [&](ByteView with_key, ByteView with_nonce) {
      EXPECT_EQ(aead.seal(with_key, with_nonce, {}, clear, out).error().kind(), ErrorKind::usage);
      EXPECT_EQ(aead.open(with_key, with_nonce, {}, out, clear).error().kind(),
                ErrorKind::malformed);
    };
    for (const std::size_t size : aead.wrong_keys) refuses(Bytes(size, 1), nonce);
    for (const std::size_t size : aead.wrong_nonces) refuses(key, Bytes(size, 2));
    Bytes wrong(31);
    EXPECT_EQ(aead.seal(key, nonce, {}, clear, wrong).error().kind(), ErrorKind::usage);
    EXPECT_EQ(aead.open(key, nonce, {}, wrong, clear).error().kind(), ErrorKind::malformed);
    EXPECT_EQ(aead.open(key, nonce, {}, Bytes(15), MutableBytes()).error().kind(),
              ErrorKind::malformed);
  }
}

TEST(AesSivGeneral, AgreesWithTheNarrowForm) {
  Repeatable random(62);
  for (std::size_t size = 1; size < 100; ++size) {
    const Bytes key = random.bytes(64);
    const Bytes ad = random.bytes(1 + random.below(40));
    const Bytes message = random.bytes(size);
    auto narrow = AesSiv256::create(key);
    ASSERT_TRUE(narrow.has_value() && narrow->set_ad(ad).has_value());
    Bytes expected(size + 16);
    ASSERT_TRUE(narrow->seal(message, expected));
    Bytes sealed(size + 16);
    ASSERT_TRUE(aes_siv_seal(key, std::array<ByteView, 1>{ad}, message, sealed));
    ASSERT_EQ(sealed, expected);
    Bytes opened(size);
    ASSERT_TRUE(aes_siv_open(key, std::array<ByteView, 1>{ad}, sealed, opened));
    ASSERT_EQ(opened, message);
  }
}

// RFC 5297 A.2: two strings and a nonce, AES-128.
TEST(AesSivGeneral, PublishedExampleWithSeveralStrings) {
  const Bytes key = unhex("7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f");
  const Bytes ad1 =
      unhex("00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100");
  const Bytes ad2 = unhex("102030405060708090a0");
  const Bytes nonce = unhex("09f911029d74e35bd84156c5635688c0");
  const Bytes message = unhex(
      "7468697320697320736f6d6520706c61696e7465787420746f20656e6372797074207573696e67205349562d4145"
      "53");
  Bytes sealed(message.size() + 16);
  ASSERT_TRUE(aes_siv_seal(key, std::array<ByteView, 3>{ad1, ad2, nonce}, message, sealed));
  EXPECT_EQ(to_hex(sealed),
            "7bdb6e3b432667eb06f4d14bff2fbd0f"
            "cb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c485b62"
            "a3fd5c0d");
}

TEST(AesSivGeneral, RefusesOtherSizes) {
  Bytes out(32);
  Bytes clear(16);
  for (const std::size_t size : {0U, 16U, 31U, 33U, 40U, 63U, 96U}) {
    EXPECT_EQ(aes_siv_seal(Bytes(size, 1), {}, clear, out).error().kind(), ErrorKind::usage);
    EXPECT_EQ(aes_siv_open(Bytes(size, 1), {}, out, clear).error().kind(), ErrorKind::malformed);
  }
  const Bytes key = Repeatable(63).bytes(32);
  const std::vector<ByteView> most(kAesSivMaxStrings);
  EXPECT_TRUE(aes_siv_seal(key, most, clear, out).has_value());
  const std::vector<ByteView> too_many(kAesSivMaxStrings + 1);
  EXPECT_EQ(aes_siv_seal(key, too_many, clear, out).error().kind(), ErrorKind::usage);
  EXPECT_EQ(aes_siv_open(key, {}, Bytes(15), MutableBytes()).error().kind(), ErrorKind::malformed);
  // The empty plaintext, which OpenSSL cannot do, is a message like any other here.
  Bytes tag(16);
  ASSERT_TRUE(aes_siv_seal(key, {}, {}, tag));
  EXPECT_TRUE(aes_siv_open(key, {}, tag, MutableBytes()).has_value());
  tag[3] ^= 1U;
  EXPECT_FALSE(aes_siv_open(key, {}, tag, MutableBytes()).has_value());
}

}  // namespace
}  // namespace paravent::crypto
