#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <thread>
#include <vector>

#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/hmac_sha256.h"
#include "crypto/primitives/sha256.h"
#include "crypto/primitives/shake128.h"
#include "tests/crypto/primitives/test_bytes.h"

namespace paravent::crypto {
namespace {

Sha256Digest oracle_hash(ByteView message) {
  Sha256Digest digest{};
  unsigned size = 0;
  EXPECT_EQ(EVP_Digest(message.data(), message.size(), digest.data(), &size, EVP_sha256(), nullptr),
            1);
  return digest;
}

Sha256Digest oracle_mac(ByteView key, ByteView message) {
  Sha256Digest digest{};
  unsigned size = 0;
  EXPECT_NE(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), message.data(),
                 message.size(), digest.data(), &size),
            nullptr);
  return digest;
}

// FIPS 180-4 examples.
TEST(Sha256, PublishedExamples) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, AnySplitGivesTheSame) {
  Repeatable random(12);
  for (std::size_t size = 0; size < 300; ++size) {
    const Bytes message = random.bytes(size);
    const std::size_t split = random.below(size + 1);
    const Sha256Digest expected = oracle_hash(message);
    ASSERT_EQ(sha256(message), expected);
    Sha256 prefix;
    prefix.update(ByteView(message).first(split));
    Sha256 copy = prefix;  // both continue from the same state
    ASSERT_EQ(prefix.update(ByteView(message).subspan(split)).finish(), expected);
    ASSERT_EQ(copy.update(ByteView(message).subspan(split)).finish(), expected);
  }
}

TEST(HmacSha256, AgreesWithOpensslForAllKeyAndMessageSizes) {
  Repeatable random(13);
  for (std::size_t size = 0; size < 200; ++size) {
    const Bytes key = random.bytes(1 + random.below(140));
    const Bytes message = random.bytes(size);
    const std::size_t split = random.below(size + 1);
    const ByteView head = ByteView(message).first(split);
    const ByteView tail = ByteView(message).subspan(split);
    const Sha256Digest expected = oracle_mac(key, message);
    const HmacSha256 hmac(key);
    ASSERT_EQ(hmac.mac(message), expected);
    ASSERT_EQ(hmac.mac(message), expected) << "a second call must not see the first";
    ASSERT_EQ(hmac.mac(head, tail), expected);
    ASSERT_EQ(hmac.mac({head, {}, tail}), expected);
    ASSERT_EQ(hmac.with_prefix(head).mac(tail), expected);
    ASSERT_EQ(hmac_sha256(key, message), expected);
  }
}

TEST(HmacSha256, OneInstanceServesSeveralThreads) {
  const HmacSha256 hmac(Bytes(32, 9));
  const Bytes message(100, 3);
  const Sha256Digest expected = hmac.mac(message);
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (auto& count : wrong) {
    threads.emplace_back([&hmac, &message, &expected, &count] {
      for (int i = 0; i < 2000; ++i) count += hmac.mac(message) == expected ? 0 : 1;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

// RFC 5869 A.2 and A.3 (A.1 is a start-up self-test).
TEST(Hkdf, PublishedExamples) {
  Bytes ikm, salt, info;
  for (unsigned i = 0; i < 80; ++i) {
    ikm.push_back(static_cast<std::uint8_t>(i));
    salt.push_back(static_cast<std::uint8_t>(0x60 + i));
    info.push_back(static_cast<std::uint8_t>(0xb0 + i));
  }
  Bytes okm(82);
  ASSERT_TRUE(hkdf_expand_sha256(hkdf_extract_sha256(salt, ikm), info, okm));
  EXPECT_EQ(
      to_hex(okm),
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e"
      "590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  const Sha256Digest prk = hkdf_extract_sha256({}, Bytes(22, 0x0b));
  EXPECT_EQ(to_hex(prk), "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04");
  Bytes third(42);
  ASSERT_TRUE(hkdf_expand_sha256(prk, {}, third));
  EXPECT_EQ(to_hex(third),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(Hkdf, RefusesImpossibleSizes) {
  Bytes longest(kHkdfMaxOutput);
  EXPECT_TRUE(hkdf_expand_sha256(Bytes(32, 1), {}, longest).has_value());
  Bytes too_long(kHkdfMaxOutput + 1);
  EXPECT_EQ(hkdf_expand_sha256(Bytes(32, 1), {}, too_long).error().kind(), ErrorKind::usage);
  EXPECT_EQ(hkdf_expand_sha256(Bytes(32, 1), {}, MutableBytes()).error().kind(), ErrorKind::usage);
}

// FIPS 202 example values, SHAKE-128 of the empty message.
TEST(Shake128, PublishedExample) {
  Bytes out(32);
  ASSERT_TRUE(shake128({}, out));
  EXPECT_EQ(to_hex(out), "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
}

}  // namespace
}  // namespace paravent::crypto
