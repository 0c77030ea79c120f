// Many routes of many hosts: the tables find what asking each route in turn finds.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "policies/model/load_policy.h"
#include "policies/model/path_pattern.h"
#include "policies/plan/compiler.h"
#include "policies/plan/path_alias.h"

namespace paravent::policies {
namespace {

const std::vector<std::string> kHosts = {"a.example", "b.example", "c.example", "d.example"};
const std::vector<std::string> kMethods = {"GET", "POST", "PUT"};
const std::vector<std::string> kSegments = {
    "contact", "Contact", "form.php", "a", "users", "{id}", "*", "a*", "b.cgi", "a%20b", "x.php"};
const std::vector<std::string> kAsked = {
    "contact", "CONTACT", "form.php",  "Form.PHP", "a", "ab",  "users",     "b.cgi",
    "a%20b",   "x.php",   "contact;x", "a.",       "7", "%61", "contact%20"};

struct Stated {
  std::string name;
  std::vector<std::string> methods;
  std::vector<std::string> hosts;
  PathPattern path;
  PathPattern folded;
  bool beside_elsewhere = false;
  bool is_script = false;
};

std::string folded_text(std::string_view path) {
  std::string out(path.size() + 1, '/');
  out.resize(fold_path(path, out.data()));
  return out;
}

bool has(const std::vector<std::string>& words, const std::string& word) {
  return words.empty() || std::find(words.begin(), words.end(), word) != words.end();
}

bool is_alias(const Stated& route, const std::string& folded) {
  return route.folded.matches(folded) ||
         (route.is_script && folded.starts_with(route.folded.text() + '/'));
}

bool covers_alias(const Stated& route, const PathPattern& other) {
  return route.folded.covers(other) ||
         (route.is_script && other.text().starts_with(route.folded.text() + '/'));
}

// The rules of docs/request-path.md, each route in turn.
struct Expected {
  std::string route;  // empty: refused
  std::string protected_route;
};
Expected in_turn(const std::vector<Stated>& routes, const std::string& method,
                 const std::string& host, const std::string& path) {
  const std::string folded = folded_text(path);
  for (const Stated& taken : routes) {
    if (!has(taken.methods, method) || !has(taken.hosts, host) || !taken.path.matches(path)) {
      continue;
    }
    if (taken.path.is_exact()) return {taken.name, ""};
    for (const Stated& earlier : routes) {
      if (&earlier == &taken) break;
      if (has(earlier.methods, method) && has(earlier.hosts, host) && is_alias(earlier, folded) &&
          !covers_alias(earlier, taken.folded)) {
        return {};
      }
    }
    return {taken.name, ""};
  }
  if (method == "PUT") return {};  // elsewhere takes GET and POST
  for (const Stated& route : routes) {
    const bool here = has(route.hosts, host);
    if ((here && route.path.matches(path)) ||
        ((here || route.beside_elsewhere) && is_alias(route, folded))) {
      return method == "GET" ? Expected{"elsewhere", route.name} : Expected{};
    }
  }
  return {"elsewhere", ""};
}

class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}
  bool one_in(unsigned n) { return random_() % n == 0; }
  const std::string& of(const std::vector<std::string>& words) {
    return words[random_() % words.size()];
  }
  std::vector<std::string> some(const std::vector<std::string>& words) {
    std::vector<std::string> drawn;
    for (const std::string& word : words) {
      if (one_in(3)) drawn.push_back(word);
    }
    return drawn;
  }
  std::string path(const std::vector<std::string>& segments) {
    std::string text = "/" + of(segments);
    for (int i = 0; i < 2 && !one_in(2); ++i) text += "/" + of(segments);
    return text;
  }

 private:
  std::mt19937 random_;
};

std::string list(const std::vector<std::string>& words) {
  std::string text = "[";
  for (const std::string& word : words) text += (text.size() > 1 ? ", " : "") + word;
  return text + "]";
}

// Some routes are refused by the reader (no path in normal form, covered by one before): then the
// policy goes without them.
std::string policy_of(const std::vector<Stated>& routes) {
  std::string text =
      "policy: 1\ntenant: t\nrecipients: { crm: { name: CRM, country: FR } }\n"
      "purposes: { p: { basis: contract, retention: { active: P3Y } } }\n"
      "elsewhere: { do: pass, upstream: \"http://127.0.0.1:9000\", methods: [GET, POST] "
      "}\nroutes:\n";
  for (const Stated& route : routes) {
    text += "  - { name: " + route.name + ", match: { path: \"" + route.path.text() + "\"";
    if (!route.methods.empty()) text += ", method: " + list(route.methods);
    if (!route.hosts.empty()) text += ", host: " + list(route.hosts);
    text += " }, upstream: \"http://127.0.0.1:900" +
            std::string(route.beside_elsewhere ? "0" : "1") +
            "\", recipient: crm, purpose: p, fields: { form.email: { do: drop } } }\n";
  }
  return text;
}

