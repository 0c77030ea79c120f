#include "crypto/tokens/shape_text.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "crypto/base/bytes.h"

namespace paravent::crypto {
namespace {

using Random = std::array<std::uint8_t, 32>;

struct Drawn {
  Shape shape;
  std::uint8_t length;
};

std::vector<Drawn> all_drawn() {
  std::vector<Drawn> list = {
      {Shape::phone, 0}, {Shape::digits, 0}, {Shape::digits_digits, 0}, {Shape::hex16, 0},
      {Shape::uuid, 0},  {Shape::ip, 0},     {Shape::alphanumeric, 0},  {Shape::ipv4, 0}};
  for (std::uint8_t n = 6; n <= 18; ++n) list.push_back({Shape::digits, n});
  for (std::uint8_t n = 8; n <= 32; ++n) list.push_back({Shape::alphanumeric, n});
  return list;
}

std::string drawn(Shape shape, std::uint8_t length, const Random& random) {
  std::string out = "kept ";
  append_shape(shape, length, random, out);
  EXPECT_TRUE(out.starts_with("kept "));
  return out.substr(5);
}

Random random_of(std::mt19937_64& rng) {
  Random random;
  for (auto& byte : random) byte = static_cast<std::uint8_t>(rng());
  return random;
}

// Known answers: the lowest draw, the highest, and one between, computed by hand
// (docs/token-format.md 11).
TEST(ShapeText, KnownAnswers) {
  Random zero{};
  Random most;
  most.fill(0xFF);
  Random half{};
  half[0] = 0x80;
  struct Case {
    Shape shape;
    std::uint8_t length;
    const char* zero;
    const char* half;
    const char* most;
  };
  const Case cases[] = {
      {Shape::phone, 0, "+999000000000000", "+999500000000000", "+999999999999999"},
      {Shape::digits, 0, "100000000000", "550000000000", "999999999999"},
      {Shape::digits, 6, "100000", "550000", "999999"},
      {Shape::digits_digits, 0, "1000000000.1000000000", "5500000000.1000000000",
       "9999999999.9999999999"},
      {Shape::hex16, 0, "0000000000000000", "8000000000000000", "ffffffffffffffff"},
      {Shape::uuid, 0, "00000000-0000-4000-8000-000000000000",
       "80000000-0000-4000-8000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff"},
      {Shape::alphanumeric, 0, "aaaaaaaaaaaaaaaa", "naaaaaaaaaaaaaaa", "z999999999999999"},
      {Shape::alphanumeric, 8, "aaaaaaaa", "naaaaaaa", "z9999999"},
      {Shape::ip, 0, "fd00::", "fd80::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
      {Shape::ipv4, 0, "240.0.0.0", "240.0.0.0", "255.255.255.255"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(drawn(c.shape, c.length, zero), c.zero);
    EXPECT_EQ(drawn(c.shape, c.length, half), c.half);
    EXPECT_EQ(drawn(c.shape, c.length, most), c.most);
  }
}

TEST(ShapeText, WhatIsDrawnMatchesAndNothingElseDoes) {
  std::mt19937_64 rng(1);
  const std::vector<Drawn> list = all_drawn();
  for (const Drawn& one : list) {
    ASSERT_TRUE(is_shape_drawn(one.shape, one.length));
    const bool address = one.shape == Shape::ip || one.shape == Shape::ipv4;
    for (int i = 0; i < 200; ++i) {
      const std::string text = drawn(one.shape, one.length, random_of(rng));
      ASSERT_TRUE(matches_shape(one.shape, one.length, text)) << text;
      const std::size_t most = shape_length(one.shape, one.length);
      ASSERT_TRUE(address ? text.size() <= most : text.size() == most) << text;
      // A surrogate of one shape is not taken for one of another, hexadecimal digits apart, which
      // may be all decimal or begin with a letter.
      for (const Drawn& other : list) {
        const bool same =
            other.shape == one.shape && effective_shape_length(other.shape, other.length) ==
                                            effective_shape_length(one.shape, one.length);
        if (same || one.shape == Shape::hex16 || other.shape == Shape::hex16) continue;
        if (other.shape == Shape::alphanumeric || one.shape == Shape::alphanumeric) {
          if (text.size() == shape_length(other.shape, other.length)) continue;
        }
        ASSERT_FALSE(matches_shape(other.shape, other.length, text)) << text;
      }
      for (const char* extra : {" ", "\n", "x"}) {
        ASSERT_FALSE(matches_shape(one.shape, one.length, text + extra)) << text;
        ASSERT_FALSE(matches_shape(one.shape, one.length, extra + text)) << text;
      }
      ASSERT_FALSE(matches_shape(one.shape, one.length, std::string_view(text).substr(1)));
    }
    EXPECT_FALSE(matches_shape(one.shape, one.length, ""));
  }
}

TEST(ShapeText, OneSpelling) {
  EXPECT_FALSE(matches_shape(Shape::ip, 0, "FD00::1"));
  EXPECT_FALSE(matches_shape(Shape::ip, 0, "fd00:0::1"));
  EXPECT_FALSE(matches_shape(Shape::ip, 0, "fe80::1"));
  EXPECT_FALSE(matches_shape(Shape::ipv4, 0, "::ffff:240.0.0.1"));
  EXPECT_FALSE(matches_shape(Shape::ipv4, 0, "239.255.255.255"));
  EXPECT_FALSE(matches_shape(Shape::uuid, 0, "00000000-0000-1000-8000-000000000000"));
  EXPECT_FALSE(matches_shape(Shape::uuid, 0, "00000000-0000-4000-c000-000000000000"));
  EXPECT_FALSE(matches_shape(Shape::uuid, 0, "00000000-0000-4000-8000-00000000000G"));
  EXPECT_FALSE(matches_shape(Shape::uuid, 0, "00000000+0000-4000-8000-000000000000"));
  EXPECT_FALSE(matches_shape(Shape::digits, 6, "012345"));
  EXPECT_FALSE(matches_shape(Shape::digits_digits, 0, "0234567890.1234567890"));
  EXPECT_FALSE(matches_shape(Shape::digits_digits, 0, "1234567890.0234567890"));
  EXPECT_FALSE(matches_shape(Shape::digits_digits, 0, "1234567890,1234567890"));
  EXPECT_FALSE(matches_shape(Shape::hex16, 0, "ABCDEF0123456789"));
  EXPECT_FALSE(matches_shape(Shape::alphanumeric, 8, "1abcdefg"));
  EXPECT_FALSE(matches_shape(Shape::phone, 0, "+998000000000000"));
}

TEST(ShapeText, LengthsOutsideTheTableAreNotDrawn) {
  for (const Drawn& bad :
       {Drawn{Shape::digits, 5}, Drawn{Shape::digits, 19}, Drawn{Shape::alphanumeric, 7},
        Drawn{Shape::alphanumeric, 33}, Drawn{Shape::phone, 12}, Drawn{Shape::none, 0},
        Drawn{Shape::email, 0}, Drawn{Shape::preserve, 0}}) {
    EXPECT_FALSE(is_shape_drawn(bad.shape, bad.length));
    EXPECT_FALSE(matches_shape(bad.shape, bad.length, "123456"));
    std::string out;
    EXPECT_DEATH(append_shape(bad.shape, bad.length, Random{}, out), "");
  }
  for (const Shape shape : {Shape::none, Shape::email, Shape::preserve}) {
    EXPECT_EQ(shape_length(shape, 0), 0U);
  }
}

// Each position of each shape takes every symbol equally often: chi-square below the value that one
// honest run in a million exceeds, with a fixed seed.
TEST(ShapeText, EverySymbolIsEquallyLikely) {
  std::mt19937_64 rng(7);
  constexpr int kDraws = 8000;
  for (const Drawn& one :
       {Drawn{Shape::phone, 0}, Drawn{Shape::digits, 18}, Drawn{Shape::digits_digits, 0},
        Drawn{Shape::hex16, 0}, Drawn{Shape::alphanumeric, 32}}) {
    std::vector<std::map<char, int>> seen(shape_length(one.shape, one.length));
    for (int i = 0; i < kDraws; ++i) {
      const std::string text = drawn(one.shape, one.length, random_of(rng));
      for (std::size_t at = 0; at < text.size(); ++at) ++seen[at][text[at]];
    }
    for (std::size_t at = 0; at < seen.size(); ++at) {
      const auto& counts = seen[at];
      if (counts.size() == 1) continue;  // a fixed character
      const std::set<std::size_t> alphabets = {9, 10, 16, 26, 36};
      ASSERT_TRUE(alphabets.contains(counts.size())) << at;
      const double expected = static_cast<double>(kDraws) / static_cast<double>(counts.size());
      double chi_square = 0;
      for (const auto& [symbol, count] : counts) {
        chi_square += (count - expected) * (count - expected) / expected;
      }
      // Wilson-Hilferty at 4.75 standard deviations.
      const double k = static_cast<double>(counts.size() - 1);
      const double root = 1 - 2 / (9 * k) + 4.75 * std::sqrt(2 / (9 * k));
      EXPECT_LT(chi_square, k * root * root * root) << shape_name(one.shape) << " " << at;
    }
  }
}

}  // namespace
}  // namespace paravent::crypto
