#include "proxy/main/gateway/honey_planter.h"

#include <algorithm>
#include <future>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/normaliser.h"
#include "crypto/tokens/token_text.h"
#include "crypto/vault/engine/upkeep/subject_admin.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using policies::FieldAction;
using policies::RoutePlan;

struct Place {
  const RoutePlan* route = nullptr;
  const FieldAction* action = nullptr;
};

Place place_of(const policies::PolicyPlan& plan, const policies::TenantPlan& tenant,
               std::string_view route, std::string_view field) {
  for (const FieldAction* action : plan.actions()) {
    const RoutePlan& its_route = *plan.routes()[plan.action_routes()[action->id]];
    const bool ours =
        action->slot >= tenant.first_slot && action->slot - tenant.first_slot < tenant.slots;
    if (ours && action->name == field && its_route.name == route) return {&its_route, action};
  }
  return {};
}

Result<crypto::vault::Binding> bind(crypto::vault::Vault& vault, const policies::PolicyPlan& plan,
                                    std::string_view tenant, std::uint32_t slot) {
  auto bound = vault.bind(tenant, std::span(plan.context_specs()).subspan(slot, 1));
  if (!bound) return bound.error();
  if (!bound->front().available) return Error(ErrorKind::unreachable);
  return std::move(bound->front());
}

// Under this value, in whichever field, or under what a number was kept as before (0066).
bool is_known_person(crypto::vault::Vault& vault, const crypto::vault::Id& tenant,
                     crypto::Kind kind, std::string_view value) {
  const crypto::vault::SubjectAdmin subjects(vault);
  bool known = subjects.find(tenant, kind, value).has_value();
  if (kind != crypto::Kind::phone) return known;
  for (std::string& form : crypto::earlier_phone_forms(value)) {
    known = known || subjects.find(tenant, kind, form).has_value();
    crypto::wipe(form);
  }
  return known;
}

}  // namespace

Result<admin::PlantedRow> plant_honey(crypto::vault::Vault& vault, const policies::PolicyPlan& plan,
                                      std::string_view tenant, std::string_view route,
                                      std::string_view field, std::string_view value) {
  const auto& tenants = plan.tenants();
  const auto known = std::find_if(tenants.begin(), tenants.end(),
                                  [&](const auto& one) { return one.name == tenant; });
  const Place place = known == tenants.end() ? Place() : place_of(plan, *known, route, field);
  if (place.action == nullptr) {
    return Error(ErrorKind::usage, "The policy has no such route with such a protected field.");
  }
  const FieldAction& action = *place.action;
  if (action.action != policies::ActionKind::tokenise_vault ||
      action.scope != crypto::Scope::person) {
    return Error(ErrorKind::usage,
                 "A honey token is a row of the store: the field has to be tokenised with "
                 "mode: vault, and not per relationship or request.");
  }
  auto batch = std::make_shared<crypto::vault::ResolveBatch>();
  const crypto::NormaliserOptions options{.region = place.route->phone_region};
  if (!crypto::normalise(action.kind, value, options, batch->values)) {
    return Error(ErrorKind::usage, "The value is none of the field's kind.");
  }
  if (action.subject_bound && action.is_subject) {
    // Somebody who is known has this value, in whichever field: the decoy would be one of theirs.
    const auto id = vault.tenant_id(tenant);
    if (id && is_known_person(vault, *id, action.kind, batch->values)) return admin::PlantedRow();
  }
  const auto end = static_cast<std::uint32_t>(batch->values.size());
  const auto binding = bind(vault, plan, tenant, action.slot);
  if (!binding) return binding.error();
  if (action.subject_bound) {
    const auto person = bind(vault, plan, tenant, place.route->subject_slot);
    if (!person) return person.error();
    crypto::vault::SubjectQuestion& question = batch->subject.emplace();
    question.key_id = person->key.key_id;
    question.needs_key = true;
    // A decoy of the field that tells the person is its own person; of another field nobody's.
    question.begin = action.is_subject ? 0 : end;
    question.end = end;
  }
  crypto::vault::MintJob job;
  job.key_id = binding->key.key_id;
  job.seal_key_id = binding->seal_key_id;
  job.kind = action.kind;
  job.shape = action.shape;
  job.length = action.shape_length;
  job.end = end;
  job.only_new = true;
  batch->jobs.push_back(job);
  std::promise<void> answered;
  batch->done = [&answered] { answered.set_value(); };
  vault.resolve(batch);
  answered.get_future().wait();
  if (batch->status != crypto::vault::ResolveStatus::ok) return Error(ErrorKind::unreachable);
  const crypto::vault::MintJob& answer = batch->jobs.front();
  admin::PlantedRow row;
  row.minted = answer.minted;
  crypto::write_vault_token(answer.key_id, answer.id, row.token);
  row.text = answer.shaped_size != 0 ? std::string(answer.shaped_text()) : row.token;
  if (action.shape == policies::Shape::email) row.text += "@" + place.route->token_mail_domain;
  return row;
}

}  // namespace paravent::proxy::main
