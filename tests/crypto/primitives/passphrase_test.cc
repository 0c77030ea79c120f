#include "crypto/primitives/passphrase.h"

#include <gtest/gtest.h>

#include <string>

#include "crypto/primitives/passphrase_facts.h"

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

TEST(PassphraseFacts, CountsWhatARuleAsks) {
  const PassphraseFacts facts = passphrase_facts("Caf\xC3\xA9 noir NOIR, de 1985!");
  EXPECT_EQ(facts.characters, 24U);
  EXPECT_EQ(facts.classes, 4U);
  EXPECT_EQ(facts.words, 4U);           // "de" is too short for a word
  EXPECT_EQ(facts.distinct_words, 3U);  // in either case the same
  EXPECT_TRUE(facts.printable);
  EXPECT_FALSE(passphrase_facts("two\nlines").printable);
  EXPECT_EQ(passphrase_facts("aaaA").distinct, 2U);
  EXPECT_EQ(passphrase_facts("").words, 0U);
  // Two bytes and one character, which is no word of three.
  EXPECT_EQ(passphrase_facts("\xC3\xA9\xC3\xA9").words, 0U);
}

TEST(PassphraseFacts, FindsANameInEitherCase) {
  EXPECT_TRUE(holds_name("for-ANNE-only", "anne"));
  EXPECT_FALSE(holds_name("for-ann-only", "anne"));
  EXPECT_FALSE(holds_name("anything", ""));
}

}  // namespace
}  // namespace paravent::crypto
