#include <algorithm>
#include <string>
#include <string_view>

#include "crypto/tokens/token_format.h"
#include "policies/model/header_name.h"
#include "policies/model/previous_field.h"
#include "policies/model/rule_context.h"

namespace paravent::policies {
namespace {

using crypto::EpochLength;
using crypto::Kind;

constexpr std::uint32_t kHoursOfDay = 24;
// How long a key that is due waits, out of use, before it is destroyed (docs/vault.md).
constexpr std::uint32_t kGuardDays = 3;

std::uint32_t epoch_days(EpochLength epoch) {
  switch (epoch) {
    case EpochLength::none:
      return 0;
    case EpochLength::day:
      return 1;
    case EpochLength::week:
      return 7;
    case EpochLength::month:
      return 31;
  }
  return 0;
}

Period kept_for(const Retention& retention) {
  Period all = retention.active;
  if (retention.archive) {
    all.months += retention.archive->value.months;
    all.days += retention.archive->value.days;
  }
  return all;
}

bool can_be_bound(ActionKind action) {
  return action == ActionKind::tokenise_vault || action == ActionKind::encrypt;
}

// How long equal values stay equal, where that is not the life of the purpose.
void check_stability(const RuleContext& c, EpochLength epoch) {
  if (epoch == EpochLength::none) return;
  const std::string within =
      " only within one epoch (" + std::string(crypto::epoch_length_name(epoch)) + ")";
  const std::string key = c.rule.key + ".do";
  switch (c.action()) {
    case ActionKind::tokenise_derived:
      c.out.warning(
          c.rule.action_at, key, "a derived token is stable" + within,
          "Later values of the same person get another token; mode: vault does not change");
      return;
    case ActionKind::tokenise_preserve:
      c.out.warning(c.rule.action_at, key, "a value that keeps its form is stable" + within,
                    "Later values of the same person get another one; mode: vault does not change");
      return;
    case ActionKind::pseudonymise:
      if (c.rule.scope.value == Scope::request) return;
      c.out.note(c.rule.action_at, key, "a pseudonym is stable" + within);
      return;
    case ActionKind::tokenise_address:
    case ActionKind::tokenise_address_prefix:
      c.out.note(c.rule.action_at, key, "an encrypted address is stable" + within);
      return;
    case ActionKind::shift_date:
      c.out.warning(c.rule.action_at, key, "the dates of one subject keep their distances" + within,
                    "Remove epoch");
      return;
    default:
      return;
  }
}

void check_epoch(const RuleContext& c) {
  const Rule& rule = c.rule;
  if (is_sealed(c.action())) {
    if (!rule.epoch || rule.epoch->value == EpochLength::none) return;
    c.out.error(rule.epoch->at, rule.key + ".epoch",
                "no epoch ends a sealed value: its key is the recipient's", "Remove the key");
    return;
  }
  const EpochLength epoch = epoch_of(rule, c.route, c.purpose);
  const Retention* retention =
      c.purpose != nullptr && c.purpose->retention ? &*c.purpose->retention : nullptr;
  const bool from_event = retention != nullptr && retention->counts_from_event();
  const bool bindable = can_be_bound(c.action());
  // What belongs to nobody ends with its epoch, whatever the retention counts from.
  const bool follows_event = from_event && bindable && !c.route.subject.value.empty();
  check_stability(c, epoch);
  if (follows_event && rule.epoch && rule.epoch->value != EpochLength::none) {
    c.out.error(rule.epoch->at, rule.key + ".epoch",
                "the retention counts from an event, so the key cannot end with an epoch",
                "Remove the key, or write epoch: none");
  }
  if (from_event && makes_surrogate(c.action()) && !bindable) {
    c.out.warning(rule.action_at, rule.key + ".do",
                  "the retention counts from an event, but this value counts from its collection",
                  "tokenise with mode: vault and encrypt follow the event");
  }
  if (retention != nullptr && !follows_event && (!from_event || bindable) &&
      epoch == EpochLength::none && rule.epoch) {
    c.out.warning(rule.epoch->at, rule.key + ".epoch",
                  "without an epoch the key does not end with the retention",
                  "For example epoch: month");
  }
  if (retention != nullptr && retention->active != Period{} &&
      epoch_days(epoch) > least_days(retention->active)) {
    c.out.warning(rule.epoch ? rule.epoch->at : rule.action_at, rule.key + ".epoch",
                  "the epoch is longer than the retention, so values end early",
                  "For example epoch: day");
  } else if (retention != nullptr && !follows_event && (!from_event || bindable) &&
             retention->active != Period{} && makes_surrogate(c.action()) &&
             epoch != EpochLength::none &&
             epoch_days(epoch) + kGuardDays > least_days(kept_for(*retention))) {
    c.out.warning(rule.epoch ? rule.epoch->at : rule.action_at, rule.key + ".epoch",
                  "a key that is due opens nothing, but waits 72 hours before it is destroyed: "
                  "later than this retention ends",
                  "A shorter epoch, or a retention of the epoch and three days");
  }
}

void check_erasable(const RuleContext& c) {
  if (!c.rule.erasable) return;
  const std::string key = c.rule.key + ".erasable";
  if (!can_be_bound(c.action())) {
    c.out.error(*c.rule.erasable, key,
                makes_surrogate(c.action())
                    ? "only vault tokens and encrypted values can end with their subject; this one "
                      "counts from its collection and ends with its epoch"
                    : "this key belongs to tokenise with mode: vault and to encrypt",
                "Use mode: vault or encrypt, or remove the key");
  } else if (c.route.subject.value.empty()) {
    c.out.error(*c.rule.erasable, key,
                "the route has no subject, so nobody knows whose value it is",
                "Set the route's subject, for example subject: form.email");
  }
}

bool is_body(const Rule& rule) {
  return rule.has_selector &&
         (rule.selector.root == Carrier::form || rule.selector.root == Carrier::json ||
          rule.selector.root == Carrier::multipart);
}

bool never_together(const Rule& one, const Rule& two) {
  return is_body(one) && is_body(two) && one.selector.root != two.selector.root;
}

void check_relationship(const RuleContext& c) {
  const Rule& rule = c.rule;
  const std::string key = rule.key + ".relationship";
  const std::string& field = rule.relationship.value;
  if (field.empty()) {
    c.out.error(rule.scope.at, key, "the key is missing: which field the relationship is with",
                "For example relationship: form.company");
    return;
  }
  const Rule* other = find_rule(c.route, field);
  if (other == nullptr) {
    std::vector<std::string_view> fields;
    for (const Rule& known : c.route.rules) fields.push_back(known.selector.text);
    c.out.error(rule.relationship.at, key, "no rule of this route is about " + in_quotes(field),
                suggestion(field, fields, "Name one of the route's fields"));
  } else if (other == &rule) {
    c.out.error(rule.relationship.at, key, "a field has no relationship with itself",
                "Name another field of the route");
  } else if (other->has_selector && other->selector.is_wild()) {
    c.out.error(rule.relationship.at, key,
                "the relationship is with one field; " + in_quotes(field) + " may match several",
                "Name a field without wildcards");
  } else if (never_together(*other, rule)) {
    c.out.error(rule.relationship.at, key,
                in_quotes(field) +
                    " and this field are of two kinds of body, which never come in "
                    "one request",
                "Name a field of the same carrier, or a query, header or cookie field");
  }
}

void check_scope(const RuleContext& c) {
  const Rule& rule = c.rule;
  if (rule.scope.value == Scope::person) return;
  if (c.action() != ActionKind::tokenise_vault && c.action() != ActionKind::pseudonymise) {
    if (!makes_surrogate(c.action())) return;  // reported as a key that does not belong there
    c.out.error(rule.scope.at, rule.key + ".scope",
                "only vault tokens and pseudonyms have a scope other than person",
                "Use mode: vault or pseudonymise, or remove the key");
    return;
  }
  if (rule.scope.value == Scope::relationship) check_relationship(c);
}

void wrong_previous(const RuleContext& c, std::string message, std::string hint = {}) {
  c.out.error(c.rule.previous.at, c.rule.key + ".previous", std::move(message), std::move(hint));
}

void check_previous(const RuleContext& c) {
  if (!c.rule.has_selector) return;
  const auto parsed = previous_selector(c.rule);
  if (const auto* fault = std::get_if<SelectorFault>(&parsed)) {
    return wrong_previous(c, fault->message, fault->hint);
  }
  const FieldSelector& selector = *std::get_if<FieldSelector>(&parsed);
  if (selector.same_as(c.rule.selector)) {
    return wrong_previous(c, "this is the field itself", "Name another field");
  }
  // Of the headers that the gateway knows, none may carry two things.
  if (selector.carrier == Carrier::header &&
      (is_reserved_header(selector.name) || header_name(selector.name) != HeaderName::other)) {
    return wrong_previous(c, "this header has a meaning of its own", "Name another header");
  }
  for (const Rule& other : c.route.rules) {
    if (!other.has_selector || !other.action) continue;
    if (other.selector.same_as(selector) && *other.action != ActionKind::drop) {
      return wrong_previous(
          c,
          "the rule " + in_quotes(other.selector.text) + " lets the sender write into this field",
          "Write do: drop there, or remove that rule");
    }
    if (&other == &c.rule || other.previous.value.empty()) continue;
    const auto theirs = previous_selector(other);
    const auto* same = std::get_if<FieldSelector>(&theirs);
    if (same != nullptr && same->same_as(selector) && &other < &c.rule) {
      return wrong_previous(c, "the rule " + in_quotes(other.selector.text) + " has this one too",
                            "Name another field");
    }
  }
}

void check_overlap(const RuleContext& c) {
  const Rule& rule = c.rule;
  const bool has_previous = !rule.previous.value.empty();
  if (!rule.overlap && !has_previous) return;
  const Position at = rule.overlap ? rule.overlap->at : rule.previous.at;
  const std::string key = rule.key + ".overlap";
  if (rule.overlap && !has_previous) {
    c.out.error(at, rule.key + ".previous",
                "the key is missing: which field carries the pseudonym of the epoch before",
                "For example previous: previous_id");
  } else if (!rule.overlap) {
    c.out.error(at, key, "the key is missing: for how long both are sent",
                "For example overlap: PT2H");
  }
  const EpochLength epoch = epoch_of(rule, c.route, c.purpose);
  if (rule.scope.value == Scope::request || epoch == EpochLength::none) {
    c.out.error(at, key, "a pseudonym that never changes with an epoch overlaps with none",
                "Remove overlap and previous");
  } else if (rule.overlap && rule.overlap->value * 2 >= epoch_days(epoch) * kHoursOfDay) {
    c.out.error(at, key,
                "the overlap is not shorter than half an epoch (" +
                    std::string(crypto::epoch_length_name(epoch)) + ")",
                "For example PT2H");
  }
  if (has_previous) check_previous(c);
}

void check_shift(const RuleContext& c) {
  if (c.action() != ActionKind::shift_date) return;
  const Rule* subject = find_rule(c.route, c.route.subject.value);
  if (subject != nullptr && never_together(*subject, c.rule)) {
    c.out.error(c.rule.action_at, c.rule.key + ".to",
                "the route's subject and this field are of two kinds of body, which never come in "
                "one request",
                "Write a route for each kind of body");
  }
  if (!c.route.subject.value.empty()) return;
  c.out.error(c.rule.generalise_to ? c.rule.generalise_to->at : c.rule.action_at,
              c.rule.key + ".to",
              "dates are shifted by days of their subject, and the route has no subject",
              "Set the route's subject, or use to: month");
}

void check_sealing(const RuleContext& c) {
  if (!is_sealed(c.action())) return;
  const std::string& name = c.rule.sealed_to.value;
  if (name.empty()) return;  // reported by the reader
  if (find_public_key(c.policy, name) == nullptr) {
    std::vector<std::string_view> known;
    for (const PublicKey& key : c.policy.public_keys) known.push_back(key.name);
    c.out.error(c.rule.sealed_to.at, c.rule.key + ".to",
                "there is no public key " + in_quotes(name),
                suggestion(name, known, "Define it under public-keys"));
    return;
  }
  c.out.note(c.rule.action_at, c.rule.key + ".do",
             "the gateway cannot open this field: only the holder of the private key to " + name +
                 " can, and no retention of this policy ends it");
}

void check_opening(const RuleContext& c) {
  switch (c.action()) {
    case ActionKind::tokenise_derived:
    case ActionKind::tokenise_preserve:
    case ActionKind::tokenise_address:
    case ActionKind::tokenise_address_prefix:
    case ActionKind::tokenise_address_random:
    case ActionKind::encrypt:
      break;
    default:
      return;
  }
  const bool has_vault_mode =
      c.action() == ActionKind::tokenise_derived || c.action() == ActionKind::tokenise_preserve;
  c.out.note(c.rule.action_at, c.rule.key + ".do",
             std::string("the process that faces the internet holds the key that opens this field, "
                         "as long as its ") +
                 (epoch_of(c.rule, c.route, c.purpose) == EpochLength::none ? "purpose" : "epoch") +
                 " lasts",
             has_vault_mode ? "mode: vault does not share it" : "");
  if (c.action() == ActionKind::tokenise_derived && c.rule.kind.value == Kind::text) {
    c.out.warning(c.rule.action_at, c.rule.key + ".do",
                  "derived tokens end at values of " + std::to_string(crypto::kMaxDerivedValue) +
                      " bytes; longer ones are handled as on-error says",
                  "Use do: encrypt for free text");
  }
  if (c.action() == ActionKind::tokenise_preserve && c.rule.kind.value == Kind::text) {
    c.out.note(
        c.rule.action_at, c.rule.key + ".do",
        "a value with fewer than 6 or more than 38 digits cannot keep its form and is handled "
        "as on-error says");
  }
}

}  // namespace

void check_key(const RuleContext& c) {
  check_epoch(c);
  check_erasable(c);
  check_scope(c);
  check_overlap(c);
  check_shift(c);
  check_sealing(c);
  check_opening(c);
}

}  // namespace paravent::policies
