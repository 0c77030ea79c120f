// Departments, languages, web addresses, user agents, truncation.

#include <gtest/gtest.h>

#include <sstream>

#include "crypto/base/ip_address.h"
#include "proxy/pipeline/generalise/bare_address.h"
#include "tests/crypto/tokens/cases.h"
#include "tests/proxy/pipeline/generalise/every_function.h"

namespace paravent::proxy {
namespace {

using crypto::testing::read_cases;
using testing::must;

const std::string kCases = "tests/proxy/pipeline/generalise/cases/";

std::vector<std::string> words(const std::string& text) {
  if (text == ".") return {};
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

TEST(Department, Cases) {
  for (const auto& row : read_cases(kCases + "department.tsv", 2)) {
    std::string out;
    EXPECT_EQ(department_of(row[0], out) ? out : "-", row[1]) << row[0];
  }
}

TEST(Department, EveryPostcodeHasItsOwnOrNone) {
  std::size_t found = 0;
  for (int code = 0; code < 100'000; ++code) {
    std::string text = std::to_string(code);
    text.insert(0, 5 - text.size(), '0');
    std::string out;
    if (!department_of(text, out)) continue;
    ++found;
    if (out[1] != 'A' && out[1] != 'B') {
      ASSERT_TRUE(text.starts_with(out)) << text;
    }
    std::string again;
    ASSERT_TRUE(department_of(out, again));
    ASSERT_EQ(out, again);
  }
  // 94 of two digits on the mainland, Corsica's 700 codes, 13 overseas prefixes of 100.
  EXPECT_EQ(found, 94U * 1000 + 700 + 13 * 100);
}

TEST(Language, Cases) {
  for (const auto& row : read_cases(kCases + "language.tsv", 2)) {
    std::string out;
    EXPECT_EQ(main_language(row[0], out) ? out : "-", row[1]) << row[0];
  }
}

TEST(UrlRule, Cases) {
  for (const auto& row : read_cases(kCases + "url.tsv", 4)) {
    const auto rule = must(UrlRule::create(words(row[0]), words(row[1])));
    std::string out;
    EXPECT_EQ(rule.append(row[2], out) ? out : "-", row[3]) << row[2];
    EXPECT_EQ(testing::broken_law(
                  {"url", true,
                   [&](std::string_view text, std::string& to) { return rule.append(text, to); }},
                  row[2]),
              "")
        << row[2];
  }
}

TEST(UrlRule, NonsenseOfAPolicyIsRefused) {
  for (const char* wrong :
       {"", "user/*", "/user/*x", "/user/**", "/a?b", "/a#b", "/a;b", "/a b", "/a\\b", "//a"}) {
    const std::string templates[] = {"/fine", wrong};
    const auto rule = UrlRule::create({}, templates);
    ASSERT_FALSE(rule) << wrong;
    EXPECT_EQ(rule.error().kind(), crypto::ErrorKind::configuration);
  }
}

TEST(UserAgent, Cases) {
  const auto rows = read_cases(kCases + "user_agent.tsv", 3);
  EXPECT_GT(rows.size(), 60U);
  for (const auto& row : rows) {
    std::string family;
    append_browser_family(row[0], family);
    EXPECT_EQ(family, row[1]) << row[0];
    std::string version;
    append_browser_version(row[0], version);
    EXPECT_EQ(version, row[2]) << row[0];
  }
}

TEST(TruncateAddress, Cases) {
  for (const auto& row : read_cases(kCases + "truncate_address.tsv", 4)) {
    std::string out = "before ";
    const auto v4 = static_cast<std::uint32_t>(std::stoul(row[1]));
    const auto v6 = static_cast<std::uint32_t>(std::stoul(row[2]));
    const bool done = truncate_address(row[0], v4, v6, out).has_value();
    EXPECT_EQ(out, done ? "before " + row[3] : "before ") << row[0];
    EXPECT_EQ(done, row[3] != "-") << row[0];
  }
}

// Whatever the cut, the last 16 bits of an IPv4 address leave no trace, in any of its clothes.
TEST(TruncateAddress, TheHostOfAnEmbeddedIpv4AddressLeavesNoTrace) {
  const auto cut = [](std::string text, std::uint32_t v6) {
    std::string out;
    EXPECT_TRUE(truncate_address(text, 16, v6, out)) << text;
    return out;
  };
  for (std::uint32_t bits = 16; bits < 128; ++bits) {
    for (const auto& [one, other] : {std::pair{"::ffff:203.0.113.9", "::ffff:203.0.7.77"},
                                     {"2002:cb00:7109::1", "2002:cb00:074d::2"},
                                     {"2001:0:1:2:3:4:34ff:8ef6", "2001:0:1:2:3:4:34ff:f8b2"},
                                     {"64:ff9b::203.0.113.9", "64:ff9b::203.0.7.77"},
                                     {"64:ff9b:1::203.0.113.9", "64:ff9b:1::203.0.7.77"},
                                     {"64:ff9b:1:cb00:71:900::", "64:ff9b:1:cb00:07:4d00::"},
                                     {"::203.0.113.9", "::203.0.7.77"},
                                     {"::ffff:0:203.0.113.9", "::ffff:0:203.0.7.77"},
                                     {"2a02::5efe:203.0.113.9", "2a02::5efe:203.0.7.77"}}) {
      EXPECT_EQ(cut(one, bits), cut(other, bits)) << bits;
    }
  }
}

TEST(BareAddress, Cases) {
  for (const auto& row : read_cases(kCases + "bare_address.tsv", 2)) {
    EXPECT_EQ(bare_address(row[0]), row[1]) << row[0];
  }
}

TEST(TruncateText, NeverCutsACharacter) {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
  EXPECT_EQ(truncate_text(text, 0), "");
  EXPECT_EQ(truncate_text(text, 1), "a");
  EXPECT_EQ(truncate_text(text, 2), "a\xC3\xA9");
  EXPECT_EQ(truncate_text(text, 3), "a\xC3\xA9\xE2\x82\xAC");
  EXPECT_EQ(truncate_text(text, 4), "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(truncate_text(text, 5), text);
  EXPECT_EQ(truncate_text(text, 500), text);
}

}  // namespace
}  // namespace paravent::proxy
