#include "crypto/primitives/aes_cmac.h"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <memory>

#include "tests/crypto/primitives/test_bytes.h"

namespace paravent::crypto {
namespace {

constexpr std::string_view kMessage =
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

struct Example {
  std::string_view key;
  std::size_t size;
  std::string_view tag;
};

// NIST SP 800-38B appendix D (AES-128, also RFC 4493; AES-256).
constexpr Example kExamples[] = {
    {"2b7e151628aed2a6abf7158809cf4f3c", 0, "bb1d6929e95937287fa37d129b756746"},
    {"2b7e151628aed2a6abf7158809cf4f3c", 16, "070a16b46b4d4144f79bdd9dd04a287c"},
    {"2b7e151628aed2a6abf7158809cf4f3c", 40, "dfa66747de9ae63030ca32611497c827"},
    {"2b7e151628aed2a6abf7158809cf4f3c", 64, "51f0bebf7e3b9d92fc49741779363cfe"},
    {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 0,
     "028962f61b7bf89efc6b551f4667d983"},
    {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 16,
     "28a7023f452e8f82bd4bf28d8c37c35c"},
    {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 40,
     "aaf3d8f1de5640c232f5b169b9c911e6"},
    {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 64,
     "e1992190549f6ed5696a2c056c315410"},
};

AesBlock oracle(ByteView key, ByteView message) {
  struct Free {
    void operator()(EVP_MAC* p) const { EVP_MAC_free(p); }
    void operator()(EVP_MAC_CTX* p) const { EVP_MAC_CTX_free(p); }
  };
  const std::unique_ptr<EVP_MAC, Free> mac(EVP_MAC_fetch(nullptr, "CMAC", nullptr));
  const std::unique_ptr<EVP_MAC_CTX, Free> context(EVP_MAC_CTX_new(mac.get()));
  char name[] = "AES-256-CBC";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, name, 0),
                                   OSSL_PARAM_construct_end()};
  AesBlock tag{};
  std::size_t written = 0;
  EXPECT_EQ(EVP_MAC_init(context.get(), key.data(), key.size(), parameters), 1);
  EXPECT_EQ(EVP_MAC_update(context.get(), message.data(), message.size()), 1);
  EXPECT_EQ(EVP_MAC_final(context.get(), tag.data(), &written, tag.size()), 1);
  return tag;
}

TEST(AesCmac, PublishedExamples) {
  for (const Example& example : kExamples) {
    auto cmac = AesCmac::create(unhex(example.key));
    ASSERT_TRUE(cmac.has_value());
    AesBlock tag{};
    // Twice: the kept chaining context must not remember the first message.
    for (int i = 0; i < 2; ++i) {
      ASSERT_TRUE(cmac->mac(ByteView(unhex(kMessage)).first(example.size), tag));
      EXPECT_EQ(to_hex(tag), example.tag);
    }
  }
}

TEST(AesCmac, AgreesWithOpensslAtEveryLengthAndPrefix) {
  Repeatable random(2);
  const Bytes key = random.bytes(32);
  auto cmac = AesCmac::create(key);
  ASSERT_TRUE(cmac.has_value());
  AesBlock tag{};
  for (std::size_t size = 0; size <= 1100; ++size) {
    const Bytes message = random.bytes(size);
    const std::size_t split = random.below(size + 1);
    const AesBlock expected = oracle(key, message);
    ASSERT_TRUE(cmac->set_prefix({}));
    ASSERT_TRUE(cmac->mac(message, tag));
    ASSERT_EQ(tag, expected) << size;
    ASSERT_TRUE(cmac->set_prefix(ByteView(message).first(split)));
    ASSERT_TRUE(cmac->mac(ByteView(message).subspan(split), tag));
    ASSERT_EQ(tag, expected) << size << " split at " << split;
  }
}

TEST(AesCmac, XorendChangesTheLastSixteenBytes) {
  Repeatable random(3);
  auto cmac = AesCmac::create(random.bytes(32));
  ASSERT_TRUE(cmac.has_value());
  for (std::size_t size = 16; size < 600; ++size) {
    Bytes message = random.bytes(size);
    const Bytes mask_bytes = random.bytes(16);
    AesBlock mask{};
    std::copy(mask_bytes.begin(), mask_bytes.end(), mask.begin());
    AesBlock tag{};
    AesBlock expected{};
    ASSERT_TRUE(cmac->mac_xorend(message, mask, tag));
    for (std::size_t i = 0; i < 16; ++i) message[size - 16 + i] ^= mask[i];
    ASSERT_TRUE(cmac->mac(message, expected));
    ASSERT_EQ(tag, expected) << size;
  }
  AesBlock tag{};
  EXPECT_FALSE(cmac->mac_xorend(Bytes(15), AesBlock{}, tag).has_value());
}

TEST(AesCmac, RefusesOtherKeySizes) {
  for (const std::size_t size : {0U, 15U, 17U, 31U, 33U, 64U}) {
    const auto cmac = AesCmac::create(Bytes(size));
    ASSERT_FALSE(cmac.has_value());
    EXPECT_EQ(cmac.error().kind(), ErrorKind::usage);
  }
}

TEST(Doubled, MatchesTheFieldPolynomial) {
  AesBlock one{};
  one[15] = 1;
  EXPECT_EQ(to_hex(doubled(one)), "00000000000000000000000000000002");
  AesBlock top{};
  top[0] = 0x80;
  EXPECT_EQ(to_hex(doubled(top)), "00000000000000000000000000000087");
  AesBlock carry{};
  carry[15] = 0x80;
  EXPECT_EQ(to_hex(doubled(carry)), "00000000000000000000000000000100");
}

}  // namespace
}  // namespace paravent::crypto
