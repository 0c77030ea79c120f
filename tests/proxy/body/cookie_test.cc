#include "proxy/body/cookie.h"

#include <gtest/gtest.h>

#include "proxy/body/splice.h"
#include "tests/proxy/body/support.h"

namespace paravent::proxy::body::test {
namespace {

std::string described(std::string_view text) {
  FlatFields seen(text);
  if (scan_cookies(text, CookieLimits{}, seen) != ScanStatus::ok) return "refused";
  std::string out;
  for (const FlatField& field : seen.fields) out += "<" + field.name + "|" + field.raw + ">";
  return out;
}

struct Case {
  std::string_view text;
  std::string_view expected;
};

TEST(Cookie, ReadsWhatBrowsersSend) {
  const Case cases[] = {
      {"", ""},
      {"a=1; b=2", "<a|1><b|2>"},
      {"a=1;b=2 ;  c=3", "<a|1><b|2><c|3>"},
      {"a=1;; b=2;", "<a|1><b|2>"},
      {"  a = 1  ", "<a|1>"},
      {"sid=YWI=; q=\"x y\"", "<sid|YWI=><q|\"x y\">"},
      {"bare; a=", "<bare|><a|>"},
      {"_pk_id.1.1fff=0a1b2c3d4e5f6071.1700000000.; cookie_consent_level_marketing=yes",
       "<_pk_id.1.1fff|0a1b2c3d4e5f6071.1700000000.><cookie_consent_level_marketing|yes>"},
      {"n=\xC3\xA9\xFF", "<n|\xC3\xA9\xFF>"},
      {"a=1; a=2", "<a|1><a|2>"},
  };
  for (const Case& c : cases) EXPECT_EQ(described(c.text), c.expected) << c.text;
}

TEST(Cookie, RefusesControlsAndNamelessValues) {
  using namespace std::string_view_literals;
  for (const std::string_view text : {"=1"sv, "a=1; =2"sv, " =1"sv, "a=\0"sv, "a=1;\r\n b=2"sv,
                                      "a=\t1"sv, "a=\x7f"sv, "\xFF=1"sv, "\xC3=1; b=2"sv}) {
    EXPECT_EQ(described(text), "refused") << text;
  }
}

// One quoted value to Python's readers, two cookies to browsers.
TEST(Cookie, RefusesAQuoteThatAnotherPieceCloses) {
  for (const std::string_view text : {"p=\"jean; tel=06\"", "p=\"jean; tel=06\" ; b=1",
                                      "a=1; p=\"; tel=\"", "p=\"x;y\"", "p=\"jean\\\"; tel=06\"",
                                      // It would close if what stands behind it were removed.
                                      "p=\"a; q=b\"c", "p=\"jean; tel=06; q=\"x\""}) {
    EXPECT_EQ(described(text), "refused") << text;
  }
  for (const std::string_view text : {"p=\"jean\"; q=\"x\"", "p=\"jean; tel=06", "p=\"\"; q=1",
                                      "p=a\"; q=\"b\"", "p=\"a\"b; q=\"c\""}) {
    EXPECT_NE(described(text), "refused") << text;
  }
}

TEST(Cookie, CountsCookiesAndNotPieces) {
  const auto status_of = [](std::string_view text) {
    FlatFields ignored(text);
    return scan_cookies(text, CookieLimits{2}, ignored);
  };
  EXPECT_EQ(status_of("a;;;;b"), ScanStatus::ok);
  EXPECT_EQ(status_of("a;b;c"), ScanStatus::too_large);
}

// RFC 6265 4.1.1, every byte.
TEST(Cookie, SafeValuesAreCookieOctets) {
  for (int i = 0; i < 256; ++i) {
    const bool octet = i == 0x21 || (i >= 0x23 && i <= 0x2B) || (i >= 0x2D && i <= 0x3A) ||
                       (i >= 0x3C && i <= 0x5B) || (i >= 0x5D && i <= 0x7E);
    EXPECT_EQ(cookie_value_is_safe(std::string(1, static_cast<char>(i))), octet) << i;
  }
  EXPECT_TRUE(cookie_value_is_safe(""));
  EXPECT_TRUE(cookie_value_is_safe("pvv1qqqsyqcyq5rqwzqf"));
}

std::string edited(std::string_view text, std::string_view names) {
  FlatFields seen(text);
  EXPECT_EQ(scan_cookies(text, CookieLimits{}, seen), ScanStatus::ok);
  std::vector<FieldEdit> field_edits;
  for (const FlatField& field : seen.fields) {
    const bool remove = names.find(field.name) != std::string_view::npos;
    if (remove || field.name == "n") field_edits.push_back({field.field, {0, 1}, remove});
  }
  std::vector<Edit> edits;
  cookie_edits(text, field_edits, edits);
  return splice(text, edits, "N");
}

TEST(Cookie, RemovesSeparatorsWithCookies) {
  EXPECT_EQ(edited("a=1; b=2; c=3", "a"), "b=2; c=3");
  EXPECT_EQ(edited("a=1; b=2; c=3", "b"), "a=1; c=3");
  EXPECT_EQ(edited("a=1; b=2; c=3", "c"), "a=1; b=2");
  EXPECT_EQ(edited("a=1; b=2; c=3", "bc"), "a=1");
  EXPECT_EQ(edited("a=1; b=2; c=3", "abc"), "");
  EXPECT_EQ(edited("n; a=1; n=x", "a"), "n=N; n=N");
}

}  // namespace
}  // namespace paravent::proxy::body::test
