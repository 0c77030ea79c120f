// A protected path under other spellings: what elsewhere may still let through there.

#include "policies/plan/path_alias.h"

#include <gtest/gtest.h>

#include <string>

#include "policies/model/load_policy.h"
#include "policies/plan/compiler.h"

namespace paravent::policies {
namespace {

std::string folded(std::string_view path) {
  std::string out(path.size() + 1, '#');
  out.resize(fold_path(path, out.data()));
  return out;
}

TEST(PathAlias, Folds) {
  const std::pair<const char*, const char*> cases[] = {
      {"/", "/"},
      {"/contact", "/contact"},
      {"/Contact", "/contact"},
      {"/contact/", "/contact"},
      {"/contact;jsessionid=1", "/contact"},
      {"/a;x=1/b;y", "/a/b"},
      {"/;x/contact", "/contact"},
      {"/contact.", "/contact"},
      {"/contact%20", "/contact"},
      {"/contact%20./", "/contact"},
      {"/cont%40ct", "/cont@ct"},
      {"/caf%C3%A9", "/caf%C3%A9"},
      {"/a%3Bb", "/a%3Bb"},
      {"/a%2Ab", "/a%2Ab"},
      {"/100%25", "/100%25"},
      {"/a.b/...", "/a.b"},
      {"/blog/*", "/blog/*"},
      {"/%28A%29", "/(a)"},
  };
  for (const auto& [path, expected] : cases) EXPECT_EQ(folded(path), expected) << path;
}

TEST(PathAlias, FoldingTwiceChangesNothing) {
  for (const char* path : {"/A;x/B.%20/", "/%28a%29..", "/;/;/x", "/a%20b"}) {
    EXPECT_EQ(folded(folded(path)), folded(path)) << path;
  }
}

TEST(PathAlias, Scripts) {
  for (const char* path : {"/contact.php", "/a/b.cgi"}) EXPECT_TRUE(names_a_script(path)) << path;
  for (const char* path : {"/contact", "/a.b/c", "/.hidden", "/a."}) {
    EXPECT_FALSE(names_a_script(path)) << path;
  }
}

std::shared_ptr<const PolicyPlan> plan_of(const std::string& hosts = "") {
  const std::string host_lines = hosts.empty() ? "" : ", host: " + hosts;
  const LoadedPolicy loaded = load_policy_text(
      "test.yaml",
      "policy: 1\ntenant: t\nrecipients: { crm: { name: CRM, country: FR } }\n"
      "purposes: { p: { basis: contract, retention: { active: P3Y } } }\nroutes:\n"
      "  - name: contact\n    match: { method: POST, path: [/contact, /Form.php, /api/*/event]" +
          host_lines +
          " }\n    upstream: \"http://127.0.0.1:9000\"\n    recipient: crm\n    purpose: p\n"
          "    fields: { form.email: { kind: email, do: tokenise } }\n"
          "elsewhere: { methods: [GET, HEAD, POST], upstream: \"http://127.0.0.1:9000\", do: pass "
          "}\n");
  EXPECT_TRUE(loaded.ok()) << diagnostics_text(loaded.diagnostics);
  auto plan = compile({&loaded.policy, 1});
  EXPECT_TRUE(plan.has_value());
  return *plan;
}

TEST(PathAlias, NoSpellingGetsPastAProtectedPath) {
  const auto plan = plan_of();
  for (const char* path :
       {"/Contact", "/CONTACT", "/contact/", "/contact;x", "/contact;x=1/", "/;a/contact",
        "/contact.", "/contact%20", "/form.php", "/Form.php/", "/Form.php/anything",
        "/form.PHP/a/b", "/API/x/event", "/api/x/EVENT/"}) {
    const RouteMatch post = plan->route_for("POST", "a.example", path);
    EXPECT_EQ(post.route, nullptr) << path;
    EXPECT_TRUE(post.path_is_protected) << path;
    EXPECT_EQ(plan->methods_for("a.example", path), "GET, HEAD") << path;
    // A page may be read there, but not with the form's own names in its query.
    const RouteMatch get = plan->route_for("GET", "a.example", path);
    ASSERT_NE(get.route, nullptr) << path;
    EXPECT_NE(get.protected_route, nullptr) << path;
    EXPECT_TRUE(plan->is_listed("a.example", path, "email")) << path;
    EXPECT_FALSE(plan->is_listed("a.example", path, "page")) << path;
  }
}

TEST(PathAlias, OtherPathsPass) {
  const auto plan = plan_of();
  for (const char* path : {"/", "/contacts", "/contact/help", "/contact-us", "/form", "/form.phpx",
                           "/api/event", "/api/x/y/event", "/x/contact"}) {
    const RouteMatch post = plan->route_for("POST", "a.example", path);
    ASSERT_NE(post.route, nullptr) << path;
    EXPECT_EQ(post.protected_route, nullptr) << path;
  }
  EXPECT_EQ(plan->route_for("POST", "a.example", "/contact").route->name, "contact");
}

// The application behind does not change because somebody calls it by another name.
TEST(PathAlias, AnotherHostIsTheSameApplication) {
  const auto plan = plan_of("www.example.fr");
  EXPECT_EQ(plan->route_for("POST", "www.example.fr", "/contact").route->name, "contact");
  for (const char* host : {"127.0.0.1", "example.fr", "evil.example"}) {
    for (const char* path : {"/contact", "/Contact/"}) {
      EXPECT_EQ(plan->route_for("POST", host, path).route, nullptr) << host << path;
    }
    ASSERT_NE(plan->route_for("POST", host, "/other").route, nullptr) << host;
  }
}

TEST(PathAlias, LongPathsToo) {
  const auto plan = plan_of();
  const std::string long_name(3000, 'x');
  EXPECT_EQ(plan->route_for("POST", "a.example", "/api/" + long_name + "/Event").route, nullptr);
  EXPECT_NE(plan->route_for("POST", "a.example", "/" + long_name).route, nullptr);
}

}  // namespace
}  // namespace paravent::policies
