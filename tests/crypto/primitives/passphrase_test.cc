#include "crypto/primitives/passphrase.h"

#include <gtest/gtest.h>

#include <string>

namespace paravent::crypto {
namespace {

constexpr PassphraseCost kCheap{1, 64};
constexpr TotpSecret kSecret{1, 2, 3};

TEST(Passphrase, OpensWithTheSameOnly) {
  const auto kept = keep_passphrase("correct horse", kSecret, kCheap).value();
  EXPECT_EQ(open_passphrase("correct horse", kept).value(), kSecret);
  for (const std::string& wrong :
       {std::string(), std::string("correct hors"), std::string("Correct horse"),
        std::string("correct horse "), std::string(2000, 'x')}) {
    const auto opened = open_passphrase(wrong, kept);
    ASSERT_FALSE(opened.has_value());
    EXPECT_EQ(opened.error().kind(), ErrorKind::refused);
    EXPECT_TRUE(opened.error().sentence().empty());
  }
}

TEST(Passphrase, EachIsKeptDifferently) {
  const auto one = keep_passphrase("same", kSecret, kCheap).value();
  const auto two = keep_passphrase("same", kSecret, kCheap).value();
  EXPECT_NE(one.salt, two.salt);
  EXPECT_NE(one.verifier, two.verifier);
  EXPECT_NE(one.sealed, two.sealed);
}

TEST(Passphrase, AnyAlteredByteIsTheEnd) {
  const auto kept = keep_passphrase("same", kSecret, kCheap).value();
  const auto opens = [](const PassphraseVerifier& altered) {
    return open_passphrase("same", altered).has_value();
  };
  for (std::size_t i = 0; i < kept.sealed.size(); ++i) {
    PassphraseVerifier altered = kept;
    altered.sealed.at(i) ^= 1U;
    EXPECT_FALSE(opens(altered)) << i;
  }
  PassphraseVerifier altered = kept;
  altered.salt[3] ^= 1U;
  EXPECT_FALSE(opens(altered));
  altered = kept;
  altered.verifier[3] ^= 1U;
  EXPECT_FALSE(opens(altered));
  altered = kept;
  altered.cost.passes = 2;
  EXPECT_FALSE(opens(altered));
}

TEST(Passphrase, ImpossibleCostsAreRefused) {
  for (const PassphraseCost cost : {PassphraseCost{0, 64}, PassphraseCost{33, 64},
                                    PassphraseCost{1, 7}, PassphraseCost{1, 2 * 1024 * 1024}}) {
    EXPECT_FALSE(is_possible(cost));
    EXPECT_EQ(keep_passphrase("x", kSecret, cost).error().kind(), ErrorKind::usage);
  }
  EXPECT_EQ(keep_passphrase(std::string(1025, 'x'), kSecret, kCheap).error().kind(),
            ErrorKind::usage);
}

// The floor itself: 64 MiB and three passes, once.
TEST(Passphrase, TheDefaultCost) {
  const auto kept = keep_passphrase("correct horse", kSecret).value();
  EXPECT_EQ(kept.cost, (PassphraseCost{3, 65536}));
  EXPECT_EQ(open_passphrase("correct horse", kept).value(), kSecret);
}

}  // namespace
}  // namespace paravent::crypto
