#include "crypto/primitives/hedged_nonce.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/crypto/primitives/test_bytes.h"

namespace paravent::crypto {
namespace {

// The failure the hedge is for: a generator that repeats itself.
class StuckRandom final : public RandomSource {
 public:
  void fill(MutableBytes out) noexcept override { std::ranges::fill(out, std::uint8_t{0x5a}); }
};

using Nonce = std::array<std::uint8_t, HedgedNonce::kNonceSize>;

TEST(HedgedNonce, IsRandomXorCmacOfContextAndFrame) {
  const Bytes key = Repeatable(17).bytes(32);
  const std::string ctx = "a context string of some length";
  auto hedge = HedgedNonce::create(key, as_bytes(ctx));
  ASSERT_TRUE(hedge.has_value());
  StuckRandom stuck;
  Nonce nonce{};
  ASSERT_TRUE(hedge->next(as_bytes("frame"), stuck, nonce));
  auto cmac = AesCmac::create(key);
  AesBlock mac{};
  ASSERT_TRUE(cmac->mac(as_bytes(ctx + "frame"), mac));
  for (std::size_t i = 0; i < nonce.size(); ++i) {
    EXPECT_EQ(nonce[i], 0x5a ^ (i < 16 ? mac[i] : 0)) << i;
  }
}

TEST(HedgedNonce, RepeatedRandomnessRepeatsOnlyForTheSameValue) {
  const Bytes key = Repeatable(18).bytes(32);
  auto first = HedgedNonce::create(key, as_bytes("one"));
  auto second = HedgedNonce::create(key, as_bytes("two"));
  StuckRandom stuck;
  Nonce a{}, b{}, c{}, d{};
  ASSERT_TRUE(first->next(as_bytes("x"), stuck, a));
  ASSERT_TRUE(first->next(as_bytes("y"), stuck, b));
  ASSERT_TRUE(first->next(as_bytes("x"), stuck, c));
  ASSERT_TRUE(second->next(as_bytes("x"), stuck, d));
  EXPECT_NE(a, b);
  EXPECT_EQ(a, c);
  EXPECT_NE(a, d);
}

TEST(HedgedNonce, RealRandomnessNeverRepeats) {
  auto hedge = HedgedNonce::create(Bytes(32, 1), as_bytes("ctx"));
  RandomBuffer random;
  Nonce a{}, b{};
  ASSERT_TRUE(hedge->next(as_bytes("x"), random, a));
  ASSERT_TRUE(hedge->next(as_bytes("x"), random, b));
  EXPECT_NE(a, b);
}

TEST(HedgedNonce, RefusesWrongSizes) {
  EXPECT_EQ(HedgedNonce::create(Bytes(16), {}).error().kind(), ErrorKind::usage);
  auto hedge = HedgedNonce::create(Bytes(32), {});
  SystemRandom random;
  std::array<std::uint8_t, 12> small{};
  EXPECT_EQ(hedge->next({}, random, small).error().kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace paravent::crypto
