#include "crypto/tokens/normaliser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "crypto/tokens/utf8.h"
#include "tests/crypto/tokens/cases.h"
#include "tests/crypto/tokens/naughty_strings.h"

namespace paravent::crypto {
namespace {

using testing::naughty_strings;
using testing::read_cases;

std::string normal(Kind kind, std::string_view value, std::string_view region = "FR") {
  std::string out = "kept";
  const Status status = normalise(kind, value, {region}, out);
  EXPECT_EQ(out.substr(0, 4), "kept");
  if (!status) {
    EXPECT_EQ(status.error().kind(), ErrorKind::malformed);
    EXPECT_TRUE(status.error().sentence().empty());
    EXPECT_EQ(out, "kept") << "a refusal leaves nothing behind";
    return "-";
  }
  EXPECT_GT(out.size(), 4U);
  return out.substr(4);
}

// The tables of these kinds say in their first column in which region a value is read.
bool regional(Kind kind) { return kind == Kind::phone || kind == Kind::birth_date; }

std::vector<testing::Row> cases_of(Kind kind) {
  const std::string path = "tests/crypto/tokens/cases/" + std::string(kind_name(kind)) + ".tsv";
  auto rows = read_cases(path, regional(kind) ? 3 : 2);
  if (!regional(kind)) {
    for (auto& row : rows) row.insert(row.begin(), "FR");
  }
  return rows;
}

TEST(Normaliser, EveryKindGivesWhatItsTableSays) {
  for (const auto& [kind, name] : kinds()) {
    for (const auto& row : cases_of(kind)) {
      EXPECT_EQ(normal(kind, row[1], row[0]), row[2]) << name << " " << row[0] << " " << row[1];
    }
  }
}

TEST(Normaliser, EveryTableAcceptsAndRefuses) {
  for (const auto& [kind, name] : kinds()) {
    std::size_t refused = 0;
    const auto rows = cases_of(kind);
    for (const auto& row : rows) refused += row[2] == "-" ? 1U : 0U;
    EXPECT_GE(refused, 5U) << name;
    EXPECT_GE(rows.size() - refused, 5U) << name;
  }
}

TEST(Normaliser, PhoneAgreesWithTheOracle) {
  const auto rows = read_cases("tests/crypto/tokens/phone_cases.tsv", 3);
  EXPECT_GT(rows.size(), 5000U);
  for (const auto& row : rows) {
    EXPECT_EQ(normal(Kind::phone, row[1], row[0]), row[2]) << row[0] << " " << row[1];
  }
}

// Numbers of the French plan that name no place: one person, one token.
TEST(Normaliser, AnOverseasNumberHasOneForm) {
  const std::pair<std::string, std::string> places[] = {{"RE", "262"}, {"YT", "262"}, {"GP", "590"},
                                                        {"BL", "590"}, {"MF", "590"}, {"GF", "594"},
                                                        {"MQ", "596"}};
  for (const auto& [region, code] : places) {
    for (const std::string national : {"976212345", "939012345", "801234567"}) {
      const std::string form = "+33" + national;
      for (const std::string& spelling :
           {"0" + national, national, "+" + code + national, "+" + code + " (0) " + national,
            "00" + code + national, code + national, "+33" + national}) {
        EXPECT_EQ(normal(Kind::phone, spelling, region), form) << region << " " << spelling;
      }
      const auto earlier = earlier_phone_forms(form);
      EXPECT_NE(std::find(earlier.begin(), earlier.end(), "+" + code + national), earlier.end());
    }
  }
  for (const char* spelling :
       {"0708 50 12 34", "708501234", "+508 708 50 12 34", "00508 708501234", "+33 708 50 12 34"}) {
    EXPECT_EQ(normal(Kind::phone, spelling, "PM"), "+33708501234") << spelling;
  }
  using Forms = std::vector<std::string>;
  EXPECT_EQ(earlier_phone_forms("+33708501234"), (Forms{"+508708501234"}));
  EXPECT_EQ(earlier_phone_forms("+33612345678"),
            (Forms{"+262612345678", "+590612345678", "+594612345678", "+596612345678"}));
  EXPECT_EQ(earlier_phone_forms("+262692123456"),
            (Forms{"+590692123456", "+594692123456", "+596692123456"}));
  EXPECT_EQ(earlier_phone_forms("+508412345"),
            (Forms{"+590508412345", "+594508412345", "+596508412345"}));
  EXPECT_EQ(earlier_phone_forms("+33142345678"), Forms());
  EXPECT_EQ(earlier_phone_forms("+32475123456"), Forms());
  EXPECT_EQ(earlier_phone_forms(""), Forms());
}

TEST(Normaliser, AnUnknownRegionIsTheCallersMistake) {
  std::string out;
  const Status status = normalise(Kind::phone, "0612345678", {"XX"}, out);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind(), ErrorKind::usage);
  EXPECT_FALSE(phone_region_known("XX"));
  EXPECT_FALSE(phone_region_known("fr"));
  EXPECT_TRUE(phone_region_known("FR"));
}

// Whatever comes in, the result is valid, is its own normal form, and free text is untouched.
void check_laws(const std::string& input) {
  for (const auto& [kind, name] : kinds()) {
    std::string once;
    if (!normalise(kind, input, {}, once)) {
      EXPECT_TRUE(once.empty());
      if (kind == Kind::text) {
        EXPECT_TRUE(input.empty() || !is_utf8(input));
      }
      continue;
    }
    EXPECT_TRUE(is_utf8(once));
    std::string twice;
    EXPECT_TRUE(normalise(kind, once, {}, twice)) << name << " " << once;
    EXPECT_EQ(once, twice) << name;
    if (kind == Kind::text) {
      EXPECT_EQ(once, input);
    }
  }
}

TEST(Normaliser, NaughtyStringsAreNormalisedOrRefused) {
  const auto strings = naughty_strings();
  ASSERT_GT(strings.size(), 500U);
  for (const auto& string : strings) check_laws(string);
}

// What needs no ICU must come out as ICU would have it: in front of two spaces, or behind a letter
// that NFC looks at, every name takes the long way.
TEST(Normaliser, NamesOfLatinLettersTakeNoOtherFormThanByTheLongWay) {
  const auto name_of = [](const std::string& value) {
    std::string out;
    return normalise(Kind::name, value, {}, out) ? out : std::string("-");
  };
  for (unsigned point = 0x80; point < 0x380; ++point) {
    const std::string letter = {static_cast<char>(0xC0U | point >> 6U),
                                static_cast<char>(0x80U | (point & 0x3FU))};
    for (const std::string& name : {letter, "a" + letter + "b", "e" + letter, letter + letter}) {
      const std::string once = name_of("x " + name);
      EXPECT_EQ(name_of("x  " + name), once) << point;
      const std::string looked_at = name_of("\u1E0A " + name);
      EXPECT_EQ(looked_at == "-" ? "-" : "x" + looked_at.substr(3), once) << point;
    }
    EXPECT_EQ(name_of("a" + letter.substr(0, 1)), "-") << point;
    EXPECT_EQ(name_of(letter.substr(0, 1) + "a"), "-") << point;
  }
}

TEST(Normaliser, MutatedCasesObeyTheLaws) {
  std::mt19937 rng(3);
  std::vector<std::string> seeds = naughty_strings();
  for (const auto& info : kinds()) {
    for (const auto& row : cases_of(info.kind)) seeds.push_back(row[1]);
  }
  for (const auto& seed : seeds) check_laws(seed);
  for (int i = 0; i < 20000; ++i) {
    std::string value = seeds[rng() % seeds.size()];
    for (unsigned edits = rng() % 4; edits > 0 && !value.empty(); --edits) {
      const std::size_t at = rng() % value.size();
      if (rng() % 2 == 0) value[at] = static_cast<char>(rng());
      if (rng() % 3 == 0) value.erase(at, 1);
      if (rng() % 3 == 0) value.insert(at, seeds[rng() % seeds.size()].substr(0, 4));
    }
    check_laws(value);
  }
}

TEST(Utf8, AgreesWithTheDefinitionOnEveryShortSequence) {
  // Every code point, written by hand, is accepted; its truncations are not.
  for (char32_t point = 0; point <= 0x10FFFF; point += point < 0x3000 ? 1 : 37) {
    std::string text;
    const auto put = [&](char32_t byte) { text.push_back(static_cast<char>(byte)); };
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xC0 | (point >> 6)), put(0x80 | (point & 63));
    } else if (point < 0x10000) {
      put(0xE0 | (point >> 12)), put(0x80 | ((point >> 6) & 63)), put(0x80 | (point & 63));
    } else {
      put(0xF0 | (point >> 18)), put(0x80 | ((point >> 12) & 63));
      put(0x80 | ((point >> 6) & 63)), put(0x80 | (point & 63));
    }
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    ASSERT_EQ(is_utf8(text), !surrogate) << static_cast<std::uint32_t>(point);
    ASSERT_EQ(is_utf8("abcdefg" + text + "h"), !surrogate);
    if (text.size() > 1) {
      ASSERT_FALSE(is_utf8(text.substr(0, text.size() - 1)));
    }
    std::size_t at = 0;
    ASSERT_EQ(next_code_point(text, at), surrogate ? kInvalidCodePoint : point);
    ASSERT_EQ(at, surrogate ? 0 : text.size());
  }
}

TEST(Normaliser, TrimTakesAsciiWhiteSpaceOnly) {
  EXPECT_EQ(trim(" \t\r\n\v\fa b \n"), "a b");
  EXPECT_EQ(trim("\xC2\xA0x"), "\xC2\xA0x");
  EXPECT_EQ(trim("   "), "");
}

}  // namespace
}  // namespace paravent::crypto
