// Conditions that never hold, so that a rule does always what its `else` says, and a route is never
// taken.

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "policies/model/checks.h"
#include "policies/model/yaml_reader.h"

namespace paravent::policies {
namespace {

// Of which a request has one; the two encodings of a form are one, since the sender chooses.
enum class Body : unsigned char { none, form, json, csv, xml };

Body body_of(Carrier carrier) {
  switch (carrier) {
    case Carrier::form:
    case Carrier::multipart:
      return Body::form;
    case Carrier::json:
      return Body::json;
    case Carrier::csv:
      return Body::csv;
    case Carrier::xml:
      return Body::xml;
    default:
      return Body::none;
  }
}

// Whether the route takes such a body (see docs/policy-reference.md on routes). True also where a
// rule could not be read.
bool accepts(const Route& route, Body body) {
  bool names_some = false;
  for (const Rule& rule : route.rules) {
    if (!rule.has_selector) return true;
    if (!rule.selector.outer.empty()) continue;
    const Body own = body_of(rule.selector.carrier);
    if (own == body) return true;
    names_some = names_some || own != Body::none;
  }
  return !names_some && route.unlisted.value != Unlisted::refuse &&
         (body == Body::form || body == Body::json);
}

// What must hold as well where a condition is asked.
struct Around {
  const Route& route;
  Body own = Body::none;              // of the field that the rule is about
  std::span<const Condition> before;  // of the route itself
};

void check_condition(const Around& around, const Condition& condition,
                     std::span<const Condition> beside, const std::string& key, Diagnostics& out) {
  const Body body = body_of(condition.field.carrier);
  if (body != Body::none && around.own != Body::none && body != around.own) {
    out.error(condition.at, key,
              "this field and the rule's are of two kinds of body, which never come in one request",
              "Ask a field of the same body, or a query, header or cookie field");
    return;
  }
  if (body != Body::none && !accepts(around.route, body)) {
    out.error(condition.at, key, "the route has no rule about such a body, and refuses it",
              "Add a rule about a field of this body, or ask another field");
    return;
  }
  for (const auto& all : {around.before, beside}) {
    for (const Condition& other : all) {
      const Body theirs = body_of(other.field.carrier);
      const bool apart = body != Body::none && theirs != Body::none && body != theirs;
      if (!apart && !condition.contradicts(other)) continue;
      out.error(condition.at, key,
                "never holds together with " + in_quotes(other.field.text) + " (line " +
                    std::to_string(other.at.line) + "): " +
                    (apart ? "two kinds of body never come in one request"
                           : "the same field is asked for other values"),
                "Remove one of the two");
      return;
    }
  }
}

void check_conditions(const Around& around, const std::vector<Condition>& when,
                      const std::string& key, Diagnostics& out) {
  for (std::size_t i = 0; i < when.size(); ++i) {
    check_condition(around, when[i], {when.data(), i}, join_key(key, when[i].field.text), out);
  }
}

}  // namespace

void check_when(const Policy& policy, Diagnostics& out) {
  for (const Route& route : policy.routes) {
    check_conditions({route, Body::none, {}}, route.match.when, route.key + ".match.when", out);
    for (const Rule& rule : route.rules) {
      if (rule.when.empty()) continue;
      const Body own = rule.has_selector ? body_of(rule.selector.root) : Body::none;
      check_conditions({route, own, route.match.when}, rule.when, rule.key + ".when", out);
    }
  }
}

}  // namespace paravent::policies
