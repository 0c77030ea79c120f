// The linter: what a policy may do and should not without a reason. A rule states its reason in
// `because`; the sentence stays in the file for whoever audits it.

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "policies/model/checks.h"
#include "policies/model/rule_context.h"
#include "policies/model/small_values.h"

namespace paravent::policies {
namespace {

using crypto::EpochLength;
using crypto::Kind;

constexpr std::uint32_t kFewValues = 1U << 20U;     // below: frequencies and tables tell the values
constexpr std::uint32_t kLeastPreserved = 1000000;  // NIST SP 800-38G rev. 1, 5.2: radix^minlen
constexpr std::uint32_t kDistinctDigits = 12;

bool has_reason(const RuleContext& c) { return !c.rule.because.value.empty(); }

// A result that does not outlive a day or a request cannot be collected into a table.
bool is_short_lived(const RuleContext& c) {
  return c.rule.scope.value == Scope::request ||
         epoch_of(c.rule, c.route, c.purpose) == EpochLength::day;
}

// Why the field has few values, as the beginning of a sentence; what the author declared counts
// more than what its name suggests.
std::optional<std::string> few_values(const RuleContext& c) {
  if (c.rule.values) {
    if (c.rule.values->value >= kFewValues) return std::nullopt;
    return "a field of " + std::to_string(c.rule.values->value) + " values";
  }
  if (!c.rule.has_selector) return std::nullopt;
  const auto known = known_small(c.rule.kind.value, c.rule.selector);
  if (!known) return std::nullopt;
  return std::string(*known);
}

Position place_of(const RuleContext& c) {
  return c.rule.values ? c.rule.values->at : c.rule.action_at;
}

// Below 10^6 values FF1 is no encryption but a table, whatever the reason.
bool refuse_small_preserve(const RuleContext& c) {
  if (c.action() != ActionKind::tokenise_preserve) return false;
  const auto few = few_values(c);
  const bool too_few = c.rule.values ? c.rule.values->value < kLeastPreserved : few.has_value();
  if (!too_few) return false;
  const std::string what =
      c.rule.values ? "a field of " + std::to_string(c.rule.values->value) + " values" : *few;
  c.out.error(place_of(c), c.rule.key + ".do",
              what + " cannot keep its form: that needs 1000000 different values at least",
              "Generalise it, or use mode: vault; values: N says how many there really are");
  return true;
}

void lint_small_values(const RuleContext& c) {
  const auto few = few_values(c);
  if (!few || c.rule.scope.value == Scope::request) return;
  if (c.action() == ActionKind::tokenise_vault) {
    c.out.note(place_of(c), c.rule.key + ".do",
               *few + " is recognised by how often each token comes, since equal values share one",
               "generalise, encrypt and scope: request do not show equality");
    return;
  }
  if (!is_deterministic(c.action()) || is_short_lived(c) || has_reason(c)) return;
  c.out.error(place_of(c), c.rule.key + ".do",
              *few +
                  " has too few values for a result that equal values share: their frequency "
                  "tells them",
              "Generalise or encrypt it, use scope: request or epoch: day, or state the reason as "
              "because: TEXT");
}

// Whoever can send a form and see what arrives has a dictionary of the values that can be guessed.
void lint_oracle(const RuleContext& c) {
  const Kind kind = c.rule.kind.value;
  if (kind != Kind::email && kind != Kind::phone) return;
  if (!is_deterministic(c.action()) || c.rule.scope.value == Scope::request || has_reason(c)) {
    return;
  }
  c.out.warning(
      c.rule.action_at, c.rule.key + ".do",
      "anybody may send values here; whoever also sees the results can look up a guessed " +
          std::string(kind == Kind::email ? "address" : "number"),
      "Keep the results from those who can send, limit the rate, and state that as because: TEXT");
}

void lint_prefix(const RuleContext& c) {
  if (c.action() != ActionKind::tokenise_address_prefix || is_short_lived(c) || has_reason(c)) {
    return;
  }
  c.out.warning(
      c.rule.action_at, c.rule.key + ".do",
      "ipcrypt-pfx keeps prefixes: a visitor with addresses of their own learns how these "
      "networks are written, as long as the key lasts",
      "Use epoch: day, or state the reason as because: TEXT");
}

// Shapes with so few texts that two values meet in one before long.
void note_collisions(const RuleContext& c) {
  if (c.action() != ActionKind::pseudonymise && c.action() != ActionKind::tokenise_vault) return;
  std::string many;
  if (shape_of(c.rule) == Shape::ipv4) many = "2^28";
  if (shape_of(c.rule) == Shape::digits && shape_length_of(c.rule) < kDistinctDigits) {
    many = "fewer than 10^" + std::to_string(shape_length_of(c.rule));
  }
  if (many.empty()) return;
  c.out.note(c.rule.shape.at, c.rule.key + ".shape",
             "there are " + many + " such texts: " +
                 (c.action() == ActionKind::pseudonymise
                      ? "different values will share one"
                      : "a free one is hard to find when many are taken"));
}

}  // namespace

void lint_rule(const RuleContext& c) {
  if (!makes_surrogate(c.action())) return;
  note_collisions(c);
  if (refuse_small_preserve(c)) return;
  lint_small_values(c);
  lint_oracle(c);
  lint_prefix(c);
}

void lint_domains(const Policy& policy, Diagnostics& out) {
  struct Owner {
    std::string recipient;
    std::set<std::string> warned;
  };
  std::map<std::string, Owner> domains;
  const auto enter = [&](const std::string& domain, const std::string& recipient, Position at,
                         std::string key) {
    const auto [owner, is_new] = domains.insert({domain, {recipient, {recipient}}});
    if (is_new || !owner->second.warned.insert(recipient).second) return;
    out.warning(at, std::move(key),
                "the recipients " + in_quotes(owner->second.recipient) + " and " +
                    in_quotes(recipient) + " share the domain " + in_quotes(domain) +
                    ": together they can join their data",
                "Give each its own, unless they are one controller's");
  };
  for (const Recipient& recipient : policy.recipients) {
    const std::string& domain = recipient.domain.value;
    enter(domain.empty() ? recipient.id : domain, recipient.id,
          domain.empty() ? recipient.at : recipient.domain.at,
          "recipients." + recipient.id + ".domain");
  }
  for (const Route& route : policy.routes) {
    if (route.domain.value.empty() || route.recipient.value.empty()) continue;
    enter(route.domain.value, route.recipient.value, route.domain.at, route.key + ".domain");
  }
}

}  // namespace paravent::policies
