// Runs every case of cases/ and response_cases/, whole and cut at every size, and checks that the
// outcome is the one the file states and does not depend on the cut.

#include <gtest/gtest.h>

#include <set>

#include "tests/proxy/net/case_file.h"
#include "tests/proxy/net/parsed.h"

namespace paravent::proxy::net {
namespace {

void expect_outcome(const Case& expected, const Parsed& parsed) {
  EXPECT_EQ(parsed.outcome, expected.outcome);
  if (parsed.outcome != "ok") return;
  for (const auto& [key, value] : expected.expected) {
    const auto found = parsed.facts.find(key);
    ASSERT_NE(found, parsed.facts.end()) << "no such fact: " << key;
    EXPECT_EQ(found->second, value) << key;
  }
}

TEST(Http1Cases, RequestsHaveTheOutcomeThatTheirFileStates) {
  const auto cases = read_cases("tests/proxy/net/cases");
  ASSERT_GT(cases.size(), 250U);
  std::set<std::string> files;
  for (const Case& one : cases) {
    SCOPED_TRACE(one.file + ": " + one.name);
    files.insert(one.file);
    expect_outcome(one, parse_request(one.bytes, whole()));
  }
  EXPECT_GE(files.size(), 17U);
}

TEST(Http1Cases, RequestsDoNotDependOnHowTheyAreCut) {
  for (const Case& one : read_cases("tests/proxy/net/cases")) {
    SCOPED_TRACE(one.file + ": " + one.name);
    const Parsed reference = parse_request(one.bytes, whole());
    for (const std::size_t size : {1U, 2U, 3U, 5U, 8U, 13U, 21U, 34U}) {
      EXPECT_EQ(parse_request(one.bytes, pieces_of(size)), reference) << "pieces of " << size;
    }
    for (std::size_t first = 1; first < one.bytes.size(); ++first) {
      const Cut two = [first](std::size_t seen) { return seen == 0 ? first : 1U << 20U; };
      EXPECT_EQ(parse_request(one.bytes, two), reference) << "cut at " << first;
    }
  }
}

TEST(Http1Cases, ResponsesHaveTheOutcomeThatTheirFileStates) {
  const auto cases = read_cases("tests/proxy/net/response_cases");
  ASSERT_GT(cases.size(), 30U);
  for (const Case& one : cases) {
    SCOPED_TRACE(one.file + ": " + one.name);
    const Parsed reference = parse_response(one.bytes, whole());
    expect_outcome(one, reference);
    for (std::size_t size = 1; size < one.bytes.size(); size += 3) {
      EXPECT_EQ(parse_response(one.bytes, pieces_of(size)), reference) << "pieces of " << size;
    }
  }
}

TEST(Http1Cases, AnAnswerToHeadHasNoBody) {
  const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  const Parsed parsed = parse_response(answer, whole(), true);
  EXPECT_EQ(parsed.outcome, "ok");
  EXPECT_EQ(parsed.facts.at("framing"), "none");
  EXPECT_EQ(parsed.facts.at("length"), "5");
}

}  // namespace
}  // namespace paravent::proxy::net
