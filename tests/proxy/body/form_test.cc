#include "proxy/body/form.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <random>

#include "proxy/body/splice.h"
#include "tests/proxy/body/support.h"

namespace paravent::proxy::body::test {
namespace {

ScanStatus scan(std::string_view text, FlatFields& out, FormLimits limits = {}) {
  std::string scratch;
  return scan_form(text, limits, scratch, out);
}

// "name=value" of every field, decoded.
std::string described(std::string_view text) {
  FlatFields seen(text);
  if (scan(text, seen) != ScanStatus::ok) return "refused";
  std::string out;
  for (const FlatField& field : seen.fields) {
    out += "<" + field.name + "|";
    decode_form_value(field.raw, out);
    out += ">";
  }
  return out;
}

struct Case {
  std::string_view text;
  std::string_view expected;
};

TEST(Form, ReadsWhatClientsSend) {
  using namespace std::string_view_literals;
  const Case cases[] = {
      {"", ""},
      {"a=1&b=2", "<a|1><b|2>"},
      {"a=1&&b=2&", "<a|1><b|2>"},
      {"a", "<a|>"},
      {"a&b=", "<a|><b|>"},
      {"=x", "<|x>"},
      {"a=b=c", "<a|b=c>"},
      {"first+name=Zo%C3%AB+M", "<first name|Zo\xC3\xAB M>"},
      {"wpforms%5Bfields%5D%5B0%5D=x", "<wpforms[fields][0]|x>"},
      {"input_1.3=x&your-email[]=y", "<input_1.3|x><your-email[]|y>"},
      {"a=%2B%2b%26%3D", "<a|++&=>"},
      {"\xC3\xA9=\xFF", "<\xC3\xA9|\xFF>"},
      {"a=%FF%C0%80", "<a|\xFF\xC0\x80>"},
      {"a=x%00y", "<a|x\0y>"sv},
      {"a=1&a=2", "<a|1><a|2>"},
  };
  for (const Case& c : cases) EXPECT_EQ(described(c.text), c.expected) << c.text;
}

TEST(Form, RefusesWhatReadersDisagreeAbout) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {"a=%"sv,       "a=%4"sv,         "a=%4g"sv,
                                      "a=%g4&b=1"sv, "a=% 41"sv,       "%=1"sv,
                                      "a%=1"sv,      "a%0=1"sv,        "a%zz=1"sv,
                                      "a=1;b=2"sv,   "a;b=1"sv,        "a=\0"sv,
                                      "\0=1"sv,      "a=x\n"sv,        "a=x\r\n"sv,
                                      "a\tb=1"sv,    "a=\x7f"sv,       "\x7f=1"sv,
                                      "a%00=1"sv,    "a%00b=1"sv,      "\xFF=1"sv,
                                      "%FF=1"sv,     "%C0%80=1"sv,     "%ED%A0%80=1"sv,
                                      "a=1&%C3=2"sv, "a%\xC3\xA9=1"sv, "0123456789abcdef%4"sv}) {
    EXPECT_EQ(described(text), "refused") << text;
  }
}

TEST(Form, SpansPointAtRawBytes) {
  const std::string_view text = "x=1&na%6De=v%20w&bare";
  FlatFields seen(text);
  ASSERT_EQ(scan(text, seen), ScanStatus::ok);
  ASSERT_EQ(seen.fields.size(), 3U);
  EXPECT_EQ(seen.fields[1].name, "name");
  EXPECT_EQ(seen.fields[1].raw, "v%20w");
  EXPECT_EQ(seen.fields[1].whole, "na%6De=v%20w");
  EXPECT_EQ(seen.fields[2].whole, "bare");
  EXPECT_EQ(seen.fields[2].raw, "");
}

TEST(Form, LimitsHoldExactly) {
  const FormLimits limits{.fields = 3, .name_bytes = 4};
  const auto status_of = [&limits](std::string_view text) {
    FlatFields ignored(text);
    return scan(text, ignored, limits);
  };
  EXPECT_EQ(status_of("a&b&c"), ScanStatus::ok);
  EXPECT_EQ(status_of("a&b&c&d"), ScanStatus::too_large);
  EXPECT_EQ(status_of("a&&&&&&b&c"), ScanStatus::ok);
  EXPECT_EQ(status_of("abcd=1"), ScanStatus::ok);
  EXPECT_EQ(status_of("%61%62%63%64=1"), ScanStatus::ok);
  EXPECT_EQ(status_of("abcde=1"), ScanStatus::too_large);
}

TEST(Form, StopsWhenTheVisitorSaysSo) {
  FlatFields seen("a=1&b=2&%");
  seen.stop_after = 2;
  EXPECT_EQ(scan("a=1&b=2&%", seen), ScanStatus::stopped);
  EXPECT_EQ(seen.fields.size(), 2U);
}

