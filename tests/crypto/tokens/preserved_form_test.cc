#include "crypto/tokens/preserved_form.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

#include "tests/crypto/tokens/protector_fixture.h"

namespace paravent::crypto {
namespace {

struct Split {
  bool good = false;
  std::string clear_part;
  std::string digits;
  std::size_t prefix = 0;
};

Split split(Kind kind, std::string value, PreservedSide side = PreservedSide::clear) {
  PreservedForm form;
  Split result;
  const std::string before = value;
  result.good = split_preserved(kind, side, value, form).has_value();
  result.clear_part = value;
  for (const std::uint16_t digit : form.used()) result.digits += static_cast<char>('0' + digit);
  result.prefix = form.clear_prefix;
  if (result.good) {
    join_preserved(form, side, value);
    EXPECT_EQ(value, before);
  } else {
    EXPECT_EQ(value, before);
    EXPECT_EQ(form.count, 0U);
  }
  return result;
}

TEST(PreservedForm, SplitsDigitsFromTheRest) {
  struct Case {
    Kind kind;
    const char* value;
    const char* clear_part;
    const char* digits;
    std::size_t prefix;
  };
  const Case cases[] = {
      {Kind::phone, "+33612345678", "+33000000000", "612345678", 3},
      {Kind::phone, "+12025550123", "+10000000000", "2025550123", 2},
      {Kind::phone, "+79161234567", "+70000000000", "9161234567", 2},
      {Kind::phone, "+377123456", "+377000000", "123456", 4},
      {Kind::phone, "0612345678", "0000000000", "0612345678", 0},
      {Kind::phone, "see 061234567", "see 000000000", "061234567", 0},
      {Kind::text, "FR-2024/000123-A", "FR-0000/000000-A", "2024000123", 0},
      {Kind::text, "+33612345678", "+00000000000", "33612345678", 0},
      {Kind::card, "4111 1111 1111 1111", "0000 0000 0000 0000", "411111111111111", 0},
      {Kind::siren, "732829320", "000000000", "73282932", 0},
      {Kind::siret, "73282932000074", "00000000000000", "7328293200007", 0},
  };
  for (const Case& one : cases) {
    const Split result = split(one.kind, one.value);
    EXPECT_TRUE(result.good) << one.value;
    EXPECT_EQ(result.clear_part, one.clear_part);
    EXPECT_EQ(result.digits, one.digits);
    EXPECT_EQ(result.prefix, one.prefix);
  }
}

TEST(PreservedForm, WhatHasNoFormIsMalformed) {
  const std::pair<Kind, std::string> values[] = {
      {Kind::text, "12345"},
      {Kind::text, std::string(39, '1')},
      {Kind::text, "no digits"},
      {Kind::text, std::string(513, '1')},
      {Kind::text, "123456" + std::string(507, 'x')},
      {Kind::phone, "+33"},
      {Kind::phone, "+"},
      {Kind::phone, "+3312345"},
      {Kind::phone, "see e-mail"},
      {Kind::card, "4111111111111112"},
      {Kind::card, "123455"},
      {Kind::siren, "732829321"},
      {Kind::siret, "35600000009075"},  // La Poste, another rule
      {Kind::siret, "7"},
      {Kind::siret, "0000000000000000000000000000000000000000"},
  };
  for (const auto& [kind, value] : values) EXPECT_FALSE(split(kind, value).good) << value;
  EXPECT_TRUE(split(Kind::text, std::string(38, '1')).good);
  EXPECT_TRUE(split(Kind::siret, std::string(39, '0')).good);
  EXPECT_TRUE(split(Kind::text, "123456" + std::string(506, 'x')).good);
  EXPECT_FALSE(kind_preserves(Kind::nir));
  EXPECT_FALSE(kind_preserves(Kind::iban));
  std::string value = "1234567";
  PreservedForm form;
  EXPECT_DEATH(static_cast<void>(split_preserved(Kind::email, PreservedSide::clear, value, form)),
               "");
}

TEST(PreservedForm, TheTwoSidesTellEachOtherByTheCheckDigit) {
  EXPECT_TRUE(split(Kind::siren, "732829320", PreservedSide::clear).good);
  EXPECT_FALSE(split(Kind::siren, "732829320", PreservedSide::enciphered).good);
  EXPECT_FALSE(split(Kind::siren, "732829325", PreservedSide::clear).good);
  EXPECT_TRUE(split(Kind::siren, "732829325", PreservedSide::enciphered).good);
}

bool passes_luhn(const std::string& text) {
  int sum = 0;
  int place = 0;
  for (auto c = text.rbegin(); c != text.rend(); ++c) {
    if (*c < '0' || *c > '9') continue;
    const int value = (*c - '0') * (place % 2 == 0 ? 1 : 2);
    sum += value > 9 ? value - 9 : value;
    ++place;
  }
  return sum % 10 == 0;
}

TEST(PreservedSlot, NoProtectedNumberIsSomebodys) {
  const auto key = testing::any_key_of(Algorithm::format_preserving, Kind::card);
  const auto protector = testing::protector_of(key);
  std::mt19937 rng(3);
  std::set<std::string> seen;
  for (int i = 0; i < 2000; ++i) {
    std::string number = std::to_string(100'000'000'000'000ULL + rng());
    for (char check = '0'; check <= '9'; ++check) {
      if (passes_luhn(number + check)) {
        number += check;
        break;
      }
    }
    const std::string text =
        testing::protect(*protector, {.kind = Kind::card, .shape = Shape::preserve}, number);
    EXPECT_EQ(text.size(), number.size());
    EXPECT_FALSE(passes_luhn(text));
    EXPECT_TRUE(seen.insert(text).second) << "a permutation";
  }
}

TEST(PreservedSlot, TheClearPartAndTheContextAreInTheTweak) {
  const ProtectForm form = {.kind = Kind::text, .shape = Shape::preserve};
  const auto key = testing::any_key_of(Algorithm::format_preserving, Kind::text);
  const auto digits_of = [](const std::string& text) {
    std::string digits;
    for (const char c : text) {
      if (c >= '0' && c <= '9') digits += c;
    }
    return digits;
  };
  std::set<std::string> seen;
  for (const char* value : {"123456789", "12345678-9", "1-23456789", "A123456789", "123456789A"}) {
    seen.insert(digits_of(testing::protect(*testing::protector_of(key), form, value)));
  }
  auto row = testing::row_of(Algorithm::format_preserving, Kind::text);
  row.space_id.back() = 'x';
  const auto moved = testing::key_of(row);
  seen.insert(testing::protect(*testing::protector_of(moved), form, "123456789"));
  EXPECT_EQ(seen.size(), 6U);

  std::string out = "kept";
  EXPECT_EQ(testing::protector_of(key)->protect(0, form, "12345", out).error().kind(),
            ErrorKind::malformed);
  EXPECT_EQ(out, "kept");
}

// The last tweak is kept; a value of another form, prefix or kind must not meet it.
TEST(PreservedSlot, ValuesAreIndependentOfTheOneBefore) {
  struct Value {
    Kind kind;
    const char* text;
  };
  const Value values[] = {
      {Kind::text, "123456789"},      {Kind::text, "12345678-9"},    {Kind::text, "1234567890"},
      {Kind::phone, "+33612345678"},  {Kind::phone, "+49612345678"}, {Kind::phone, "+12025550123"},
      {Kind::phone, "0033612345678"}, {Kind::text, "+33612345678"},  {Kind::text, "A1234567890"},
      {Kind::text, "12 34 56 78 90"}, {Kind::text, "00612345678"},
  };
  const auto key = testing::any_key_of(Algorithm::format_preserving, Kind::text);
  const auto kept = testing::protector_of(key);
  std::mt19937 rng(4);
  for (int i = 0; i < 400; ++i) {
    const Value& value = values[rng() % std::size(values)];
    const ProtectForm form = {.kind = value.kind, .shape = Shape::preserve};
    ASSERT_EQ(testing::protect(*kept, form, value.text),
              testing::protect(*testing::protector_of(key), form, value.text))
        << value.text;
  }
}

}  // namespace
}  // namespace paravent::crypto
