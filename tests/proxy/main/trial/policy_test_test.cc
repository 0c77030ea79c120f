// NAME.test.yaml: what is read, what is a mistake, and what counts as a failure.

#include "proxy/main/trial/policy_test.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/policies/policy_text.h"

namespace paravent::proxy::main {
namespace {

class PolicyTestFiles : public ::testing::Test {
 protected:
  PolicyTestFiles() {
    std::string name = (std::filesystem::temp_directory_path() / "paravent-pt-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~PolicyTestFiles() override { std::filesystem::remove_all(folder_); }
  PolicyTestFile load(const std::string& text) {
    std::ofstream(folder_ / "a.test.yaml") << text;
    return load_policy_test((folder_ / "a.test.yaml").string());
  }
  std::filesystem::path folder_;
};

TEST_F(PolicyTestFiles, EverythingThatCanBeSaid) {
  std::ofstream(folder_ / "one.http") << "GET / HTTP/1.1\nHost: a\n\n";
  const PolicyTestFile file = load(R"(policy: contact.yaml
cases:
  - name: protected
    request: one.http
    expect:
      route: form
      upstream:
        form.email: { action: tokenise, not-contains: alice, contains: [pvv1, "@"] }
        header.X-Real-IP: absent
  - request: |
      POST /f HTTP/1.1
      Host: a

      a=1
    expect: { refused: unlisted-field }
)");
  EXPECT_FALSE(file.diagnostics.has_errors()) << policies::diagnostics_text(file.diagnostics);
  EXPECT_EQ(file.policy, (folder_ / "contact.yaml").string());
  ASSERT_EQ(file.cases.size(), 2U);
  EXPECT_EQ(file.cases[0].name, "protected");
  EXPECT_EQ(file.cases[0].request, "GET / HTTP/1.1\nHost: a\n\n");
  EXPECT_EQ(file.cases[0].route, "form");
  ASSERT_EQ(file.cases[0].upstream.size(), 2U);
  EXPECT_EQ(file.cases[0].upstream[0].action, "tokenise");
  EXPECT_EQ(file.cases[0].upstream[0].not_contains, std::vector<std::string>{"alice"});
  EXPECT_EQ(file.cases[0].upstream[0].contains, (std::vector<std::string>{"pvv1", "@"}));
  EXPECT_TRUE(file.cases[0].upstream[1].absent);
  EXPECT_EQ(file.cases[1].refused, "unlisted-field");
  EXPECT_EQ(file.cases[1].at.line, 10U);
  EXPECT_TRUE(file.cases[1].request.starts_with("POST /f HTTP/1.1\nHost: a\n\na=1"));
}

TEST_F(PolicyTestFiles, Mistakes) {
  const std::string request = "    request: \"GET / HTTP/1.1\\nHost: a\\n\\n\"\n";
  const auto one_case = [&](const std::string& rest) {
    return "policy: p.yaml\ncases:\n  - name: n\n" + rest;
  };
  const std::pair<std::string, const char*> cases[] = {
      {"", ""},
      {"cases: []", "cases"},
      {"policy: p.yaml\ncases: []", "cases"},
      {"policy: p.yaml\ncases: {}", "cases"},
      {"policy: p.yaml", "cases"},
      {"cases:\n  - expect: { route: r }\n" + request, "policy"},
      {one_case(request + "    expect: { route: r }\n    more: 1\n"), "cases[0].more"},
      {one_case(request), "cases[0].expect"},
      {one_case("    expect: { route: r }\n"), "cases[0].request"},
      {one_case("    request: missing.http\n    expect: { route: r }\n"), "cases[0].request"},
      {one_case(request + "    expect: {}\n"), "cases[0].expect"},
      {one_case(request + "    expect: { refused: method, upstream: { form.a: absent } }\n"),
       "cases[0].expect"},
      {one_case(request + "    expect: { upstream: [form.a] }\n"), "cases[0].expect.upstream"},
      {one_case(request + "    expect: { upstream: { form.a: {} } }\n"),
       "cases[0].expect.upstream.form.a"},
      {one_case(request + "    expect: { upstream: { form.a: present } }\n"),
       "cases[0].expect.upstream.form.a"},
      {one_case(request + "    expect: { upstream: { form.a: { acton: keep } } }\n"),
       "cases[0].expect.upstream.form.a"},
      {one_case(request + "    expect: { rout: r }\n"), "cases[0].expect"},
  };
  for (const auto& [text, key] : cases) {
    const PolicyTestFile file = load(text);
    ASSERT_TRUE(file.diagnostics.has_errors()) << text;
    bool named = false;
    for (const auto& one : file.diagnostics.items()) named = named || one.key.starts_with(key);
    EXPECT_TRUE(named) << text << "\n" << policies::diagnostics_text(file.diagnostics);
  }
  EXPECT_TRUE(load_policy_test((folder_ / "none.test.yaml").string()).diagnostics.has_errors());
}

Explanation forwarded() {
  Explanation explanation;
  explanation.route = "form";
  explanation.outcome = "forwarded";
  explanation.fields = {{"form.email", "form.email", "tokenise", "alice@b.fr", "pvv1x"},
                        {"form.pot", "form.pot", "drop", "x", std::nullopt},
                        {"header.user-agent", "header.User-Agent", "generalise", "a", "b"}};
  explanation.unlisted = {"form.more"};
  explanation.upstream_head =
      "POST /f HTTP/1.1\r\nHost: a\r\nuser-agent: b\r\nX-Two: 1\r\nX-Two: 2\r\n\r\n";
  explanation.upstream_body = "email=pvv1x&more=leaked";
  return explanation;
}

FieldExpectation field(const std::string& path) {
  FieldExpectation expected;
  expected.path = path;
  return expected;
}

std::size_t failures(const FieldExpectation& expected) {
  PolicyTestCase test;
  test.upstream = {expected};
  return failures_of(test, forwarded()).size();
}

TEST(FailuresOf, RouteAndOutcome) {
  PolicyTestCase test;
  test.route = "form";
  EXPECT_TRUE(failures_of(test, forwarded()).empty());
  test.route = "other";
  EXPECT_EQ(failures_of(test, forwarded()),
            std::vector<std::string>{"the route is form, not other"});
  PolicyTestCase refused;
  refused.refused = "unlisted-field";
  EXPECT_EQ(failures_of(refused, forwarded()),
            std::vector<std::string>{"the request is forwarded, not refused"});
  Explanation refusal;
  refusal.outcome = "refused";
  refusal.reason = "unlisted-field";
  refusal.field = "form.x";
  EXPECT_TRUE(failures_of(refused, refusal).empty());
  refused.refused = "own-token";
  EXPECT_EQ(failures_of(refused, refusal),
            std::vector<std::string>{"the refusal is unlisted-field, not own-token"});
  PolicyTestCase passes;
  passes.upstream = {field("form.email")};
  EXPECT_EQ(failures_of(passes, refusal),
            std::vector<std::string>{"the request is refused: unlisted-field (form.x)"});
}

TEST(FailuresOf, AbsentAndPresent) {
  for (const char* path : {"form.pot", "form.unknown", "header.X-Real-IP"}) {
    FieldExpectation expected = field(path);
    expected.absent = true;
    EXPECT_EQ(failures(expected), 0U) << path;
    expected.absent = false;
    EXPECT_EQ(failures(expected), 1U) << path;
  }
  for (const char* path : {"form.email", "form.more", "header.x-two", "header.User-Agent"}) {
    FieldExpectation expected = field(path);
    EXPECT_EQ(failures(expected), 0U) << path;
    expected.absent = true;
    EXPECT_EQ(failures(expected), 1U) << path;
  }
}

TEST(FailuresOf, ActionsWhateverTheCaseOfAHeader) {
  for (const auto& [path, action] : {std::pair{"form.email", "tokenise"},
                                     {"form.more", "keep"},
                                     {"header.User-Agent", "generalise"}}) {
    FieldExpectation expected = field(path);
    expected.action = action;
    EXPECT_EQ(failures(expected), 0U) << path;
    expected.action = "encrypt";
    EXPECT_EQ(failures(expected), 1U) << path;
  }
}

TEST(FailuresOf, NotContainsLooksEverywhere) {
  FieldExpectation expected = field("form.email");
  expected.not_contains = {"alice@b.fr"};
  EXPECT_EQ(failures(expected), 0U);
  expected.not_contains = {"leaked"};
  EXPECT_EQ(failures(expected), 1U);
  expected.not_contains = {"user-agent: b"};
  EXPECT_EQ(failures(expected), 1U);
  expected.not_contains.clear();
  expected.contains = {"pvv1"};
  EXPECT_EQ(failures(expected), 0U);
  expected.contains = {"leaked"};
  EXPECT_EQ(failures(expected), 1U);
  // Values of the request stay out of the report.
  PolicyTestCase test;
  test.upstream = {expected};
  for (const std::string& failure : failures_of(test, forwarded())) {
    EXPECT_EQ(failure.find("leaked"), std::string::npos);
  }
}

// That a field was not read does not say that it is not there.
TEST(FailuresOf, NothingCanBeExpectedOfWhatElsewherePasses) {
  Explanation passed;
  passed.route = "elsewhere";
  passed.outcome = "passed";
  passed.upstream_head =
      "POST /f?email=alice HTTP/1.1\r\nHost: a\r\nCookie: session=1\r\nX-Two: 2\r\n\r\n";
  passed.upstream_body = "email=alice";
  for (const char* path :
       {"form.email", "multipart.email", "json.email", "csv.email", "xml.a/email", "query.email",
        "cookie.session", "path.id", "form.typo"}) {
    PolicyTestCase test;
    test.upstream = {field(path)};
    test.upstream[0].absent = true;
    EXPECT_EQ(failures_of(test, passed),
              std::vector<std::string>{std::string(path) + ": the request is passed by elsewhere, "
                                                           "and nothing in it was looked at"});
    test.upstream[0].absent = false;
    EXPECT_EQ(failures_of(test, passed).size(), 1U) << path;
  }
  // Its lines are known, and so is what handled it.
  PolicyTestCase lines;
  lines.route = "elsewhere";
  lines.upstream = {field("header.X-Two"), field("header.X-Real-IP")};
  lines.upstream[1].absent = true;
  EXPECT_TRUE(failures_of(lines, passed).empty());
  lines.upstream[0].absent = true;
  EXPECT_EQ(failures_of(lines, passed),
            std::vector<std::string>{"header.X-Two reaches the upstream"});
}

// A policy without rules about cookies does not read them, and they go on.
TEST(FailuresOf, CookiesAreReadFromWhatTheUpstreamGets) {
  Explanation explanation = forwarded();
  explanation.upstream_head =
      "POST /f HTTP/1.1\r\nHost: a\r\nCookie: session=s1; more=m\r\ncookie: session=s2\r\n\r\n";
  explanation.fields.push_back({"cookie.ours", "cookie.ours", "drop", "x", std::nullopt});
  explanation.unlisted.push_back("cookie.more");
  const auto count = [&](const FieldExpectation& expected) {
    PolicyTestCase test;
    test.upstream = {expected};
    return failures_of(test, explanation).size();
  };
  for (const auto& [path, there] : {std::pair{"cookie.session", true},
                                    {"cookie.more", true},
                                    {"cookie.ours", false},
                                    {"cookie.Session", false},
                                    {"cookie.s1", false}}) {
    FieldExpectation expected = field(path);
    EXPECT_EQ(count(expected), there ? 0U : 1U) << path;
    expected.absent = true;
    EXPECT_EQ(count(expected), there ? 1U : 0U) << path;
  }
  FieldExpectation both = field("cookie.session");
  both.contains = {"s1", "s2"};
  EXPECT_EQ(count(both), 0U);
  both.contains = {"m"};
  EXPECT_EQ(count(both), 1U);
  FieldExpectation kept = field("cookie.more");
  kept.action = "keep";
  EXPECT_EQ(count(kept), 0U);
  // Whoever cannot read the line cannot say what is not in it.
  explanation.upstream_head = "POST /f HTTP/1.1\r\nHost: a\r\nCookie: =1\r\n\r\n";
  FieldExpectation absent = field("cookie.session");
  absent.absent = true;
  EXPECT_EQ(count(absent), 1U);
}

TEST(FailuresOf, NoSegmentOfAPathIsAbsent) {
  FieldExpectation expected = field("path.id");
  expected.absent = true;
  EXPECT_EQ(failures(expected), 1U);
}

// The same of a policy: a typo in the path, and a cookie that no rule is about.
TEST(FailuresOf, WhatNobodyReadIsNotAbsent) {
  namespace pt = policies::testing;
  const auto explainer = Explainer::create(pt::loaded_policy(pt::policy_of(
      pt::route_of("form", "{ method: POST, path: /f }",
                   "    fields:\n      form.email: { do: drop }\n") +
      "elsewhere: { methods: [POST], upstream: \"http://127.0.0.1:9000\", do: pass }\n")));
  ASSERT_TRUE(explainer);
  const auto failures_on = [&](const std::string& path, const std::string& name) {
    PolicyTestCase test;
    test.upstream = {field(name)};
    test.upstream[0].absent = true;
    return failures_of(test, (*explainer)
                                 ->explain("POST " + path +
                                           " HTTP/1.1\nHost: a\nCookie: session=1\nContent-Type: "
                                           "application/x-www-form-urlencoded\n\nemail=a%40b.fr"))
        .size();
  };
  EXPECT_EQ(failures_on("/f", "form.email"), 0U);
  EXPECT_EQ(failures_on("/typo", "form.email"), 1U);
  EXPECT_EQ(failures_on("/f", "cookie.session"), 1U);
  EXPECT_EQ(failures_on("/f", "cookie.other"), 0U);
}

}  // namespace
}  // namespace paravent::proxy::main
