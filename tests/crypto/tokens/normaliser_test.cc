#include "crypto/tokens/normaliser.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "crypto/tokens/utf8.h"
#include "tests/crypto/tokens/cases.h"
#include "tests/crypto/tokens/naughty_strings.h"

namespace paravent::crypto {
namespace {

using testing::naughty_strings;
using testing::read_cases;

constexpr Kind kAllKinds[] = {Kind::text, Kind::name, Kind::email, Kind::phone, Kind::ip};

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

void run_cases(Kind kind) {
  const std::string path = "tests/crypto/tokens/cases/" + std::string(kind_name(kind)) + ".tsv";
  for (const auto& row : read_cases(path, 2)) EXPECT_EQ(normal(kind, row[0]), row[1]) << row[0];
}

TEST(Normaliser, Email) { run_cases(Kind::email); }
TEST(Normaliser, Name) { run_cases(Kind::name); }
TEST(Normaliser, Text) { run_cases(Kind::text); }
TEST(Normaliser, Ip) { run_cases(Kind::ip); }

TEST(Normaliser, PhoneByHand) {
  for (const auto& row : read_cases("tests/crypto/tokens/cases/phone.tsv", 3)) {
    EXPECT_EQ(normal(Kind::phone, row[1], row[0]), row[2]) << row[0] << " " << row[1];
  }
}

TEST(Normaliser, PhoneAgreesWithTheOracle) {
  const auto rows = read_cases("tests/crypto/tokens/phone_cases.tsv", 3);
  EXPECT_GT(rows.size(), 5000U);
  for (const auto& row : rows) {
    EXPECT_EQ(normal(Kind::phone, row[1], row[0]), row[2]) << row[0] << " " << row[1];
  }
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
  for (const Kind kind : kAllKinds) {
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
    EXPECT_TRUE(normalise(kind, once, {}, twice)) << kind_name(kind) << " " << once;
    EXPECT_EQ(once, twice) << kind_name(kind);
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

TEST(Normaliser, MutatedCasesObeyTheLaws) {
  std::mt19937 rng(3);
  std::vector<std::string> seeds = naughty_strings();
  for (const char* kind : {"email", "name", "text", "ip"}) {
    const auto path = "tests/crypto/tokens/cases/" + std::string(kind) + ".tsv";
    for (const auto& row : read_cases(path, 2)) seeds.push_back(row[0]);
  }
  for (const auto& row : read_cases("tests/crypto/tokens/cases/phone.tsv", 3))
    seeds.push_back(row[1]);
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