TEST(RouteIndex, FindsWhatAskingEachRouteInTurnFinds) {
  int routed = 0;
  int refused = 0;
  int beside = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    Draw draw(seed);
    std::vector<Stated> routes;
    for (int i = 0; i < 30; ++i) {
      const std::string path = draw.path(kSegments);
      auto parsed = PathPattern::parse(path);
      auto folded = PathPattern::parse(folded_text(path));
      auto* const plain = std::get_if<PathPattern>(&parsed);
      auto* const alias = std::get_if<PathPattern>(&folded);
      if (plain == nullptr || alias == nullptr) continue;
      Stated route{"r" + std::to_string(i),
                   draw.some(kMethods),
                   draw.some(kHosts),
                   *plain,
                   *alias,
                   draw.one_in(2),
                   false};
      route.is_script = plain->is_exact() && names_a_script(alias->text());
      routes.push_back(route);
      if (!load_policy_text("t.yaml", policy_of(routes)).ok()) routes.pop_back();
    }
    ASSERT_GT(routes.size(), 5U);
    const LoadedPolicy loaded = load_policy_text("t.yaml", policy_of(routes));
    const auto plan = compile({&loaded.policy, 1});
    ASSERT_TRUE(plan.has_value());
    for (int i = 0; i < 400; ++i) {
      const std::string& method = draw.of(kMethods);
      const std::string host = draw.one_in(5) ? "other.example" : draw.of(kHosts);
      const std::string path = draw.path(kAsked);
      const Expected expected = in_turn(routes, method, host, path);
      const RouteMatch match = (*plan)->route_for(method, host, path);
      const auto name = [](const RoutePlan* route) { return route == nullptr ? "" : route->name; };
      ASSERT_EQ(name(match.route), expected.route) << method << ' ' << host << path << '\n'
                                                   << policy_of(routes);
      ASSERT_EQ(name(match.protected_route), expected.protected_route)
          << method << ' ' << host << path << '\n'
          << policy_of(routes);
      ++(expected.route.empty() ? refused : routed);
      beside += expected.protected_route.empty() ? 0 : 1;
    }
  }
  EXPECT_GT(routed, 3000);
  EXPECT_GT(refused, 3000);
  EXPECT_GT(beside, 300);
}

// As many as there are sites of an agency: each has the same path, and its own.
TEST(RouteIndex, AThousandSites) {
  std::vector<Stated> routes;
  for (int i = 0; i < 1000; ++i) {
    for (const char* path : {"/contact", "/users/{id}"}) {
      Stated route{"r" + std::to_string(routes.size()),
                   {"POST"},
                   {"w" + std::to_string(i) + ".example"},
                   std::get<PathPattern>(PathPattern::parse(path)),
                   {},
                   true,
                   false};
      routes.push_back(route);
    }
  }
  const LoadedPolicy loaded = load_policy_text("t.yaml", policy_of(routes));
  ASSERT_TRUE(loaded.ok()) << diagnostics_text(loaded.diagnostics);
  const auto plan = compile({&loaded.policy, 1});
  ASSERT_TRUE(plan.has_value());
  for (const int i : {0, 1, 499, 999}) {
    const std::string host = "w" + std::to_string(i) + ".example";
    EXPECT_EQ((*plan)->route_for("POST", host, "/contact").route->name,
              "r" + std::to_string(2 * i));
    EXPECT_EQ((*plan)->route_for("POST", host, "/users/7").route->name,
              "r" + std::to_string(2 * i + 1));
    EXPECT_EQ((*plan)->route_for("POST", host, "/Contact").route, nullptr);
    EXPECT_EQ((*plan)->route_for("GET", host, "/style.css").route->name, "elsewhere");
  }
  EXPECT_EQ((*plan)->route_for("POST", "w1000.example", "/contact").route, nullptr)
      << "elsewhere's upstream is theirs";
}

}  // namespace
}  // namespace paravent::policies
