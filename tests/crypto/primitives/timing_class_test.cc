// What was altered does not show in the time of the refusal: AES-SIV and XAES-256-GCM look at all
// of it before they answer. An early exit at the first wrong byte or block would be several times
// faster at these sizes.

#include "tests/crypto/primitives/timing_class.h"

#include <gtest/gtest.h>

#include "crypto/primitives/aes_siv.h"
#include "crypto/primitives/xaes_gcm.h"
#include "tests/crypto/primitives/test_bytes.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kSize = 4096;

std::vector<Bytes> altered_at(const Bytes& sealed, std::initializer_list<std::size_t> places) {
  std::vector<Bytes> all;
  for (const std::size_t place : places) {
    all.push_back(sealed);
    all.back()[place] = static_cast<std::uint8_t>(all.back()[place] ^ 1U);
  }
  return all;
}

TEST(TimingClass, AesSivRefusesInOneTime) {
  Repeatable random(51);
  auto siv = AesSiv256::create(random.bytes(64));
  ASSERT_TRUE(siv && siv->set_ad(random.bytes(100)));
  Bytes plaintext = random.bytes(kSize);
  Bytes sealed(kSize + AesSiv256::kOverhead);
  ASSERT_TRUE(siv->seal(plaintext, sealed));
  std::vector<std::function<void()>> runs;
  const auto altered = altered_at(sealed, {0, 15, 16, 2000, sealed.size() - 1});
  for (const Bytes& bad : altered) {
    runs.emplace_back([&] { EXPECT_FALSE(siv->open(bad, plaintext)); });
  }
  EXPECT_TRUE(testing::one_timing_class(runs, 1.25));
}

TEST(TimingClass, XaesRefusesInOneTime) {
  for (const GcmBackend backend : {GcmBackend::automatic, GcmBackend::openssl}) {
    Repeatable random(52);
    auto xaes = Xaes256Gcm::create(random.bytes(32), backend);
    ASSERT_TRUE(xaes);
    const Bytes nonce = random.bytes(Xaes256Gcm::kNonceSize);
    const Bytes ad = random.bytes(100);
    Bytes plaintext = random.bytes(kSize);
    Bytes sealed(kSize + Xaes256Gcm::kTagSize);
    ASSERT_TRUE(xaes->seal(nonce, ad, plaintext, sealed));
    std::vector<std::function<void()>> runs;
    const auto altered = altered_at(sealed, {0, 2000, kSize - 1, kSize, sealed.size() - 1});
    for (const Bytes& bad : altered) {
      runs.emplace_back([&] { EXPECT_FALSE(xaes->open(nonce, ad, bad, plaintext)); });
    }
    const auto nonces = altered_at(nonce, {0, 12, 23});
    for (const Bytes& bad : nonces) {
      runs.emplace_back([&] { EXPECT_FALSE(xaes->open(bad, ad, sealed, plaintext)); });
    }
    const auto ads = altered_at(ad, {0, 99});
    for (const Bytes& bad : ads) {
      runs.emplace_back([&] { EXPECT_FALSE(xaes->open(nonce, bad, sealed, plaintext)); });
    }
    EXPECT_TRUE(testing::one_timing_class(runs, 1.25));
  }
}

// The measure itself sees a difference of two.
TEST(TimingClass, ADifferenceIsSeen) {
  Repeatable random(53);
  auto siv = AesSiv256::create(random.bytes(64));
  ASSERT_TRUE(siv && siv->set_ad(random.bytes(100)));
  const Bytes sealed = random.bytes(kSize);
  Bytes plaintext(kSize - AesSiv256::kOverhead);
  const std::function<void()> once = [&] { EXPECT_FALSE(siv->open(sealed, plaintext)); };
  const std::function<void()> runs[] = {once, [&] {
                                          once();
                                          once();
                                        }};
  EXPECT_FALSE(testing::one_timing_class(runs, 1.35));
}

}  // namespace
}  // namespace paravent::crypto
