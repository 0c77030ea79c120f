#include "crypto/vault/engine/catalogue/binding_plan.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "crypto/tokens/normaliser.h"
#include "crypto/tokens/recipient_key.h"

namespace paravent::crypto::vault {
namespace {

// The ids behind a spec's names.
struct Names {
  Id domain{};
  Id purpose{};
  Id space{};
};

bool bindable(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::vault_token:
    case Algorithm::derived:
    case Algorithm::pseudonym:
    case Algorithm::encrypted:
    case Algorithm::encrypted_subject:
    case Algorithm::subject_reference:
    case Algorithm::address:
    case Algorithm::address_prefix:
    case Algorithm::address_random:
    case Algorithm::sealed:
    case Algorithm::sealed_single:
    case Algorithm::format_preserving:
      return true;
    case Algorithm::vault_row:
    case Algorithm::vault_row_subject:
    case Algorithm::audit_detail:
    case Algorithm::map_cookie:
      break;
  }
  return false;
}

Error wrong(std::string sentence) { return Error(ErrorKind::configuration, std::move(sentence)); }

Error unknown_name(NameKind kind, std::string_view name) {
  return wrong("The vault does not know the " + std::string(name_kind_text(kind)) + " \"" +
               std::string(name) + "\".");
}

Status check_spec(const ContextSpec& spec) {
  const Algorithm algorithm = spec.algorithm;
  const bool scoped = algorithm == Algorithm::vault_token || algorithm == Algorithm::pseudonym;
  if (!bindable(algorithm)) {
    return wrong("The algorithm " + std::string(algorithm_name(algorithm)) + " cannot be bound.");
  }
  if (spec.scope != Scope::person && !scoped) {
    return wrong("Only vault tokens and pseudonyms have a scope other than person.");
  }
  const bool ends = algorithm == Algorithm::pseudonym && spec.epoch != EpochLength::none;
  if (spec.overlap_seconds != 0 && !ends) {
    return wrong("Only the epochs of pseudonyms overlap.");
  }
  if (is_sealed(algorithm) != (spec.public_key.size() == kRecipientKeySize) ||
      (!is_sealed(algorithm) && !spec.public_key.empty())) {
    return wrong("A sealed value, and nothing else, needs the recipient's public key of 32 bytes.");
  }
  if (spec.subject_bound && algorithm != Algorithm::vault_token) {
    return wrong("Only vault tokens are bound to a subject beside encrypted values.");
  }
  const bool has_space = algorithm != Algorithm::subject_reference;
  if (has_space && (spec.space.empty() || spec.space.size() > kMaxNameSize)) {
    return wrong("The name of a space has 1 to 255 bytes.");
  }
  return {};
}

std::string_view scope_word(Scope scope) {
  switch (scope) {
    case Scope::person:
      break;
    case Scope::relationship:
      return "l";
    case Scope::request:
      return "q";
  }
  return "";
}

// Tells the rows of the scopes apart, and those of values that are a subject's each; the
// relationship, the request or the subject itself enters each value's own input.
std::string scope_text(const ContextSpec& spec) {
  return std::string(spec.subject_bound ? kBoundScope : "").append(scope_word(spec.scope));
}

}  // namespace

std::optional<Scope> scope_of_row(std::string_view scope_id) noexcept {
  if (scope_id.starts_with(kBoundScope)) scope_id.remove_prefix(kBoundScope.size());
  for (const Scope scope : {Scope::person, Scope::relationship, Scope::request}) {
    if (scope_word(scope) == scope_id) return scope;
  }
  return std::nullopt;
}

namespace {

ContextRow row_for(const ContextSpec& spec, const Id& tenant, const Names& names) {
  ContextRow row;
  row.tenant_id = id_text(tenant);
  row.domain_id = id_text(names.domain);
  row.space_id = id_text(names.space);
  row.scope_id = scope_text(spec);
  row.algorithm = spec.algorithm;
  row.normaliser_id = normaliser_id(spec.kind);
  return row;
}

ContextRow keyed_row(ContextRow row, const Id& purpose, const KeyRecord& key) {
  row.purpose_id = id_text(purpose);
  row.epoch = key.epoch;
  row.key_version = key.version;
  return row;
}

KeyPlace epoch_place(const Id& tenant, const Names& names, Epoch epoch) {
  return {.key_class = KeyClass::epoch,
          .tenant = tenant,
          .domain = names.domain,
          .purpose = names.purpose,
          .epoch = epoch};
}

KeyPlace domain_place(const Id& tenant, const Id& domain) {
  return {.key_class = KeyClass::domain, .tenant = tenant, .domain = domain};
}

// The row of this spec under this key, if there is one.
const ContextRecord* row_under(const Catalogue& catalogue, const Id& tenant, const Names& names,
                               const ContextSpec& spec, const KeyRecord& key) {
  ContextRow row = keyed_row(row_for(spec, tenant, names), names.purpose, key);
  return catalogue.find_context(row, key.id);
}

// The row of this spec in this very epoch, if there is one.
const ContextRecord* existing(const Catalogue& catalogue, const Id& tenant, const Names& names,
                              const ContextSpec& spec, Epoch epoch) {
  const auto key = catalogue.keys().find(epoch_place(tenant, names, epoch));
  if (!key) return nullptr;
  return row_under(catalogue, tenant, names, spec, *catalogue.keys().record(*key));
}

// When a version gave way to the next; the end of time for the one in force.
WallTime in_force_until(const KeyRecord& key) {
  WallTime end = WallTime::max();
  for (const KeyState state : {KeyState::deactivated, KeyState::suspended, KeyState::compromised}) {
    const WallTime since = key.since[static_cast<std::size_t>(state) - 1];
    if (since != WallTime{}) end = std::min(end, since);
  }
  return end;
}

void plan_overlap(const Catalogue& catalogue, const Id& tenant, const Names& names,
                  const ContextSpec& spec, WallTime now, BindingPlan& plan) {
  const WallTime end = epoch_start(plan.epoch) + std::chrono::seconds(spec.overlap_seconds);
  if (spec.overlap_seconds == 0 || now >= end) return;
  const Epoch before{plan.epoch.length, plan.epoch.index - 1};
  const ContextRecord* record = existing(catalogue, tenant, names, spec, before);
  if (record == nullptr) return;
  plan.previous_key_id = record->row.key_id;
  plan.valid_until = std::min(plan.valid_until, end);
}

}  // namespace

