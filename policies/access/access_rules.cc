#include "policies/access/access_rules.h"

#include <algorithm>
#include <utility>

namespace paravent::policies {
namespace {

using crypto::vault::TokenDescription;

bool holds(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<std::string> names_of(const std::vector<Located<std::string>>& roles) {
  std::vector<std::string> names;
  for (const auto& role : roles) names.push_back(role.value);
  return names;
}

// Whether the rule's surrogates are texts without a key id.
bool names_no_key(const Rule& rule) {
  return rule.shape.value == Shape::preserve ||
         (rule.shape.value == Shape::ip && (*rule.action == ActionKind::tokenise_address ||
                                            *rule.action == ActionKind::tokenise_address_prefix));
}

// For values of one kind what the role says of that kind, else what it says of all.
RevealLevel level_of(const Role* role, crypto::Kind kind) {
  if (role == nullptr) return RevealLevel::refused;
  const auto own = std::find_if(role->kinds.begin(), role->kinds.end(),
                                [kind](const KindLevel& known) { return known.kind == kind; });
  return own == role->kinds.end() ? role->reveal : own->level;
}

}  // namespace

Phase phase_of(const Purpose& purpose, const crypto::vault::PurposeClock& clock,
               crypto::WallTime now) {
  if (!purpose.retention) return Phase::active;
  const Retention& retention = *purpose.retention;
  crypto::WallTime start;
  switch (retention.from) {
    case RetentionFrom::collection:
      start = clock.created;
      break;
    case RetentionFrom::last_contact:
      start = clock.last_contact;
      break;
    case RetentionFrom::contract_end:
    case RetentionFrom::case_closed:
      // Nobody can ever say of a person who cannot be found again that the contract ended, nor of
      // what belongs to nobody.
      if (!clock.event && clock.of_person && clock.identified) return Phase::active;
      start = clock.event.value_or(clock.created);
      break;
  }
  if (!clock.identified) start = clock.created;
  const crypto::WallTime active_end = add_period(start, retention.active);
  if (now < active_end) return Phase::active;
  if (!retention.archive) return Phase::expired;
  return now < add_period(active_end, retention.archive->value) ? Phase::archived : Phase::expired;
}

AccessRules::AccessRules(std::span<const TenantPolicy> policies) {
  for (const TenantPolicy& source : policies) {
    const Policy& policy = *source.policy;
    Tenant tenant;
    tenant.id = source.tenant;
    tenant.roles = policy.roles;
    tenant.four_eyes = policy.four_eyes;
    tenant.phone_region = policy.phone_region.value;
    tenant.oidc = policy.oidc;
    for (const Role& role : policy.roles) {
      if (role.hours.empty()) continue;
      tenant.hours.emplace_back(
          role.name, std::make_shared<const OpenHours>(role.hours, policy.time_zone.value));
    }
    for (const Purpose& purpose : policy.purposes) {
      tenant.purposes.push_back(
          {purpose, names_of(purpose.reveal), names_of(purpose.reveal_archived)});
    }
    for (const Route& route : policy.routes) {
      const std::string domain = domain_of(policy, route);
      const Purpose* purpose = find_purpose(policy, route.purpose.value);
      std::pair receives(route.purpose.value, route.recipient.value);
      if (!receives.second.empty() && std::find(tenant.recipients.begin(), tenant.recipients.end(),
                                                receives) == tenant.recipients.end()) {
        tenant.recipients.push_back(std::move(receives));
      }
      for (const Rule& rule : route.rules) {
        if (!rule.action || !makes_surrogate(*rule.action)) continue;
        tenant.fields.push_back({route.purpose.value, domain, space_of(rule), rule.kind.value,
                                 algorithm_of_rule(policy, route, rule), rule.selector.text,
                                 route.name.value, epoch_of(rule, route, purpose),
                                 names_no_key(rule)});
      }
      if (route.client_address == ClientAddress::pseudonym) {
        tenant.fields.push_back({route.purpose.value, domain,
                                 std::string(crypto::kind_name(crypto::Kind::ip)), crypto::Kind::ip,
                                 crypto::Algorithm::pseudonym, std::string(kClientAddressName),
                                 route.name.value, crypto::EpochLength::day, false});
      }
      if (route.unlisted.value == Unlisted::encrypt) {
        tenant.fields.push_back(
            {route.purpose.value, domain, std::string(crypto::kind_name(crypto::Kind::text)),
             crypto::Kind::text,
             unlisted_is_subject_bound(route, purpose) ? crypto::Algorithm::encrypted_subject
                                                       : crypto::Algorithm::encrypted,
             std::string(kUnlistedName), route.name.value, unlisted_epoch(route, purpose), false});
      }
    }
    tenants_.push_back(std::move(tenant));
  }
}

const AccessRules::Tenant* AccessRules::find(const crypto::vault::Id& tenant) const {
  const auto found = std::find_if(tenants_.begin(), tenants_.end(),
                                  [&](const Tenant& known) { return known.id == tenant; });
  return found == tenants_.end() ? nullptr : &*found;
}

const AccessRules::PurposeRules* AccessRules::find(const Tenant& tenant, std::string_view purpose) {
  const auto found =
      std::find_if(tenant.purposes.begin(), tenant.purposes.end(),
                   [purpose](const PurposeRules& known) { return known.purpose.name == purpose; });
  return found == tenant.purposes.end() ? nullptr : &*found;
}

bool AccessRules::admits(const crypto::vault::Id& tenant, std::string_view role,
                         std::string_view purpose) const {
  const Tenant* known = find(tenant);
  if (known == nullptr || role == kAdminRole) return false;
  const PurposeRules* rules = find(*known, purpose);
  return rules != nullptr && (holds(rules->active, role) || holds(rules->archived, role));
}

const Role* AccessRules::role(const crypto::vault::Id& tenant, std::string_view name) const {
  const Tenant* known = find(tenant);
  if (known == nullptr || name == kAdminRole) return nullptr;
  const auto found = std::find_if(known->roles.begin(), known->roles.end(),
                                  [name](const Role& one) { return one.name == name; });
  return found == known->roles.end() ? nullptr : &*found;
}

bool AccessRules::is_open(const Tenant& tenant, std::string_view role, crypto::WallTime now) {
  const auto found = std::find_if(tenant.hours.begin(), tenant.hours.end(),
                                  [role](const auto& one) { return one.first == role; });
  return found == tenant.hours.end() || found->second->at(now);
}

bool AccessRules::within_hours(const crypto::vault::Id& tenant, std::string_view role,
                               crypto::WallTime now) const {
  const Tenant* known = find(tenant);
  return known == nullptr || is_open(*known, role, now);
}

const FourEyes* AccessRules::four_eyes(const crypto::vault::Id& tenant) const {
  const Tenant* known = find(tenant);
  return known == nullptr || !known->four_eyes ? nullptr : &*known->four_eyes;
}

bool AccessRules::has_purpose(const crypto::vault::Id& tenant, std::string_view purpose) const {
  const Tenant* known = find(tenant);
  return known != nullptr && find(*known, purpose) != nullptr;
}

bool AccessRules::has_field(const crypto::vault::Id& tenant, std::string_view purpose,
                            std::string_view field) const {
  const Tenant* known = find(tenant);
  return known != nullptr &&
         std::any_of(known->fields.begin(), known->fields.end(), [&](const FieldSource& source) {
           return source.purpose == purpose && source.name == field;
         });
}

bool AccessRules::handles_subjects(const crypto::vault::Id& tenant, std::string_view role) const {
  const Role* const known = AccessRules::role(tenant, role);
  return known != nullptr && known->subjects;
}

bool AccessRules::reads_audit(const crypto::vault::Id& tenant, std::string_view role) const {
  const Tenant* known = find(tenant);
  if (known == nullptr || role == kAdminRole) return false;
  return std::any_of(known->roles.begin(), known->roles.end(),
                     [role](const Role& one) { return one.name == role && one.audit; });
}

std::optional<OidcRole> AccessRules::oidc_role(std::string_view issuer, std::string_view subject,
                                               const HasClaim& has) const {
  std::optional<OidcRole> found;
  for (const Tenant& tenant : tenants_) {
    for (const OidcEntry& entry : tenant.oidc) {
      const bool meant =
          entry.issuer.value == issuer && (entry.subject.empty() || entry.subject == subject) &&
          std::all_of(entry.claims.begin(), entry.claims.end(),
                      [&](const OidcClaim& claim) { return has(claim.name, claim.value); });
      if (!meant) continue;
      if (found) return std::nullopt;
      found = OidcRole{tenant.id, entry.role.value};
    }
  }
  return found;
}

std::vector<crypto::vault::Id> AccessRules::tenants_of_oidc(std::string_view issuer,
                                                            std::string_view subject) const {
  std::vector<crypto::vault::Id> tenants;
  for (const Tenant& tenant : tenants_) {
    if (std::any_of(tenant.oidc.begin(), tenant.oidc.end(), [&](const OidcEntry& entry) {
          return entry.issuer.value == issuer && entry.subject == subject;
        })) {
      tenants.push_back(tenant.id);
    }
  }
  return tenants;
}

std::optional<OidcPerson> AccessRules::oidc_person(const crypto::vault::Id& tenant,
                                                   std::string_view issuer,
                                                   std::string_view subject) const {
  const Tenant* const found = find(tenant);
  if (found == nullptr) return std::nullopt;
  std::optional<OidcPerson> person;
  for (const OidcEntry& entry : found->oidc) {
    if (entry.issuer.value != issuer || entry.subject != subject) continue;
    // By different claims it may come by different entries: then they have to agree.
    if (entry.person.empty() || (person && person->name != entry.person)) return std::nullopt;
    person = OidcPerson{entry.person, entry.has_operator || (person && person->has_operator)};
  }
  return person;
}

bool AccessRules::oidc_gives(const crypto::vault::Id& tenant, std::string_view role) const {
  const Tenant* const found = find(tenant);
  return found != nullptr &&
         std::any_of(found->oidc.begin(), found->oidc.end(),
                     [&](const OidcEntry& one) { return one.role.value == role; });
}

std::vector<std::string> AccessRules::recipients(const crypto::vault::Id& tenant,
                                                 std::string_view purpose) const {
  std::vector<std::string> names;
  const Tenant* known = find(tenant);
  if (known == nullptr) return names;
  for (const auto& [for_purpose, recipient] : known->recipients) {
    if (for_purpose == purpose) names.push_back(recipient);
  }
  return names;
}

std::string AccessRules::phone_region(const crypto::vault::Id& tenant) const {
  const Tenant* known = find(tenant);
  return known == nullptr ? std::string() : known->phone_region;
}

Ruling AccessRules::rule(const crypto::vault::Id& tenant, std::string_view role,
                         std::string_view purpose, const TokenDescription& token,
                         crypto::WallTime now) const {
  if (!admits(tenant, role, purpose)) return {Verdict::barred, RevealLevel::refused};
  const Ruling unavailable{Verdict::unavailable, RevealLevel::refused};
  const Ruling refused{Verdict::refused, RevealLevel::refused};
  if (token.tenant_id != tenant) return unavailable;
  const auto clock = std::find_if(token.purposes.begin(), token.purposes.end(),
                                  [&](const auto& known) { return known.name == purpose; });
  if (clock == token.purposes.end()) return unavailable;

  const Tenant& known = *find(tenant);
  const PurposeRules& rules = *find(known, purpose);
  const Phase phase = phase_of(rules.purpose, *clock, now);
  if (phase == Phase::expired) return unavailable;
  if (!token.reversible || token.restricted || !is_open(known, role, now)) return refused;
  if (!holds(phase == Phase::active ? rules.active : rules.archived, role)) return refused;
  const RevealLevel level = level_of(AccessRules::role(tenant, role), token.kind);
  if (level == RevealLevel::refused) return refused;
  return {Verdict::allowed, level};
}

std::vector<std::string> AccessRules::fields(std::string_view purpose,
                                             const TokenDescription& token) const {
  std::vector<std::string> names;
  const Tenant* tenant = find(token.tenant_id);
  if (tenant == nullptr) return names;
  for (const FieldSource& source : tenant->fields) {
    const bool same = source.purpose == purpose && source.domain == token.domain &&
                      source.space == token.space && source.kind == token.kind &&
                      source.algorithm == token.algorithm;
    if (same && !holds(names, source.name)) names.push_back(source.name);
  }
  return names;
}

std::vector<crypto::vault::ContextSpec> AccessRules::bare_contexts(const crypto::vault::Id& tenant,
                                                                   std::string_view purpose,
                                                                   std::string_view field,
                                                                   std::string_view route) const {
  std::vector<crypto::vault::ContextSpec> specs;
  const Tenant* known = find(tenant);
  if (known == nullptr) return specs;
  for (const FieldSource& source : known->fields) {
    if (source.name != field || source.purpose != purpose || !source.bare ||
        (!route.empty() && source.route != route)) {
      continue;
    }
    crypto::vault::ContextSpec spec;
    spec.domain = source.domain;
    spec.purpose = source.purpose;
    spec.space = source.space;
    spec.kind = source.kind;
    spec.algorithm = source.algorithm;
    spec.epoch = source.epoch;
    if (std::find(specs.begin(), specs.end(), spec) == specs.end()) specs.push_back(spec);
  }
  return specs;
}

}  // namespace paravent::policies
