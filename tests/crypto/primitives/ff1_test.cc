#include "crypto/primitives/ff1.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/crypto/primitives/test_bytes.h"

namespace paravent::crypto {
namespace {

using Digits = std::vector<std::uint16_t>;

constexpr std::string_view kAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz";

Digits digits_of(std::string_view text) {
  Digits digits;
  for (const char c : text) digits.push_back(static_cast<std::uint16_t>(kAlphabet.find(c)));
  return digits;
}

std::string text_of(const Digits& digits) {
  std::string text;
  for (const std::uint16_t digit : digits) text.push_back(kAlphabet[digit]);
  return text;
}

Ff1 made(ByteView key, std::uint32_t radix) {
  auto ff1 = Ff1::create(key, radix);
  EXPECT_TRUE(ff1.has_value());
  return std::move(*ff1);
}

constexpr std::string_view kKey256 =
    "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94";

// The samples that NIST publishes with SP 800-38G, all three key sizes.
TEST(Ff1, PublishedSamples) {
  struct Sample {
    std::size_t key_digits;
    std::uint32_t radix;
    std::string_view tweak, clear, encrypted;
  };
  constexpr Sample kSamples[] = {
      {32, 10, "", "0123456789", "2433477484"},
      {32, 10, "39383736353433323130", "0123456789", "6124200773"},
      {32, 36, "3737373770717273373737", "0123456789abcdefghi", "a9tv40mll9kdu509eum"},
      {48, 10, "", "0123456789", "2830668132"},
      {48, 10, "39383736353433323130", "0123456789", "2496655549"},
      {48, 36, "3737373770717273373737", "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"},
      {64, 10, "", "0123456789", "6657667009"},
      {64, 10, "39383736353433323130", "0123456789", "1001623463"},
      {64, 36, "3737373770717273373737", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"},
  };
  for (const Sample& sample : kSamples) {
    Ff1 ff1 = made(unhex(kKey256.substr(0, sample.key_digits)), sample.radix);
    const Digits clear = digits_of(sample.clear);
    Digits out(clear.size());
    ASSERT_TRUE(ff1.encrypt(unhex(sample.tweak), clear, out));
    EXPECT_EQ(text_of(out), sample.encrypted);
    ASSERT_TRUE(ff1.decrypt(unhex(sample.tweak), out, out)) << "in place";
    EXPECT_EQ(out, clear);
  }
}

// Every way through the code: both number sizes, one and two blocks per round, big numbers.
TEST(Ff1, OpensWhatItMade) {
  Repeatable random(41);
  for (const std::uint32_t radix : {2U, 3U, 10U, 26U, 36U, 255U, 256U, 65535U, 65536U}) {
    Ff1 ff1 = made(random.bytes(32), radix);
    for (std::size_t length = 20; length <= 220; length += 1 + random.below(9)) {
      const Bytes tweak = random.bytes(random.below(50));
      Digits clear(length);
      for (auto& digit : clear) digit = static_cast<std::uint16_t>(random.below(radix));
      Digits out(length);
      Digits back(length);
      ASSERT_TRUE(ff1.encrypt(tweak, clear, out));
      for (const std::uint16_t digit : out) ASSERT_LT(digit, radix);
      ASSERT_NE(out, clear) << radix << " " << length;
      ASSERT_TRUE(ff1.decrypt(tweak, out, back));
      ASSERT_EQ(back, clear) << radix << " " << length;
    }
  }
}

// What is kept from one call to the next must not reach a call of another length or tweak size.
TEST(Ff1, CallsAreIndependent) {
  Repeatable random(42);
  const Bytes key = random.bytes(16);
  Ff1 kept = made(key, 10);
  for (int i = 0; i < 300; ++i) {
    Digits clear(6 + random.below(70));
    for (auto& digit : clear) digit = static_cast<std::uint16_t>(random.below(10));
    const Bytes tweak = random.bytes(random.below(20));
    Digits from_kept(clear.size());
    Digits from_fresh(clear.size());
    ASSERT_TRUE(kept.encrypt(tweak, clear, from_kept));
    ASSERT_TRUE(made(key, 10).encrypt(tweak, clear, from_fresh));
    ASSERT_EQ(from_kept, from_fresh);
  }
  Ff1 moved = std::move(kept);
  Digits six(6);
  EXPECT_TRUE(moved.encrypt({}, six, six).has_value());
}

// The state behind a tweak is kept; it must not reach another tweak, length or radix.
TEST(Ff1, KeptTweaksAreIndependent) {
  Repeatable random(44);
  const Bytes key = random.bytes(32);
  const Bytes tweaks[] = {random.bytes(16), random.bytes(16), random.bytes(15), random.bytes(32)};
  Ff1 kept = made(key, 10);
  for (int i = 0; i < 600; ++i) {
    // Halves of 4, 5 and 8 bytes as numbers, and the two ways round.
    const std::size_t lengths[] = {16, 17, 22, 38};
    Digits clear(lengths[random.below(4)]);
    for (auto& digit : clear) digit = static_cast<std::uint16_t>(random.below(10));
    const Bytes& tweak = tweaks[random.below(4)];
    Digits from_kept(clear.size());
    Digits from_fresh(clear.size());
    Ff1 fresh = made(key, 10);
    const bool forward = random.below(2) == 0;
    ASSERT_TRUE(forward ? kept.encrypt(tweak, clear, from_kept)
                        : kept.decrypt(tweak, clear, from_kept));
    ASSERT_TRUE(forward ? fresh.encrypt(tweak, clear, from_fresh)
                        : fresh.decrypt(tweak, clear, from_fresh));
    ASSERT_EQ(from_kept, from_fresh);
  }
}

// Every modulus that fits 64 bits is divided by multiplying: both ways at the edges of the sizes.
TEST(Ff1, OpensAtTheEdgesOfMachineIntegers) {
  Repeatable random(45);
  for (const std::uint32_t radix : {2U, 3U, 10U, 255U, 256U, 65535U, 65536U}) {
    Ff1 ff1 = made(random.bytes(32), radix);
    for (std::size_t length = 2; length <= 70; ++length) {
      for (const std::uint32_t digit : {0U, radix - 1}) {
        const Digits clear(length, static_cast<std::uint16_t>(digit));
        Digits out(length);
        if (!ff1.encrypt(Bytes(16), clear, out)) continue;
        for (const std::uint16_t made_digit : out) ASSERT_LT(made_digit, radix);
        ASSERT_TRUE(ff1.decrypt(Bytes(16), out, out));
        ASSERT_EQ(out, clear) << radix << " " << length;
      }
    }
  }
}

// Every fiftieth string of the smallest decimal domain: no two may meet.
TEST(Ff1, IsInjective) {
  Ff1 ff1 = made(unhex(kKey256), 10);
  std::vector<bool> seen(1'000'000);
  for (std::uint32_t value = 0; value < 1'000'000; value += 50) {
    Digits digits(6);
    std::uint32_t rest = value;
    for (auto& digit : digits) {
      digit = static_cast<std::uint16_t>(rest % 10);
      rest /= 10;
    }
    ASSERT_TRUE(ff1.encrypt(as_bytes("tweak"), digits, digits));
    std::uint32_t out = 0;
    for (const std::uint16_t digit : digits) out = out * 10 + digit;
    ASSERT_FALSE(seen[out]);
    seen[out] = true;
  }
}

TEST(Ff1, KeyTweakAndRadixSeparate) {
  Repeatable random(43);
  const Bytes key = random.bytes(32);
  const Digits clear = digits_of("0123456789012345");
  const auto encrypted = [&clear](ByteView with_key, std::uint32_t radix, std::string_view tweak) {
    Ff1 ff1 = made(with_key, radix);
    Digits out(clear.size());
    EXPECT_TRUE(ff1.encrypt(as_bytes(tweak), clear, out));
    return out;
  };
  const Digits reference = encrypted(key, 10, "a");
  EXPECT_NE(encrypted(random.bytes(32), 10, "a"), reference);
  EXPECT_NE(encrypted(key, 11, "a"), reference);
  EXPECT_NE(encrypted(key, 10, "b"), reference);
  EXPECT_NE(encrypted(key, 10, ""), reference);
  EXPECT_NE(encrypted(key, 10, std::string_view("a\0", 2)), reference);
}

TEST(Ff1, RefusesSmallDomains) {
  const Bytes key(32, 1);
  struct Edge {
    std::uint32_t radix;
    std::size_t length;  // the shortest that is allowed
  };
  for (const Edge edge : {Edge{2, 20}, Edge{10, 6}, Edge{36, 4}, Edge{62, 4}, Edge{100, 3},
                          Edge{255, 3}, Edge{1000, 2}, Edge{65536, 2}}) {
    Ff1 ff1 = made(key, edge.radix);
    Digits right(edge.length);
    EXPECT_TRUE(ff1.encrypt({}, right, right).has_value()) << edge.radix;
    Digits shorter(edge.length - 1, 1);
    const Digits before = shorter;
    EXPECT_EQ(ff1.encrypt({}, shorter, shorter).error().kind(), ErrorKind::usage) << edge.radix;
    EXPECT_EQ(ff1.decrypt({}, shorter, shorter).error().kind(), ErrorKind::usage) << edge.radix;
    EXPECT_EQ(shorter, before);
  }
  Ff1 ff1 = made(key, 10);
  EXPECT_EQ(ff1.encrypt({}, {}, {}).error().kind(), ErrorKind::usage);
}

// For published vectors only.
TEST(Ff1, ComputesSmallDomainsWhenAsked) {
  auto ff1 = Ff1::create(Bytes(32, 1), 10, Ff1::SmallDomains::computed);
  ASSERT_TRUE(ff1.has_value());
  std::vector<bool> seen(100);
  for (std::uint16_t value = 0; value < 100; ++value) {
    Digits digits = {static_cast<std::uint16_t>(value / 10),
                     static_cast<std::uint16_t>(value % 10)};
    const Digits clear = digits;
    ASSERT_TRUE(ff1->encrypt({}, digits, digits));
    const std::size_t out = digits[0] * 10U + digits[1];
    ASSERT_FALSE(seen[out]);
    seen[out] = true;
    ASSERT_TRUE(ff1->decrypt({}, digits, digits));
    ASSERT_EQ(digits, clear);
  }
  Digits one(1);
  EXPECT_EQ(ff1->encrypt({}, one, one).error().kind(), ErrorKind::usage);
}

TEST(Ff1, RefusesForeignDigitsAndSizes) {
  Ff1 ff1 = made(Bytes(16, 1), 10);
  Digits digits(8);
  Digits out(8, 3);
  for (std::size_t at = 0; at < digits.size(); ++at) {
    for (const std::uint16_t bad : std::initializer_list<std::uint16_t>{10, 11, 255, 65535}) {
      digits[at] = bad;
      EXPECT_EQ(ff1.encrypt({}, digits, out).error().kind(), ErrorKind::usage);
      EXPECT_EQ(ff1.decrypt({}, digits, out).error().kind(), ErrorKind::usage);
    }
    digits[at] = 0;
  }
  EXPECT_EQ(out, Digits(8, 3)) << "untouched";
  Digits shorter(7);
  EXPECT_EQ(ff1.encrypt({}, digits, shorter).error().kind(), ErrorKind::usage);
  Digits longest(Ff1::kMaxLength);
  EXPECT_TRUE(ff1.encrypt({}, longest, longest).has_value());
  Digits too_long(Ff1::kMaxLength + 1);
  EXPECT_EQ(ff1.encrypt({}, too_long, too_long).error().kind(), ErrorKind::usage);
  EXPECT_TRUE(ff1.encrypt(Bytes(Ff1::kMaxTweak), digits, out).has_value());
  EXPECT_EQ(ff1.encrypt(Bytes(Ff1::kMaxTweak + 1), digits, out).error().kind(), ErrorKind::usage);
}

TEST(Ff1, RefusesOtherKeysAndRadices) {
  for (const std::size_t size : {0U, 8U, 15U, 17U, 31U, 33U, 64U}) {
    EXPECT_EQ(Ff1::create(Bytes(size, 1), 10).error().kind(), ErrorKind::usage) << size;
  }
  for (const std::uint32_t radix : {0U, 1U, 65537U, 0xffffffffU}) {
    EXPECT_EQ(Ff1::create(Bytes(32, 1), radix).error().kind(), ErrorKind::usage) << radix;
  }
}

}  // namespace
}  // namespace paravent::crypto
