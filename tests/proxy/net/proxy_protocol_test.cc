// Runs every case of proxy_cases/, whole and cut at every place.

#include "proxy/net/proxy_protocol.h"

#include <gtest/gtest.h>

#include "tests/proxy/net/case_file.h"

namespace paravent::proxy::net {
namespace {

std::string outcome_of(ProxyStatus status) {
  switch (status) {
    case ProxyStatus::need_more:
      return "incomplete";
    case ProxyStatus::done:
      return "ok";
    case ProxyStatus::bad:
      return "bad";
  }
  return "?";
}

TEST(ProxyProtocol, HeadersHaveTheOutcomeThatTheirFileStates) {
  const auto cases = read_cases("tests/proxy/net/proxy_cases");
  ASSERT_GT(cases.size(), 60U);
  for (const Case& one : cases) {
    SCOPED_TRACE(one.file + ": " + one.name);
    ProxyHeader header;
    EXPECT_EQ(outcome_of(parse_proxy_header(one.bytes, header)), one.outcome);
    if (const auto source = one.expected.find("source"); source != one.expected.end()) {
      EXPECT_EQ(header.source ? header.source->text() : "-", source->second);
    }
    if (const auto size = one.expected.find("size"); size != one.expected.end()) {
      EXPECT_EQ(std::to_string(header.size), size->second);
    }
  }
}

// However few bytes are there, the answer is the final one or "more".
TEST(ProxyProtocol, AFrontOfAHeaderSaysNothingElse) {
  for (const Case& one : read_cases("tests/proxy/net/proxy_cases")) {
    SCOPED_TRACE(one.file + ": " + one.name);
    ProxyHeader whole;
    const ProxyStatus final = parse_proxy_header(one.bytes, whole);
    for (std::size_t n = 0; n < one.bytes.size(); ++n) {
      ProxyHeader header;
      const ProxyStatus status = parse_proxy_header(one.bytes.substr(0, n), header);
      if (status == ProxyStatus::need_more) continue;
      EXPECT_EQ(status, final) << n;
      EXPECT_EQ(header.size, whole.size);
      EXPECT_EQ(header.source, whole.source);
    }
  }
}

}  // namespace
}  // namespace paravent::proxy::net
