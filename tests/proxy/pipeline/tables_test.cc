// Small pure parts as tables: reasons, the host that routes are matched on.

#include <gtest/gtest.h>

#include "proxy/pipeline/match_host.h"
#include "proxy/pipeline/refusal.h"

namespace paravent::proxy {
namespace {

TEST(Reasons, AreTheClosedSetOfTheContract) {
  const std::pair<std::uint16_t, std::string_view> expected[kReasonCount] = {
      {400, "framing"},
      {400, "malformed-body"},
      {403, "client-certificate"},
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
      {422, "ambiguous-field"},
      {422, "own-token"},
      {422, "transform-failed"},
      {422, "objected"},
      {422, "late-field"},
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
