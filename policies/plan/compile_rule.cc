#include "policies/plan/compile_rule.h"

#include <algorithm>
#include <string>
#include <utility>

#include "policies/model/previous_field.h"

namespace paravent::policies {
namespace {

using crypto::Kind;
using crypto::vault::ContextSpec;

constexpr std::uint32_t kSecondsOfHour = 3600;

std::uint8_t small(const std::optional<Located<std::uint32_t>>& number) {
  return number ? static_cast<std::uint8_t>(number->value) : std::uint8_t{0};
}

std::string previous_name(const FieldSelector& selector) {
  return selector.carrier == Carrier::json ? selector.steps.back().key : selector.name;
}

void set_arguments(const Rule& rule, FieldAction& action) {
  if (rule.generalise_to) action.generalisation = rule.generalise_to->value;
  if (rule.max_len) action.max_len = rule.max_len->value;
  if (rule.length) action.keep_length = rule.length->value;
  if (rule.ipv4_bits) action.ipv4_bits = rule.ipv4_bits->value;
  if (rule.ipv6_bits) action.ipv6_bits = rule.ipv6_bits->value;
  if (rule.replacement) action.literal = rule.replacement->value;
  action.show_first = small(rule.show_first);
  action.show_last = small(rule.show_last);
  action.bits = small(rule.bits);
  action.shape_length = static_cast<std::uint8_t>(shape_length_of(rule));
}

// Of a field that the route treats without a rule of its own: its kind is its space.
ContextSpec context_without_rule(const Policy& policy, const Route& route, Kind kind,
                                 crypto::Algorithm algorithm, crypto::EpochLength epoch) {
  ContextSpec spec;
  spec.domain = domain_of(policy, route);
  spec.purpose = route.purpose.value;
  spec.space = crypto::kind_name(kind);
  spec.kind = kind;
  spec.algorithm = algorithm;
  spec.epoch = epoch;
  return spec;
}

}  // namespace

FieldAction compile_rule(const Policy& policy, const Route& route, const Rule& rule) {
  FieldAction action;
  action.name = rule.selector.text;
  action.carrier = rule.selector.carrier;
  action.action = *rule.action;
  action.kind = rule.kind.value;
  action.shape = shape_of(rule);
  action.scope = rule.scope.value;
  action.on_error = on_error_of(rule, route);
  // The route's default may be to drop, and a segment of a path cannot go.
  if (action.carrier == Carrier::path && action.on_error == OnError::drop) {
    action.on_error = OnError::refuse;
  }
  action.required = rule.required;
  action.subject_bound = is_subject_bound(rule, route, find_purpose(policy, route.purpose.value));
  action.is_subject = rule.selector.text == route.subject.value;
  action.is_otherwise = rule.is_else;
  action.accepts_own_tokens = rule.own_tokens.has_value();
  set_arguments(rule, action);
  if (!rule.previous.value.empty()) {
    const auto selector = previous_selector(rule);
    if (const auto* found = std::get_if<FieldSelector>(&selector)) {
      action.previous = previous_name(*found);
    }
  }
  if (rule.generalise_to) {
    action.options = rule.options;
    action.options.time_zone = policy.time_zone.value;
  }
  return action;
}

ContextSpec context_of(const Policy& policy, const Route& route, const Rule& rule) {
  ContextSpec spec;
  spec.domain = domain_of(policy, route);
  spec.purpose = route.purpose.value;
  spec.space = space_of(rule);
  // A shift is a number and no value of the field's kind.
  spec.kind = rule.action == ActionKind::shift_date ? Kind::text : rule.kind.value;
  spec.algorithm = algorithm_of_rule(policy, route, rule);
  spec.subject_bound = rule.action == ActionKind::tokenise_vault &&
                       is_subject_bound(rule, route, find_purpose(policy, route.purpose.value));
  spec.epoch = epoch_of(rule, route, find_purpose(policy, route.purpose.value));
  spec.scope = rule.scope.value;
  if (rule.overlap) spec.overlap_seconds = rule.overlap->value * kSecondsOfHour;
  const PublicKey* key = find_public_key(policy, rule.sealed_to.value);
  if (is_sealed(*rule.action) && key != nullptr && key->key) {
    spec.public_key.assign(key->key->begin(), key->key->end());
  }
  return spec;
}

ContextSpec unlisted_context(const Policy& policy, const Route& route) {
  const Purpose* purpose = find_purpose(policy, route.purpose.value);
  const auto algorithm = unlisted_is_subject_bound(route, purpose)
                             ? crypto::Algorithm::encrypted_subject
                             : crypto::Algorithm::encrypted;
  return context_without_rule(policy, route, Kind::text, algorithm, unlisted_epoch(route, purpose));
}

ContextSpec unlisted_when_sealed(const Policy& policy, const Route& route) {
  ContextSpec spec = context_without_rule(policy, route, Kind::text, crypto::Algorithm::sealed,
                                          crypto::EpochLength::none);
  const PublicKey* key = find_public_key(policy, route.when_sealed->value);
  if (key != nullptr && key->key) spec.public_key.assign(key->key->begin(), key->key->end());
  return spec;
}

// Whose data it is nobody can tell then, and no epoch of ours ends it.
Route when_sealed_variant(const Route& route) {
  Route out = route;
  out.name.value += "/when-sealed";
  out.subject = {};
  out.on_objection.reset();
  for (Rule& rule : out.rules) {
    if (rule.action != ActionKind::encrypt) continue;
    rule.action = ActionKind::seal;
    rule.sealed_to = *route.when_sealed;
    rule.erasable.reset();
    rule.epoch.reset();
  }
  return out;
}

ContextSpec subject_context(const Policy& policy, const Route& route) {
  ContextSpec spec;
  spec.purpose = route.purpose.value;
  const Rule* field = find_rule(route, route.subject.value);
  spec.kind = field == nullptr ? Kind::text : field->kind.value;
  spec.algorithm = crypto::Algorithm::subject_reference;
  spec.domain = domain_of(policy, route);
  spec.space = crypto::kind_name(spec.kind);
  return spec;
}

ContextSpec address_context(const Policy& policy, const Route& route) {
  return context_without_rule(policy, route, Kind::ip, crypto::Algorithm::pseudonym,
                              crypto::EpochLength::day);
}

std::optional<Rule> default_name_rule(const Route& route, const Rule& rule) {
  if (!rule.file || !goes_on(rule.file->action.value)) return std::nullopt;
  // What the rule and its `else` do with the file differs, not what they do with its name.
  const Rule* first = find_rule(route, rule.selector.text);
  const bool has_one = first != nullptr && first->file && goes_on(first->file->action.value);
  if (rule.is_else && has_one) return std::nullopt;
  Rule name;
  name.selector.text = rule.selector.text + " > file-name";
  if (find_rule(route, name.selector.text) != nullptr) return std::nullopt;
  name.selector.outer = rule.selector.text;
  name.selector.carrier = Carrier::file_name;
  name.selector.root = Carrier::multipart;
  name.selector.name = carrier_name(Carrier::file_name);
  name.has_selector = true;
  name.action = ActionKind::drop;
  return name;
}

namespace {

// Whether the rule about the names of these files, and what it says otherwise, leaves them alone.
bool keeps_names(const Route& route, const std::string& part) {
  const std::string name = part + " > file-name";
  bool found = false;
  for (const Rule& rule : route.rules) {
    if (rule.selector.text != name) continue;
    if (rule.action != ActionKind::keep) return false;
    found = true;
  }
  return found;
}

}  // namespace

// Of a body that comes with a length and whose fields lie in front of its files: whether the rest
// keeps its size whatever it is. Then the length can be told before the rest is there.
bool has_constant_size(const Route& route) {
  if (route.stream && route.stream->value == StreamOrder::any) return false;
  if (route.unlisted.value == Unlisted::drop) return false;
  return std::all_of(route.rules.begin(), route.rules.end(), [&route](const Rule& rule) {
    if (!rule.has_selector || rule.selector.carrier != Carrier::multipart) return true;
    if (rule.action == ActionKind::drop) return false;
    if (!rule.file || rule.file->action.value == FileAction::refuse) return true;
    return rule.file->action.value == FileAction::pass && !rule.file->strip_metadata &&
           keeps_names(route, rule.selector.text);
  });
}

std::optional<Rule> drop_of_previous(const Route& route, const Rule& rule) {
  if (rule.previous.value.empty()) return std::nullopt;
  auto parsed = previous_selector(rule);
  auto* selector = std::get_if<FieldSelector>(&parsed);
  if (selector == nullptr) return std::nullopt;
  const bool listed = std::any_of(route.rules.begin(), route.rules.end(), [&](const Rule& other) {
    return other.has_selector && other.selector.same_as(*selector);
  });
  // Among selectors with wildcards the first one wins, so the policy's own drop may come too late.
  if (listed && !selector->is_wild()) return std::nullopt;
  if (listed) selector->text += " (of the gateway)";  // counted apart
  Rule drop;
  drop.selector = std::move(*selector);
  drop.has_selector = true;
  drop.action = ActionKind::drop;
  return drop;
}

}  // namespace paravent::policies
