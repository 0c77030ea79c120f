#include "crypto/primitives/shamir.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "crypto/primitives/argon2id.h"
#include "tests/crypto/primitives/test_bytes.h"

namespace paravent::crypto {
namespace {

// Bytes 41, 114, 187, ... as the coefficients of the known answers.
class Counted final : public RandomSource {
 public:
  void fill(MutableBytes out) noexcept override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(next_++ * 73 + 41);
  }

 private:
  unsigned next_ = 0;
};

Bytes secret_of(std::size_t size) {
  Bytes secret(size);
  std::iota(secret.begin(), secret.end(), std::uint8_t{0});
  return secret;
}

std::vector<ShamirShare> chosen(const std::vector<ShamirShare>& from,
                                const std::vector<std::size_t>& which) {
  std::vector<ShamirShare> out;
  for (const std::size_t i : which) out.push_back({from[i].point, from[i].value.clone()});
  return out;
}

// Computed by an independent program that multiplies by logarithm tables (generator 3).
TEST(Shamir, KnownAnswers) {
  Counted random;
  const auto shares = shamir_split(secret_of(16), 3, 255, random);
  ASSERT_TRUE(shares);
  const std::pair<std::size_t, const char*> known[] = {
      {1, "9071f29394b5b69778f99a9bbcbd9e7f"},   {2, "80ed586dc7aa0481ee5576cea909aaef"},
      {3, "109da8fd571ab4119ea5e65e19b93a9f"},   {4, "c1f20490543dfdd2c71bf54f08e217d4"},
      {255, "21c67ef62f01dccae0994dcc273b500b"},
  };
  for (const auto& [point, value] : known) {
    EXPECT_EQ((*shares)[point - 1].point, point);
    EXPECT_EQ(to_hex((*shares)[point - 1].value.bytes()), value);
  }
}

TEST(Shamir, AnyThresholdSharesMakeTheSecretInAnyOrder) {
  SystemRandom random;
  const Bytes secret = secret_of(32);
  const auto shares = shamir_split(secret, 3, 5, random);
  ASSERT_TRUE(shares);
  std::vector<std::size_t> order(5);
  std::iota(order.begin(), order.end(), std::size_t{0});
  do {
    const auto joined = shamir_join(chosen(*shares, {order[0], order[1], order[2]}));
    ASSERT_TRUE(joined);
    EXPECT_TRUE(std::ranges::equal(joined->bytes(), secret));
    const auto fewer = shamir_join(chosen(*shares, {order[0], order[1]}));
    ASSERT_TRUE(fewer);
    EXPECT_FALSE(std::ranges::equal(fewer->bytes(), secret));
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_TRUE(std::ranges::equal(shamir_join(*shares)->bytes(), secret));
}

TEST(Shamir, FewerSharesGoWithEverySecret) {
  // For threshold 2 and one share, every secret has exactly one polynomial through it: over all
  // coefficients the share of a fixed secret takes each value once.
  std::vector<int> seen(256);
  class Fixed final : public RandomSource {
   public:
    explicit Fixed(std::uint8_t with) : byte_(with) {}
    void fill(MutableBytes out) noexcept override { std::ranges::fill(out, byte_); }

   private:
    std::uint8_t byte_;
  };
  for (unsigned coefficient = 0; coefficient < 256; ++coefficient) {
    Fixed random(static_cast<std::uint8_t>(coefficient));
    const auto shares = shamir_split(Bytes{0x5A}, 2, 7, random);
    ASSERT_TRUE(shares);
    ++seen[(*shares)[6].value.bytes()[0]];
  }
  EXPECT_TRUE(std::ranges::all_of(seen, [](int count) { return count == 1; }));
}

TEST(Shamir, RefusesWhatMakesNoSense) {
  SystemRandom random;
  for (const auto& [threshold, count] : {std::pair(1U, 3U), {4U, 3U}, {2U, 256U}, {0U, 0U}}) {
    EXPECT_EQ(shamir_split(secret_of(32), threshold, count, random).error().kind(),
              ErrorKind::usage);
  }
  EXPECT_FALSE(shamir_split({}, 2, 3, random));
  const auto shares = shamir_split(secret_of(32), 2, 3, random);
  EXPECT_FALSE(shamir_join(chosen(*shares, {0})));
  EXPECT_FALSE(shamir_join(chosen(*shares, {0, 0})));
  auto zero = chosen(*shares, {0, 1});
  zero[1].point = 0;
  EXPECT_FALSE(shamir_join(zero));
  auto shorter = chosen(*shares, {0, 1});
  shorter[1].value = SecretBytes(31);
  EXPECT_FALSE(shamir_join(shorter));
}

// By the reference program (argon2 -id -p 1 -l 32, password and salt as below).
TEST(Argon2id, KnownAnswers) {
  const ByteView password = as_bytes("correct horse battery staple");
  const ByteView salt = as_bytes("sixteen byte sal");
  SecretBytes out(32);
  ASSERT_TRUE(argon2id(password, salt, 3, 65536, out.mutable_bytes()));
  EXPECT_EQ(to_hex(out.bytes()),
            "0ac0e711d294c49ec3e51f2a6eb18afdbfb4a17a646f490ae30534315dbd05b9");
  ASSERT_TRUE(argon2id(password, salt, 4, 1024, out.mutable_bytes()));
  EXPECT_EQ(to_hex(out.bytes()),
            "a999ae5a11a963114e426bdf4d35d937cdb5823062545b94f1d73904a84ce620");
  EXPECT_EQ(argon2id(password, as_bytes("short"), 3, 65536, out.mutable_bytes()).error().kind(),
            ErrorKind::usage);
  EXPECT_FALSE(argon2id(password, salt, 0, 65536, out.mutable_bytes()));
  EXPECT_FALSE(argon2id(password, salt, 3, 1, out.mutable_bytes()));
}

}  // namespace
}  // namespace paravent::crypto
