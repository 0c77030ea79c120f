// A protected path under other spellings: what elsewhere may still let through there.

#include "policies/plan/path_alias.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>

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

// A policy of routes in the order given, each with its line about match and its rules.
struct Written {
  const char* name;
  const char* match;
  const char* rules;
};

std::shared_ptr<const PolicyPlan> plan_of(std::initializer_list<Written> routes,
                                          const std::string& elsewhere = "") {
  std::string text =
      "policy: 1\ntenant: t\nrecipients: { crm: { name: CRM, country: FR } }\n"
      "purposes: { p: { basis: contract, retention: { active: P3Y } } }\nroutes:\n";
  for (const Written& route : routes) {
    text += std::string("  - name: ") + route.name + "\n    match: { " + route.match +
            " }\n    upstream: \"http://127.0.0.1:9000\"\n    recipient: crm\n    purpose: p\n" +
            "    fields: { " + route.rules + " }\n";
  }
  if (!elsewhere.empty()) {
    text += "elsewhere: { methods: " + elsewhere +
            ", upstream: \"http://127.0.0.1:9000\", do: pass }\n";
  }
  const LoadedPolicy loaded = load_policy_text("test.yaml", text);
  EXPECT_TRUE(loaded.ok()) << diagnostics_text(loaded.diagnostics);
  auto plan = compile({&loaded.policy, 1});
  EXPECT_TRUE(plan.has_value());
  return *plan;
}

constexpr const char* kMail = "form.email: { kind: email, do: tokenise }";

TEST(PathAlias, AWiderRouteBehindTakesNoOtherSpelling) {
  const auto plan = plan_of({{"contact", "method: POST, path: [/contact, /Form.php]", kMail},
                             {"shop", "host: shop.example, path: /shop", kMail},
                             {"old", "method: POST, path: /CONTACT", kMail},
                             {"rest", "path: '/*'", kMail}});
  const auto taken = [&](const char* method, const char* path) -> std::string {
    const RouteMatch match = plan->route_for(method, "a.example", path);
    if (match.route == nullptr && match.path_is_protected) return "405";
    return match.route == nullptr ? "404" : match.route->name;
  };
  for (const char* path : {"/Contact", "/contact/", "/contact;x", "/contact%20", "/contact.",
                           "/form.php", "/Form.php/x"}) {
    EXPECT_EQ(taken("POST", path), "404") << path;
    EXPECT_EQ(taken("GET", path), "rest") << path;
  }
  EXPECT_EQ(taken("POST", "/contact"), "contact");
  EXPECT_EQ(taken("POST", "/CONTACT"), "old");  // written as it is
  EXPECT_EQ(taken("PUT", "/contact"), "rest");
  for (const char* path : {"/", "/contacts", "/contact/help", "/Shop"}) {
    EXPECT_EQ(taken("POST", path), "rest") << path;
  }
  EXPECT_EQ(plan->route_for("POST", "shop.example", "/Shop").route, nullptr);
}

// A pattern that is about nothing but other spellings was written for them.
TEST(PathAlias, APatternOfOtherSpellingsIsTaken) {
  const auto plan = plan_of({{"front", "path: [/index.php, '/blog/*']", kMail},
                             {"below", "path: '/index.php/*'", kMail},
                             {"old", "path: '/Blog/*'", kMail},
                             {"rest", "path: '/*'", kMail}});
  EXPECT_EQ(plan->route_for("POST", "a.example", "/index.php/x").route->name, "below");
  EXPECT_EQ(plan->route_for("POST", "a.example", "/Blog/x").route->name, "old");
  EXPECT_EQ(plan->route_for("POST", "a.example", "/Index.php").route, nullptr);
  EXPECT_EQ(plan->route_for("POST", "a.example", "/BLOG/x").route, nullptr);
}

TEST(PathAlias, WhatThePathItselfHoldsIsPassedByNoElsewhere) {
  const auto plan =
      plan_of({{"users", "method: POST, path: '/users/{id}/{tab}'",
                "path.id: { kind: email, do: tokenise }, path.tab: { do: keep }"},
               {"pages", "method: POST, path: '/pages/{tab}'", "path.tab: { do: keep }"}},
              "[GET, HEAD]");
  for (const char* path : {"/users/anne/x", "/Users/anne/x", "/users/anne/x/", "/users/anne;a/x"}) {
    EXPECT_TRUE(plan->holds_fields("a.example", path)) << path;
    EXPECT_EQ(plan->methods_for("a.example", path).find("GET"), std::string::npos) << path;
  }
  for (const char* path : {"/users/anne", "/pages/x", "/Pages/x", "/"}) {
    EXPECT_FALSE(plan->holds_fields("a.example", path)) << path;
    EXPECT_NE(plan->methods_for("a.example", path).find("GET, HEAD"), std::string::npos) << path;
  }
}

TEST(PathAlias, NamesAreListedAsTheLaxestReadersTakeThem) {
  const auto plan = plan_of(
      {{"contact", "method: POST, path: /contact",
        "form.email: { kind: email, do: tokenise }, query.e_mail: { kind: email, do: tokenise }, "
        "query.'Clé': { kind: name, do: tokenise }, json.phone: { kind: phone, do: tokenise }, "
        "json.user.name: { kind: name, do: tokenise }, 'form.x_*': { kind: text, do: encrypt }"}},
      "[GET, HEAD]");
  for (const char* name :
       {"email", "Email", "EMAIL", "email[]", "Email[0]", "email[", " email", "e_mail", "e.mail",
        "E mail", "e.mail[a][b]", "clé", "CLÉ", "Phone", "phone[]", "x_a", "X_A", "x.a"}) {
    EXPECT_TRUE(plan->is_listed("a.example", "/contact", name)) << name;
  }
  for (const char* name :
       {"", "mail", "emails", "page", "name", "user", "[email]", "xa", "email_"}) {
    EXPECT_FALSE(plan->is_listed("a.example", "/contact", name)) << name;
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