TEST(Form, EncodesEveryByteSoThatItComesBack) {
  std::string all;
  for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
  std::string encoded;
  encode_form_value(all, encoded);
  EXPECT_THAT(encoded, testing::MatchesRegex("([-A-Za-z0-9._~]|%[0-9A-F][0-9A-F])*"));
  std::string decoded;
  decode_form_value(encoded, decoded);
  EXPECT_EQ(decoded, all);
  std::string token;
  encode_form_value("pvv1abc a~.-_", token);
  EXPECT_EQ(token, "pvv1abc%20a~.-_");
}

// One byte after the other, as the standard has it; what follows a '%' that is no escape stays.
std::string decoded_plainly(std::string_view raw) {
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const auto digit = [&raw](std::size_t at) {
      return at < raw.size() ? std::string_view("0123456789abcdef")
                                   .find(static_cast<char>(std::tolower(raw[at])))
                             : std::string_view::npos;
    };
    const std::size_t high = digit(i + 1);
    const std::size_t low = digit(i + 2);
    if (raw[i] == '%' && high < 16 && low < 16) {
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(raw[i] == '+' ? ' ' : raw[i]);
    }
  }
  return out;
}

TEST(Form, DecodesEveryLengthAsOneByteAfterTheOtherAndLeavesNothingBehind) {
  constexpr std::string_view kPieces[] = {"+",  "%41",   "%2b",      "%",
                                          "%4", "plain", "\xc3\xa9", "%%30"};
  std::mt19937 random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string raw;
    while (raw.size() < static_cast<std::size_t>(round) % 67) raw += kPieces[random() % 8];
    std::string out = "in front:";
    out.reserve(200);
    const std::size_t start = out.size();
    decode_form_value(raw, out);
    EXPECT_EQ(out.substr(start), decoded_plainly(raw)) << raw;
    // Behind the terminating zero, still inside the capacity.
    const char* const left = out.data() + out.size();
    const char* const end = out.data() + start + raw.size();
    EXPECT_TRUE(std::all_of(left, end, [](char c) { return c == '\0'; })) << raw;
  }
}

// Where the value that begins at `at` ends; npos: malformed.
std::size_t value_end_plainly(std::string_view text, std::size_t at) {
  const auto hex = [&text](std::size_t i) {
    return i < text.size() && std::isxdigit(static_cast<unsigned char>(text[i])) != 0;
  };
  for (; at < text.size() && text[at] != '&'; ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte == 0x7F || byte == ';') return std::string_view::npos;
    if (byte == '%' && !(hex(at + 1) && hex(at + 2))) return std::string_view::npos;
  }
  return at;
}

TEST(Form, FindsTheEndOfAValueAsOneByteAfterTheOtherSays) {
  constexpr std::string_view kPieces[] = {"+",  "%41", "%c3%A9", "a", "a long plain piece", "%%",
                                          "%4", ";",   "\x7f",   "&", "\xc3\xa9",           "\t"};
  std::mt19937 random(11);
  for (int round = 0; round < 6000; ++round) {
    std::string text = "a=";
    const std::size_t harmless = round % 3 == 0 ? std::size(kPieces) : 5;
    while (text.size() < 2 + static_cast<std::size_t>(round) % 71) {
      text += kPieces[random() % harmless];
    }
    if (round % 2 == 0) text += "&b=%";  // is not to be reached where the first value is malformed
    FlatFields seen(text);
    seen.stop_after = 1;
    const ScanStatus status = scan(text, seen);
    const std::size_t end = value_end_plainly(text, 2);
    if (end == std::string_view::npos) {
      EXPECT_EQ(status, ScanStatus::malformed) << text;
    } else {
      EXPECT_EQ(status, ScanStatus::stopped) << text;
      ASSERT_EQ(seen.fields.size(), 1U) << text;
      EXPECT_EQ(seen.fields[0].raw, std::string_view(text).substr(2, end - 2)) << text;
    }
  }
}

// Removes the fields whose names are in `names` and gives every other bare one the value "N".
std::string edited(std::string_view text, std::string_view names) {
  FlatFields seen(text);
  EXPECT_EQ(scan(text, seen), ScanStatus::ok);
  std::vector<FieldEdit> field_edits;
  for (const FlatField& field : seen.fields) {
    const bool remove = names.find(field.name) != std::string_view::npos;
    if (remove || field.name == "bare") field_edits.push_back({field.field, {0, 1}, remove});
  }
  std::vector<Edit> edits;
  form_edits(text, field_edits, edits);
  return splice(text, edits, "N");
}

TEST(Form, RemovesSeparatorsWithFields) {
  EXPECT_EQ(edited("a=1&b=2&c=3", "a"), "b=2&c=3");
  EXPECT_EQ(edited("a=1&b=2&c=3", "b"), "a=1&c=3");
  EXPECT_EQ(edited("a=1&b=2&c=3", "c"), "a=1&b=2");
  EXPECT_EQ(edited("a=1&b=2&c=3", "bc"), "a=1");
  EXPECT_EQ(edited("a=1&b=2&c=3", "abc"), "");
  EXPECT_EQ(edited("a=1&bare&c=3", "c"), "a=1&bare=N");
  EXPECT_EQ(edited("a=1&&b=2", "b"), "a=1&");
}

}  // namespace
}  // namespace paravent::proxy::body::test
