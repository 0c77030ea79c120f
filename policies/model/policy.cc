#include "policies/model/policy.h"

#include <algorithm>

namespace paravent::policies {
namespace {

constexpr std::uint32_t kDefaultDigits = 12;
constexpr std::uint32_t kDefaultAlphanumeric = 16;

using Texts = std::vector<Located<std::string>>;

// Whether every value that `theirs` admits is admitted by `mine`; empty admits everything.
bool admits_all(const Texts& mine, const Texts& theirs) {
  if (mine.empty()) return true;
  if (theirs.empty()) return false;
  return std::all_of(theirs.begin(), theirs.end(), [&](const auto& value) {
    return std::any_of(mine.begin(), mine.end(),
                       [&](const auto& candidate) { return candidate.value == value.value; });
  });
}

// Whether `mine` hold wherever `theirs` do.
bool admits_all(const std::vector<Condition>& mine, const std::vector<Condition>& theirs) {
  return std::all_of(mine.begin(), mine.end(), [&](const Condition& condition) {
    return std::any_of(theirs.begin(), theirs.end(),
                       [&](const Condition& other) { return condition.follows_from(other); });
  });
}

bool counts_from_event(const Purpose* purpose) {
  return purpose != nullptr && purpose->retention && purpose->retention->counts_from_event();
}

crypto::EpochLength default_epoch(ActionKind action, crypto::Kind kind, const Route& route,
                                  const Purpose* purpose) {
  const bool can_be_bound = action == ActionKind::tokenise_vault || action == ActionKind::encrypt;
  // What belongs to nobody is ended by no event, so it ends with an epoch.
  const bool has_subject = !route.subject.value.empty();
  if (counts_from_event(purpose) && can_be_bound && has_subject) return crypto::EpochLength::none;
  if (is_sealed(action) || action == ActionKind::shift_date) return crypto::EpochLength::none;
  return kind == crypto::Kind::ip ? crypto::EpochLength::day : crypto::EpochLength::month;
}

}  // namespace

bool covers(const RouteMatchRule& mine, const RouteMatchRule& theirs) {
  return std::all_of(theirs.paths.begin(), theirs.paths.end(),
                     [&](const PathPattern& path) { return covers_path(mine, theirs, path); });
}

bool covers_path(const RouteMatchRule& mine, const RouteMatchRule& theirs,
                 const PathPattern& path) {
  return admits_all(mine.methods, theirs.methods) && admits_all(mine.hosts, theirs.hosts) &&
         admits_all(mine.when, theirs.when) &&
         std::any_of(mine.paths.begin(), mine.paths.end(),
                     [&](const PathPattern& candidate) { return candidate.covers(path); });
}

const Role* find_role(const Policy& policy, std::string_view name) {
  const auto found = std::find_if(policy.roles.begin(), policy.roles.end(),
                                  [&](const Role& role) { return role.name == name; });
  return found == policy.roles.end() ? nullptr : &*found;
}

const Recipient* find_recipient(const Policy& policy, std::string_view id) {
  const auto found = std::find_if(policy.recipients.begin(), policy.recipients.end(),
                                  [&](const Recipient& recipient) { return recipient.id == id; });
  return found == policy.recipients.end() ? nullptr : &*found;
}

const Purpose* find_purpose(const Policy& policy, std::string_view name) {
  const auto found = std::find_if(policy.purposes.begin(), policy.purposes.end(),
                                  [&](const Purpose& purpose) { return purpose.name == name; });
  return found == policy.purposes.end() ? nullptr : &*found;
}

const PublicKey* find_public_key(const Policy& policy, std::string_view name) {
  const auto found = std::find_if(policy.public_keys.begin(), policy.public_keys.end(),
                                  [&](const PublicKey& key) { return key.name == name; });
  return found == policy.public_keys.end() ? nullptr : &*found;
}

const Rule* find_rule(const Route& route, std::string_view field) {
  const auto found = std::find_if(route.rules.begin(), route.rules.end(),
                                  [&](const Rule& rule) { return rule.selector.text == field; });
  return found == route.rules.end() ? nullptr : &*found;
}

std::string domain_of(const Policy& policy, const Route& route) {
  if (!route.domain.value.empty()) return route.domain.value;
  const Recipient* recipient = find_recipient(policy, route.recipient.value);
  if (recipient != nullptr && !recipient->domain.value.empty()) return recipient->domain.value;
  return route.recipient.value;
}

std::string space_of(const Rule& rule) {
  if (rule.action == ActionKind::shift_date) return std::string(kDateShiftSpace);
  if (!rule.space.value.empty()) return rule.space.value;
  return std::string(crypto::kind_name(rule.kind.value));
}

Shape shape_of(const Rule& rule) {
  if (rule.shape.value != Shape::none) return rule.shape.value;
  const bool literal_address = rule.action == ActionKind::pseudonymise &&
                               rule.kind.value == crypto::Kind::ip && rule.has_selector &&
                               rule.selector.carrier == Carrier::header;
  return literal_address ? Shape::ip : Shape::none;
}

std::uint32_t shape_length_of(const Rule& rule) {
  if (rule.shape_length) return rule.shape_length->value;
  if (rule.shape.value == Shape::digits) return kDefaultDigits;
  return rule.shape.value == Shape::alphanumeric ? kDefaultAlphanumeric : 0;
}

crypto::EpochLength epoch_of(const Rule& rule, const Route& route, const Purpose* purpose) {
  if (rule.epoch) return rule.epoch->value;
  return default_epoch(rule.action.value_or(ActionKind::keep), rule.kind.value, route, purpose);
}

crypto::EpochLength unlisted_epoch(const Route& route, const Purpose* purpose) {
  return default_epoch(ActionKind::encrypt, crypto::Kind::text, route, purpose);
}

bool is_subject_bound(const Rule& rule, const Route& route, const Purpose* purpose) {
  const bool can = rule.action == ActionKind::tokenise_vault || rule.action == ActionKind::encrypt;
  return can && !route.subject.value.empty() && (rule.erasable || counts_from_event(purpose));
}

bool unlisted_is_subject_bound(const Route& route, const Purpose* purpose) {
  return !route.subject.value.empty() && counts_from_event(purpose);
}

crypto::Algorithm algorithm_of_rule(const Policy& policy, const Route& route, const Rule& rule) {
  const bool bound = is_subject_bound(rule, route, find_purpose(policy, route.purpose.value));
  if (bound && rule.action == ActionKind::encrypt) return crypto::Algorithm::encrypted_subject;
  return algorithm_of(*rule.action);
}

bool heeds_objections(const Policy& policy, const Route& route) {
  const Purpose* purpose = find_purpose(policy, route.purpose.value);
  const Recipient* recipient = find_recipient(policy, route.recipient.value);
  return (purpose != nullptr && purpose->basis == Basis::legitimate_interest) ||
         (recipient != nullptr && recipient->analytics);
}

OnError on_error_of(const Rule& rule, const Route& route) {
  if (rule.on_error) return rule.on_error->value;
  if (!route.on_error) return OnError::refuse;
  const bool possible = can_protect_raw(rule.action.value_or(ActionKind::keep));
  if (route.on_error->value == OnError::protect_raw && !possible) return OnError::refuse;
  return route.on_error->value;
}

}  // namespace paravent::policies
