#include "crypto/primitives/aes_key_wrap.h"

#include <gtest/gtest.h>

#include "tests/crypto/primitives/test_bytes.h"

namespace paravent::crypto {
namespace {

Bytes bytes_of(const SecretBytes& secret) { return {secret.bytes().begin(), secret.bytes().end()}; }

// RFC 3394 4.1, RFC 5649 6.
TEST(AesKeyWrap, PublishedExamples) {
  const auto kw = aes_kw_wrap(unhex("000102030405060708090a0b0c0d0e0f"),
                              unhex("00112233445566778899aabbccddeeff"));
  ASSERT_TRUE(kw.has_value());
  EXPECT_EQ(to_hex(*kw), "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
  const Bytes kek = unhex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8");
  const auto kwp = aes_kwp_wrap(kek, unhex("466f7250617369"));
  ASSERT_TRUE(kwp.has_value());
  EXPECT_EQ(to_hex(*kwp), "afbeb0f07dfbf5419200f2ccb50bb24f");
  const auto back = aes_kwp_unwrap(kek, *kwp);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(to_hex(back->bytes()), "466f7250617369");
}

TEST(AesKeyWrap, UnwrapsWhatItWrappedAndNothingElse) {
  Repeatable random(71);
  for (const std::size_t kek_size : {16U, 24U, 32U}) {
    for (std::size_t size = 1; size <= 100; ++size) {
      const Bytes kek = random.bytes(kek_size);
      const Bytes key = random.bytes(size);
      auto wrapped = aes_kwp_wrap(kek, key);
      ASSERT_TRUE(wrapped.has_value()) << size;
      auto opened = aes_kwp_unwrap(kek, *wrapped);
      ASSERT_TRUE(opened.has_value()) << size;
      ASSERT_EQ(bytes_of(*opened), key);
      (*wrapped)[random.below(wrapped->size())] ^= 1U;
      const auto refused = aes_kwp_unwrap(kek, *wrapped);
      ASSERT_FALSE(refused.has_value());
      EXPECT_EQ(refused.error().kind(), ErrorKind::malformed);
      if (size < 16 || size % 8 != 0) continue;
      auto plain = aes_kw_wrap(kek, key);
      ASSERT_TRUE(plain.has_value());
      opened = aes_kw_unwrap(kek, *plain);
      ASSERT_TRUE(opened.has_value());
      ASSERT_EQ(bytes_of(*opened), key);
      EXPECT_FALSE(aes_kwp_unwrap(kek, *plain).has_value()) << "the two formats are apart";
      plain->back() ^= 1U;
      EXPECT_FALSE(aes_kw_unwrap(kek, *plain).has_value());
    }
  }
}

// EVP answers success without output on an empty input; here nothing shorter than a key passes.
TEST(AesKeyWrap, RefusesImpossibleLengths) {
  const Bytes kek(32, 1);
  for (const std::size_t size : {0U, 1U, 8U, 15U, 17U, 20U}) {
    EXPECT_EQ(aes_kw_wrap(kek, Bytes(size, 2)).error().kind(), ErrorKind::usage) << size;
  }
  for (const std::size_t size : {0U, 1U, 8U, 16U, 17U, 23U, 25U, 31U}) {
    EXPECT_EQ(aes_kw_unwrap(kek, Bytes(size, 2)).error().kind(), ErrorKind::malformed) << size;
  }
  EXPECT_EQ(aes_kwp_wrap(kek, {}).error().kind(), ErrorKind::usage);
  for (const std::size_t size : {0U, 1U, 8U, 15U, 17U, 23U}) {
    EXPECT_EQ(aes_kwp_unwrap(kek, Bytes(size, 2)).error().kind(), ErrorKind::malformed) << size;
  }
  EXPECT_EQ(aes_kw_wrap(kek, Bytes(kMaxWrappedKey + 8)).error().kind(), ErrorKind::usage);
  EXPECT_EQ(aes_kwp_wrap(kek, Bytes(kMaxWrappedKey + 1)).error().kind(), ErrorKind::usage);
  EXPECT_EQ(aes_kw_unwrap(kek, Bytes(kMaxWrappedKey + 16)).error().kind(), ErrorKind::malformed);
  EXPECT_EQ(aes_kwp_unwrap(kek, Bytes(kMaxWrappedKey + 16)).error().kind(), ErrorKind::malformed);
}

TEST(AesKeyWrap, RefusesOtherWrappingKeys) {
  const Bytes key(16, 2);
  for (const std::size_t size : {0U, 15U, 17U, 33U, 64U}) {
    const Bytes kek(size, 1);
    EXPECT_EQ(aes_kw_wrap(kek, key).error().kind(), ErrorKind::usage);
    EXPECT_EQ(aes_kwp_wrap(kek, key).error().kind(), ErrorKind::usage);
    EXPECT_EQ(aes_kw_unwrap(kek, Bytes(24)).error().kind(), ErrorKind::malformed);
    EXPECT_EQ(aes_kwp_unwrap(kek, Bytes(24)).error().kind(), ErrorKind::malformed);
  }
}

}  // namespace
}  // namespace paravent::crypto
