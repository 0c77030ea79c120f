// One line of RFC 5424 per entry, whatever people wrote into it.

#include "proxy/main/keepers/syslog_line.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <regex>

namespace paravent::proxy::main {
namespace {

std::string line_of(const char* json) { return syslog_line(boost::json::parse(json).as_object()); }

TEST(SyslogLine, HasTheFormOfTheStandard) {
  const std::string line = line_of(
      R"({"index":7,"time":"2026-11-28T05:00:00.123Z","event":"reveal","outcome":"done","operator":"dpo"})");
  EXPECT_TRUE(std::regex_match(
      line,
      std::regex(R"(<110>1 2026-11-28T05:00:00\.123Z \S+ paravent - reveal )"
                 R"(\[paravent@32473 index="7" outcome="done" operator="dpo"\] reveal done)")))
      << line;
}

TEST(SyslogLine, SeverityByWhatHappened) {
  EXPECT_TRUE(line_of(R"({"event":"alarm","outcome":"done"})").starts_with("<105>1 "));
  EXPECT_TRUE(line_of(R"({"event":"backup","outcome":"failed"})").starts_with("<107>1 "));
  EXPECT_TRUE(line_of(R"({"event":"refusal","outcome":"refused"})").starts_with("<108>1 "));
  EXPECT_TRUE(line_of(R"({"event":"start","outcome":"done"})").starts_with("<110>1 "));
}

TEST(SyslogLine, NothingThatPeopleWriteBreaksIt) {
  const std::string line = line_of(
      R"({"event":"reveal","outcome":"done","reason":"a\"b]c\\d\n<0>1 forged\u0000\u007f"})");
  EXPECT_EQ(line.find('\n'), std::string::npos);
  EXPECT_NE(line.find(R"(reason="a\"b\]c\\d <0>1 forged  ")"), std::string::npos) << line;
  // A missing time and event are the standard's nil.
  EXPECT_NE(line_of("{}").find("<110>1 - "), std::string::npos);
}

TEST(SyslogLine, TokensAreOneParameter) {
  const std::string line =
      line_of(R"({"event":"reveal","tokens":[{"key_id":"01","sha256":"ab"}]})");
  EXPECT_NE(line.find(R"(tokens="[{\"key_id\":\"01\",\"sha256\":\"ab\"}\]")"), std::string::npos)
      << line;
}

}  // namespace
}  // namespace paravent::proxy::main
