// Small pure parts as tables: reasons, browser families, truncation, the host that routes are
// matched on.

#include <gtest/gtest.h>

#include "proxy/pipeline/field_transform.h"
#include "proxy/pipeline/match_host.h"
#include "proxy/pipeline/refusal.h"
#include "proxy/pipeline/user_agent.h"

namespace paravent::proxy {
namespace {

TEST(Reasons, AreTheClosedSetOfTheContract) {
  const std::pair<std::uint16_t, std::string_view> expected[kReasonCount] = {
      {400, "framing"},
      {400, "malformed-body"},
      {404, "no-route"},
      {405, "method"},
      {408, "timeout"},
      {411, "length-required"},
      {413, "too-large"},
      {414, "target-too-long"},
      {415, "unsupported-type"},
      {415, "unsupported-encoding"},
      {417, "expectation"},
      {422, "unlisted-field"},
      {422, "missing-field"},
      {422, "refused-field"},
      {422, "own-token"},
      {422, "transform-failed"},
      {429, "rate-limited"},
      {431, "headers-too-large"},
      {501, "unsupported-coding"},
      {502, "upstream-failed"},
      {503, "sealed"},
      {503, "store-unavailable"},
      {503, "overloaded"},
      {504, "upstream-timeout"},
      {505, "http-version"}};
  for (std::size_t i = 0; i < kReasonCount; ++i) {
    EXPECT_EQ(reason_status(static_cast<Reason>(i)), expected[i].first) << i;
    EXPECT_EQ(reason_label(static_cast<Reason>(i)), expected[i].second) << i;
  }
  // Where framing is in doubt the connection closes; a field that is refused harms nobody's
  // framing.
  EXPECT_TRUE(reason_closes(Reason::framing));
  EXPECT_TRUE(reason_closes(Reason::unsupported_coding));
  EXPECT_FALSE(reason_closes(Reason::unlisted_field));
  EXPECT_FALSE(reason_closes(Reason::upstream_failed));
}

TEST(UserAgent, BecomesFamilyAndMajorVersion) {
  constexpr std::string_view kChrome =
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
      "Chrome/126.0.6478.61 Safari/537.36";
  const std::pair<std::string, std::string_view> cases[] = {
      {std::string(kChrome), "Mozilla/5.0 Chrome/126.0"},
      {std::string(kChrome) + " Edg/126.0.2592.56", "Mozilla/5.0 Edg/126.0"},
      {std::string(kChrome) + " OPR/112.0.0.0", "Mozilla/5.0 OPR/112.0"},
      {"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
       "Mozilla/5.0 Firefox/128.0"},
      {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
       "Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
       "Mozilla/5.0 Safari/17.0"},
      {"Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 FxiOS/127.1 Mobile/15E148 Safari/605.1.15",
       "Mozilla/5.0 Firefox/127.0"},
      {"Mozilla/5.0 (iPhone) AppleWebKit/605 CriOS/126.0.1 Mobile/1 Safari/604.1",
       "Mozilla/5.0 Chrome/126.0"},
      {"Mozilla/5.0 (Linux; Android 14; SM-S921B) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile",
       "Mozilla/5.0 SamsungBrowser/25.0"},
      {"curl/8.8.0", "Mozilla/5.0"},
      {"", "Mozilla/5.0"},
      {"Chrome/", "Mozilla/5.0"},
      {"Chrome/x", "Mozilla/5.0"},
      {"Chrome/123456789012", "Mozilla/5.0 Chrome/1234.0"},
      {"\x80\xFF<script>", "Mozilla/5.0"},
  };
  for (const auto& [agent, expected] : cases) {
    std::string once;
    append_browser_family(agent, once);
    EXPECT_EQ(once, expected) << agent;
    std::string twice;
    append_browser_family(once, twice);
    EXPECT_EQ(twice, once) << "not idempotent: " << agent;
  }
}

TEST(TruncateAddress, KeepsTheFirstBits) {
  struct Case {
    const char* address;
    std::uint32_t v4;
    std::uint32_t v6;
    const char* expected;  // empty: malformed
  };
  const Case cases[] = {
      {"203.0.113.255", 16, 48, "203.0.0.0"},
      {"203.0.113.255", 24, 48, "203.0.113.0"},
      {"203.0.113.255", 20, 48, "203.0.112.0"},
      {"203.0.113.255", 0, 0, "0.0.0.0"},
      {"203.0.113.255", 32, 0, "203.0.113.255"},
      {"203.0.113.255", 31, 0, "203.0.113.254"},
      {"2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", 16, 48, "2001:db8:aaaa::"},
      {"2001:db8:aaaa:bbbb::1", 16, 64, "2001:db8:aaaa:bbbb::"},
      {"2001:db8:aaaa:bbbb::1", 16, 33, "2001:db8:8000::"},
      {"2001:db8::1", 16, 128, "2001:db8::1"},
      {"::1", 16, 48, "::"},
      {"", 16, 48, ""},
      {"1.2.3", 16, 48, ""},
      {"1.2.3.4.5", 16, 48, ""},
      {"256.1.1.1", 16, 48, ""},
      {"::gggg", 16, 48, ""},
      {"fe80::1%eth0", 16, 48, ""},
      {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb", 16, 48, ""},
  };
  for (const Case& one : cases) {
    std::string out = "before ";
    const auto status = truncate_address(one.address, one.v4, one.v6, out);
    EXPECT_EQ(status.has_value(), one.expected[0] != '\0') << one.address;
    EXPECT_EQ(out, std::string("before ") + one.expected) << one.address;
  }
}

TEST(TruncateAddress, AMappedAddressIsTheOneItMaps) {
  policies::FieldAction action;
  action.action = policies::ActionKind::truncate;
  action.kind = crypto::Kind::ip;
  std::string out;
  ASSERT_TRUE(transform_field(action, " ::FFFF:203.0.113.9 ", out));
  EXPECT_EQ(out, "203.0.0.0");
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

TEST(MatchHost, IsLowerCaseWithoutPort) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"Shop.Example:8080", "shop.example"},
      {"shop.example", "shop.example"},
      {"", ""},
      {"[2001:DB8::1]:443", "[2001:db8::1]"},
      {"[::1]", "[::1]"},
      {"192.0.2.1:1", "192.0.2.1"}};
  std::string buffer = "something older and longer than all of them";
  for (const auto& [host, expected] : cases) EXPECT_EQ(match_host(host, buffer), expected) << host;
}

}  // namespace
}  // namespace paravent::proxy
