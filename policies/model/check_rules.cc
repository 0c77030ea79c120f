#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policies/model/checks.h"
#include "policies/model/header_name.h"
#include "policies/model/rule_context.h"
#include "policies/model/selector_reach.h"

namespace paravent::policies {
namespace {

using crypto::Kind;

// Besides those that header_name() knows: what a proxy of ours on either side would act on.
constexpr std::array<std::string_view, 2> kProxyHeaders = {"proxy-authorization",
                                                           "proxy-authenticate"};

bool is_proxy_header(std::string_view name) {
  return std::find(kProxyHeaders.begin(), kProxyHeaders.end(), name) != kProxyHeaders.end();
}

void check_header(const RuleContext& c) {
  if (!c.rule.has_selector || c.rule.selector.carrier != Carrier::header) return;
  const std::string& name = c.rule.selector.name;
  if (header_name(name) == HeaderName::address_family) {
    c.out.error(c.rule.at, c.rule.key, "client-address handles all address headers at once",
                "Remove the rule and set client-address");
  } else if (is_reserved_header(name)) {
    c.out.error(c.rule.at, c.rule.key, "the gateway writes this header itself", "Remove the rule");
  } else if (name == "cookie" && c.action() != ActionKind::keep && c.action() != ActionKind::drop &&
             c.action() != ActionKind::refuse) {
    c.out.error(c.rule.at, c.rule.key, "the Cookie header can only be kept, dropped or refused",
                "Single cookies are cookie.NAME");
  }
}

// What else than a text the generalisation takes; the same word for the diagnostic.
std::optional<Kind> kind_beside_text(Generalisation to) {
  switch (to) {
    case Generalisation::browser_family:
    case Generalisation::browser_version:
      return Kind::user_agent;
    case Generalisation::year:
    case Generalisation::month:
    case Generalisation::day:
    case Generalisation::age_band:
    case Generalisation::shifted_date:
      return Kind::birth_date;
    case Generalisation::grid:
      return Kind::gps;
    case Generalisation::url:
      return Kind::url;
    case Generalisation::none:
    case Generalisation::language:
    case Generalisation::department:
    case Generalisation::bins:
      return std::nullopt;
  }
  return std::nullopt;
}

void check_generalisation(const RuleContext& c) {
  if (!c.rule.generalise_to || c.rule.kind.value == Kind::text) return;
  const Generalisation to = c.rule.generalise_to->value;
  const auto other = kind_beside_text(to);
  if (other == c.rule.kind.value) return;
  c.out.error(c.rule.kind.at, c.rule.key + ".kind",
              std::string(generalisation_name(to)) + " takes a text" +
                  (other ? " or kind " + std::string(crypto::kind_name(*other)) : std::string()),
              "Remove the key");
}

void check_truncation(const RuleContext& c) {
  if (c.action() != ActionKind::truncate) return;
  const Rule& rule = c.rule;
  const Kind kind = rule.kind.value;
  if (kind != Kind::text && kind != Kind::ip) {
    c.out.error(rule.action_at, rule.key + ".do", "only text and ip can be truncated",
                "Set kind: text or kind: ip");
    return;
  }
  if (kind == Kind::ip && rule.length) {
    c.out.error(rule.length->at, rule.key + ".length",
                "an address is cut to bits, 16 of IPv4 and 48 of IPv6 by default",
                "Use ipv4-bits and ipv6-bits");
  } else if (kind == Kind::text && !rule.length) {
    c.out.error(rule.action_at, rule.key + ".length", "the key is missing",
                "How many characters are kept");
  }
  if (kind == Kind::ip) return;
  for (const auto& [bits, name] :
       {std::pair(rule.ipv4_bits, ".ipv4-bits"), std::pair(rule.ipv6_bits, ".ipv6-bits")}) {
    if (!bits) continue;
    c.out.error(bits->at, rule.key + name, "only addresses have bits to be cut to", "Set kind: ip");
  }
}

void check_mask(const RuleContext& c) {
  if (!c.rule.show_first || !c.rule.show_last) return;
  c.out.error(c.rule.show_last->at, c.rule.key + ".show-last",
              "a mask shows one end of the value, not both", "Remove one of the two");
}

void check_address_mode(const RuleContext& c) {
  const bool is_address = c.action() == ActionKind::tokenise_address ||
                          c.action() == ActionKind::tokenise_address_prefix ||
                          c.action() == ActionKind::tokenise_address_random;
  if (!is_address || c.rule.kind.value == Kind::ip) return;
  c.out.error(c.rule.action_at, c.rule.key + ".mode", "ipcrypt encrypts addresses only",
              "Set kind: ip, or use mode: vault");
}

void check_on_error(const RuleContext& c) {
  const Rule& rule = c.rule;
  if (rule.on_error && rule.on_error->value == OnError::protect_raw &&
      !can_protect_raw(c.action())) {
    c.out.error(rule.on_error->at, rule.key + ".on-error",
                is_keyed(c.action()) ? "what is not of the kind cannot be protected in this way"
                                     : "protect-raw needs pseudonymise, tokenise or encrypt",
                "One of refuse, drop, mask");
  }
  if (rule.required && !rule.is_else && !rule.file && c.action() == ActionKind::refuse) {
    c.out.error(rule.action_at, rule.key + ".required",
                "a field cannot be required and refused at once", "Remove one of the two");
  }
}

// A segment of the path is always there, and nothing is left of a path without it.
void check_path(const RuleContext& c) {
  if (!c.has_carrier(Carrier::path) || !c.rule.selector.outer.empty()) return;
  const Rule& rule = c.rule;
  const bool named = std::any_of(
      c.route.match.paths.begin(), c.route.match.paths.end(), [&](const PathPattern& path) {
        const auto& all = path.parameters();
        return std::any_of(all.begin(), all.end(), [&](const PathParameter& parameter) {
          return parameter.name == rule.selector.name;
        });
      });
  if (!named) {
    c.out.error(rule.at, rule.key,
                "no path of this route has the segment {" + rule.selector.name + "}",
                "Write it in match.path, for example /users/{id}");
  }
  if (c.action() == ActionKind::drop || c.action() == ActionKind::open) {
    c.out.error(rule.action_at, rule.key + ".do",
                c.action() == ActionKind::drop ? "a path cannot do without one of its segments"
                                               : "a segment of a path holds no other fields",
                "Replace it, or refuse");
  }
  if (rule.on_error && rule.on_error->value == OnError::drop) {
    c.out.error(rule.on_error->at, rule.key + ".on-error",
                "a path cannot do without one of its segments", "One of refuse, mask, protect-raw");
  }
  if (rule.required) {
    c.out.error(rule.at, rule.key + ".required", "a segment is always there", "Remove the key");
  }
}

// Only what shows that it is ours can be told from a value.
void check_own_tokens(const RuleContext& c) {
  if (!c.rule.own_tokens) return;
  const std::string key = c.rule.key + ".own-tokens";
  const Shape shape = shape_of(c.rule);
  if (shape != Shape::none && shape != Shape::email) {
    c.out.error(*c.rule.own_tokens, key, "a token in this shape looks like any other text",
                "Use no shape or shape: email, or remove the key");
  }
  const bool is_subject = c.rule.has_selector && c.rule.selector.text == c.route.subject.value;
  if (is_subject && heeds_objections(c.policy, c.route)) {
    c.out.error(*c.rule.own_tokens, key,
                "a token does not say who sends it, so that an objection would go unheard",
                "Remove the key, or the route's subject");
  }
}

void check_rule(const RuleContext& c) {
  check_header(c);
  check_path(c);
  check_truncation(c);
  check_generalisation(c);
  check_mask(c);
  check_address_mode(c);
  check_on_error(c);
  check_result(c);
  if (!is_keyed(c.action())) return;
  check_key(c);
  check_own_tokens(c);
  lint_rule(c);
}

// Rules that another one leaves nothing to.
void check_duplicates(const Route& route, Diagnostics& out) {
  struct Earlier {
    const Rule& rule;
    SelectorReach reach;
  };
  std::vector<Earlier> all;
  for (const Rule& rule : route.rules) {
    if (!rule.has_selector || rule.is_else) continue;
    const SelectorReach reach(rule.selector, route.php_names);
    for (const Earlier& earlier : all) {
      const bool same = earlier.reach.same_as(reach);
      // Whatever the conditions of the earlier one: it also says what happens otherwise.
      if (!same && !earlier.reach.leaves_nothing_to(reach)) continue;
      const std::string other = in_quotes(earlier.rule.selector.text);
      if (same) {
        out.error(rule.at, rule.key, "the rule " + other + " is about the same field",
                  "Remove one of them");
      } else {
        out.error(rule.at, rule.key, "no field is left to this rule: " + other + " takes them all",
                  "Move it before that rule");
      }
      break;
    }
    all.push_back({rule, reach});
  }
}

// All that the route asks of a message, as match or for a rule.
void check_conditions(const Route& route, Diagnostics& out) {
  std::vector<const Condition*> different;
  const auto count = [&](const std::vector<Condition>& when) {
    for (const Condition& condition : when) {
      const bool known = std::any_of(different.begin(), different.end(),
                                     [&](const auto* other) { return other->same_as(condition); });
      if (!known) different.push_back(&condition);
    }
  };
  count(route.match.when);
  for (const Rule& rule : route.rules) {
    count(rule.when);
    if (different.size() <= kMaxConditions) continue;
    out.error(rule.at, rule.key + ".when",
              "more than " + std::to_string(kMaxConditions) + " different conditions in one route",
              "Use several routes");
    return;
  }
}

// Of one matcher; counted over the whole route, which is simpler to say.
void check_filters(const Route& route, Diagnostics& out) {
  std::set<std::pair<std::string, std::string>> filters;
  for (const Rule& rule : route.rules) {
    for (const SelectorStep& step : rule.selector.steps) {
      if (step.type == SelectorStep::Type::element_where) filters.emplace(step.key, step.value);
    }
    if (filters.size() <= kMaxFilters) continue;
    out.error(rule.at, rule.key,
              "more than " + std::to_string(kMaxFilters) + " different [k=v] in one route",
              "Use [*], or several routes");
    return;
  }
}

}  // namespace

bool is_reserved_header(std::string_view name) {
  return name.empty() || is_proxy_header(name) || !is_policy_target(header_name(name));
}

void check_rules(const Policy& policy, Diagnostics& out) {
  for (const Route& route : policy.routes) {
    const Purpose* purpose = find_purpose(policy, route.purpose.value);
    for (const Rule& rule : route.rules) {
      if (rule.action) check_rule({policy, route, purpose, rule, out});
    }
    check_duplicates(route, out);
    check_filters(route, out);
    check_conditions(route, out);
  }
}

void check_spaces(const Policy& policy, Diagnostics& out) {
  struct First {
    Kind kind;
    Position at;
  };
  std::map<std::pair<std::string, std::string>, First> spaces;  // (domain, space)
  for (const Route& route : policy.routes) {
    const std::string domain = domain_of(policy, route);
    if (route.client_address == ClientAddress::pseudonym) {
      spaces.insert({{domain, std::string(crypto::kind_name(Kind::ip))}, {Kind::ip, route.at}});
    }
    for (const Rule& rule : route.rules) {
      if (!rule.action || !makes_surrogate(*rule.action)) continue;
      const std::string space = space_of(rule);
      const std::string key = rule.key + ".space";
      const Position at = rule.space.value.empty() ? rule.at : rule.space.at;
      if (space == kDateShiftSpace) {
        out.error(at, key, "this space is the gateway's own, for shifted dates",
                  "Name another space");
      }
      const auto [first, is_new] = spaces.insert({{domain, space}, {rule.kind.value, rule.at}});
      if (is_new || first->second.kind == rule.kind.value) continue;
      out.error(at, key,
                "the space " + in_quotes(space) + " holds values of kind " +
                    std::string(crypto::kind_name(first->second.kind)) + " (line " +
                    std::to_string(first->second.at.line) + "); one space, one kind",
                "Name another space");
    }
  }
}

}  // namespace paravent::policies