namespace {

// Which purpose a request about somebody serves; the key is the tenant's.
Result<BindingPlan> plan_subjects(Catalogue& catalogue, const Id& tenant, const ContextSpec& spec) {
  const auto purpose = catalogue.names().find(NameKind::purpose, tenant, spec.purpose);
  if (!purpose) return unknown_name(NameKind::purpose, spec.purpose);
  const auto key = catalogue.keys().find({.key_class = KeyClass::tenant, .tenant = tenant});
  if (!key || !catalogue.keys().usable(*key, KeyOperation::protect)) {
    return Error(ErrorKind::sealed, "The key of the tenant is missing, disabled or destroyed.");
  }
  ContextRow row;
  row.tenant_id = id_text(tenant);
  row.purpose_id = id_text(*purpose);
  row.algorithm = spec.algorithm;
  row.normaliser_id = normaliser_id(spec.kind);
  BindingPlan plan;
  plan.key_id = catalogue.ensure_context(row, *key).row.key_id;
  plan.valid_until = WallTime::max();
  return plan;
}

}  // namespace

Result<BindingPlan> plan_binding(Catalogue& catalogue, const Id& tenant, const ContextSpec& spec,
                                 WallTime now) {
  if (auto s = check_spec(spec); !s) return s.error();
  if (spec.algorithm == Algorithm::subject_reference) {
    return plan_subjects(catalogue, tenant, spec);
  }
  const NameRegistry& known = catalogue.names();
  const auto domain = known.find(NameKind::domain, tenant, spec.domain);
  if (!domain) return unknown_name(NameKind::domain, spec.domain);
  const auto purpose = known.find(NameKind::purpose, tenant, spec.purpose);
  if (!purpose) return unknown_name(NameKind::purpose, spec.purpose);
  const auto domain_key = catalogue.keys().find(domain_place(tenant, *domain));
  if (!domain_key) {
    return Error(
        catalogue.keys().had(domain_place(tenant, *domain)) ? ErrorKind::sealed : ErrorKind::data,
        "The key of the domain \"" + spec.domain + "\" is missing or destroyed.");
  }
  const Names names{*domain, *purpose, catalogue.ensure_name(NameKind::space, tenant, spec.space)};
  BindingPlan plan;
  plan.epoch = epoch_at(spec.epoch, now);
  plan.valid_until = epoch_end(plan.epoch);

  ContextRow row = row_for(spec, tenant, names);
  if (is_sealed(spec.algorithm)) {
    // Opened by the recipient's key, which is not in the tree. A new recipient key is a new row:
    // one key id names one key.
    row.purpose_id = id_text(names.purpose);
    row.epoch = plan.epoch;
    plan.key_id = catalogue.ensure_context(row, recipient_key_id(spec.public_key)).row.key_id;
    return plan;
  }
  const auto epoch_key =
      catalogue.ensure_key(epoch_place(tenant, names, plan.epoch), *domain_key, now);
  if (!epoch_key) return epoch_key.error();
  if (spec.algorithm == Algorithm::vault_token) {
    // The token's own row is of tenant, domain, space and scope only; purposes and epoch are in the
    // stored row.
    plan.key_id = catalogue.ensure_context(row, kNoId).row.key_id;
    row.algorithm = spec.subject_bound ? Algorithm::vault_row_subject : Algorithm::vault_row;
  }
  row = keyed_row(std::move(row), names.purpose, *catalogue.keys().record(*epoch_key));
  const std::uint32_t keyed = catalogue.ensure_context(row, *epoch_key).row.key_id;
  (plan.key_id == 0 ? plan.key_id : plan.seal_key_id) = keyed;
  plan_overlap(catalogue, tenant, names, spec, now, plan);
  return plan;
}

const ContextRecord* find_bound(const Catalogue& catalogue, const Id& tenant,
                                const ContextSpec& spec, WallTime as_of) {
  const NameRegistry& known = catalogue.names();
  const auto domain = known.find(NameKind::domain, tenant, spec.domain);
  const auto purpose = known.find(NameKind::purpose, tenant, spec.purpose);
  const auto space = known.find(NameKind::space, tenant, spec.space);
  if (!domain || !purpose || !space) return nullptr;
  const Names names{*domain, *purpose, *space};
  // Of the versions of that epoch's key, the one that was in force throughout the day. On the day
  // of a rotation nobody can tell, and nothing is guessed.
  const ContextRecord* found = nullptr;
  const WallTime from = std::chrono::floor<std::chrono::days>(as_of);
  const WallTime to = from + std::chrono::days(1);
  for (const Id& id :
       catalogue.keys().versions(epoch_place(tenant, names, epoch_at(spec.epoch, as_of)))) {
    const KeyRecord& key = *catalogue.keys().record(id);
    const WallTime end = in_force_until(key);
    if (is_destroyed(key.condition.state) || key.made >= to || end <= from) continue;
    if (found != nullptr) return nullptr;
    found = row_under(catalogue, tenant, names, spec, key);
  }
  return found;
}

}  // namespace paravent::crypto::vault
