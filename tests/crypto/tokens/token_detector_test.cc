#include "crypto/tokens/token_detector.h"

#include <gtest/gtest.h>

#include <cctype>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "crypto/tokens/token_header.h"
#include "crypto/tokens/token_text.h"
#include "tests/crypto/tokens/naughty_strings.h"

namespace paravent::crypto {
namespace {

std::string random_token(std::mt19937& rng, bool only_short = false) {
  struct Form {
    Algorithm algorithm;
    std::size_t payload;
  };
  constexpr Form kForms[] = {{Algorithm::vault_token, 16}, {Algorithm::pseudonym, 20},
                             {Algorithm::derived, 48},     {Algorithm::derived, 80},
                             {Algorithm::address, 16},     {Algorithm::encrypted, 56},
                             {Algorithm::encrypted, 104}};
  const Form form = kForms[rng() % (only_short ? 5 : std::size(kForms))];
  const TokenHeader header = token_header(static_cast<std::uint32_t>(rng()), form.algorithm);
  Bytes body(header.begin(), header.end());
  for (std::size_t i = 0; i < form.payload; ++i) body.push_back(static_cast<std::uint8_t>(rng()));
  std::string text;
  if (form.algorithm == Algorithm::encrypted) {
    body.resize(body.size() + kCrcSize);
    write_long_token(TokenClass::encrypted, body, text);
  } else {
    write_short_token(token_class_of(form.algorithm), body, text);
  }
  return text;
}

std::vector<std::string> found(std::string_view text) {
  std::vector<std::string> tokens;
  find_tokens(text, [&](std::size_t offset, std::size_t length) {
    tokens.emplace_back(text.substr(offset, length));
  });
  EXPECT_EQ(contains_token(text), !tokens.empty());
  return tokens;
}

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

TEST(TokenDetector, FindsTokensInRunningText) {
  std::mt19937 rng(4);
  for (int i = 0; i < 500; ++i) {
    const std::string a = random_token(rng);
    const std::string b = random_token(rng);
    const std::string c = upper(random_token(rng, true));
    EXPECT_EQ(found(a), (std::vector{a}));
    EXPECT_EQ(found("Dear " + a + ", pvv1 pv p " + b + "."), (std::vector{a, b}));
    EXPECT_EQ(found("<" + a + ">\n\"" + b + "\"," + c), (std::vector{a, b, c}));
    EXPECT_EQ(found("\xC3\xA9" + a + "\xC3\xA9"), (std::vector{a}));
    EXPECT_EQ(found("x=" + a + "&y=" + c + "@paravent.invalid"), (std::vector{a, c}));
  }
}

TEST(TokenDetector, WordBoundaries) {
  std::mt19937 rng(5);
  for (int i = 0; i < 200; ++i) {
    const std::string token = random_token(rng);
    for (const char* glue : {"a", "Z", "0", "_", "q"}) {
      EXPECT_TRUE(found(glue + token).empty()) << glue;
      EXPECT_TRUE(found(token + glue).empty()) << glue;
    }
    const std::string short_token = random_token(rng, true);
    EXPECT_EQ(found("ref-" + short_token + "-end"), (std::vector{short_token}));
    EXPECT_TRUE(found(short_token + short_token).empty());
  }
}

// constructions 4.0: substitution, swap, deletion, insertion, doubling on 20 000 tokens.
TEST(TokenDetector, TwentyThousandEditedTokensAreAllRefused) {
  std::mt19937 rng(6);
  constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
  int edited = 0;
  while (edited < 20000) {
    const std::string token = random_token(rng);
    std::string bad = token;
    const std::size_t at = 4 + rng() % (token.size() - 5);
    const char other = kAlphabet[rng() % kAlphabet.size()];
    switch (rng() % 5) {
      case 0:
        bad[at] = other;
        break;
      case 1:
        std::swap(bad[at], bad[at + 1]);
        break;
      case 2:
        bad.erase(at, 1);
        break;
      case 3:
        bad.insert(at, 1, other);
        break;
      default:
        bad.insert(at, 1, bad[at]);
        break;
    }
    if (bad == token) continue;
    ++edited;
    ASSERT_FALSE(parse_token(bad)) << token << "\n" << bad;
    ASSERT_TRUE(found(bad).empty()) << token << "\n" << bad;
  }
}

TEST(TokenDetector, ACorpusWithoutTokensGivesNoHit) {
  for (const auto& string : testing::naughty_strings()) EXPECT_FALSE(contains_token(string));
  std::mt19937 rng(7);
  // Text of our own alphabet, prefixes included: as near as foreign text can come.
  constexpr std::string_view kNear = "qpzry9x8gf2tvdw0s3jn54khce6mua7l  -_1PV";
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (int words = 0; words < 20; ++words) {
      const char* prefixes[] = {"pvv1", "pvd1", "pvh1", "pvi1", "pve_", "pvs_", "PVV1"};
      text += prefixes[rng() % 7];
      for (auto n = rng() % 160; n > 0; --n) text.push_back(kNear[rng() % kNear.size()]);
      text.push_back(' ');
    }
    ASSERT_FALSE(contains_token(text)) << text;
  }
}

bool word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// The definition of the header, by trying every range.
std::vector<std::string> found_slowly(const std::string& text) {
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != 'p' && text[i] != 'P') continue;  // no prefix begins otherwise
    for (std::size_t j = text.size(); j > i; --j) {
      const std::string_view part = std::string_view(text).substr(i, j - i);
      if (!check_token(part)) continue;
      const bool is_long = part[3] == '_';
      const auto joins = [&](char c) { return word(c) || (is_long && c == '-'); };
      if ((i > 0 && joins(text[i - 1])) || (j < text.size() && joins(text[j]))) continue;
      tokens.emplace_back(part);
      i = j - 1;
      break;
    }
  }
  return tokens;
}

TEST(TokenDetector, AgreesWithTheDefinitionOnMixtures) {
  std::mt19937 rng(8);
  constexpr std::string_view kGlue = " -_.,@a1pvPV\n";
  int hits = 0;
  for (int i = 0; i < 150; ++i) {
    std::string text;
    while (text.size() < 260) {
      if (rng() % 3 == 0) text += random_token(rng);
      if (rng() % 5 == 0) text += upper(random_token(rng, true));
      for (auto n = rng() % 4; n > 0; --n) text.push_back(kGlue[rng() % kGlue.size()]);
    }
    const auto fast = found(text);
    hits += static_cast<int>(fast.size());
    ASSERT_EQ(fast, found_slowly(text)) << text;
  }
  EXPECT_GT(hits, 50);
}

TEST(TokenDetector, EveryAlignmentAndTail) {
  std::mt19937 rng(9);
  const std::string token = random_token(rng, true);
  for (std::size_t before = 0; before < 40; ++before) {
    for (std::size_t after = 0; after < 20; ++after) {
      const std::string text = std::string(before, ' ') + token + std::string(after, ' ');
      ASSERT_EQ(found(text), (std::vector{token}));
    }
  }
  for (const char* text : {"", "p", "pv", "pvv", "pvv1", "PV", "xpv"})
    EXPECT_TRUE(found(text).empty());
}

// Quadratic behaviour would run into the test's time limit.
TEST(TokenDetector, HostileTextIsLinear) {
  for (const std::string_view unit :
       {"pvd1", " pvd1", "pve_", "-pve_", "pve_-", " pvv1qqqq", "pv"}) {
    std::string text;
    while (text.size() < (std::size_t{1} << 20U)) text += unit;
    EXPECT_FALSE(contains_token(text));
  }
}

}  // namespace
}  // namespace paravent::crypto
