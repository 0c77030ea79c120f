// Vault::bind: from the names of a policy's contexts to keys, rows made durable first.

#include <algorithm>
#include <string>
#include <utility>

#include "crypto/base/secret_arena.h"
#include "crypto/keys/key_use.h"
#include "crypto/vault/engine/binding_plan.h"
#include "crypto/vault/engine/vault_state.h"

namespace paravent::crypto::vault {
namespace {

// Requests that began before an epoch ended may still ask for its keys.
constexpr std::chrono::hours kGrace{1};
constexpr std::uint32_t kIndexVersion = 1;

Result<ProtectionKey> open_key(const Catalogue& catalogue, std::uint32_t key_id,
                               ByteView public_key = {}) {
  const ContextRecord& record = *catalogue.context(key_id);
  const Algorithm algorithm = record.row.algorithm;
  if (record.parent == kNoId || is_sealed(algorithm)) {
    return make_protection_key(record.row, {}, public_key);
  }
  const auto parent = catalogue.keys().open(record.parent);
  if (!parent) return parent.error();
  auto key = make_protection_key(record.row, parent->bytes());
  if (key && algorithm == Algorithm::vault_row) {
    key->nonce_key = derive_use_key(parent->bytes(), KeyUse::enc_nonce, key->ctx);
  }
  return key;
}

Result<std::shared_ptr<const LiveToken>> live_token(const Catalogue& catalogue,
                                                    std::uint32_t key_id, Scope scope) {
  ContextRow row = catalogue.context(key_id)->row;
  row.key_version =
      kIndexVersion;  // the index has its own, so that it rotates apart from the tokens
  const auto domain_key = catalogue.keys().find({.key_class = KeyClass::domain,
                                                 .tenant = id_from(row.tenant_id),
                                                 .domain = id_from(row.domain_id)});
  if (!domain_key) return Error(ErrorKind::data, "The key of a domain is missing.");
  const auto parent = catalogue.keys().open(*domain_key);
  if (!parent) return parent.error();
  const std::string ctx = context_string(row);
  const SecretBytes key = derive_use_key(parent->bytes(), KeyUse::prf_index, ctx);
  std::string prefix;
  append_lp(prefix, ctx);
  auto shapes = ShapeKey::open(catalogue, id_from(row.tenant_id), id_from(row.domain_id));
  if (!shapes) return shapes.error();
  // Where keys lie: the state of an HMAC is as good as its key.
  return std::shared_ptr<const LiveToken>(std::allocate_shared<LiveToken>(
      SecretAllocator<LiveToken>(),
      LiveToken{HmacSha256(key.bytes()).with_prefix(as_bytes(prefix)), scope, *shapes}));
}

Status make_live(const Catalogue& catalogue, const BindingPlan& planned, Scope scope,
                 LiveContexts& live) {
  if (!live.tokens.contains(planned.key_id)) {
    auto token = live_token(catalogue, planned.key_id, scope);
    if (!token) return token.error();
    live.tokens.emplace(planned.key_id, std::move(*token));
  }
  if (!live.seals.contains(planned.seal_key_id)) {
    auto key = open_key(catalogue, planned.seal_key_id);
    if (!key) return key.error();
    const ContextRow& row = catalogue.context(planned.seal_key_id)->row;
    live.seals.emplace(planned.seal_key_id,
                       std::make_shared<const LiveSeal>(LiveSeal{
                           std::move(*key), id_from(row.purpose_id), epoch_end(row.epoch)}));
  }
  return {};
}

// Everything of a vault_row context but the epoch: rows that share it follow each other in time.
std::string family_of(ContextRow row) {
  row.key_id = 0;
  row.epoch = {};
  return encode_context_row(row);
}

void find_current_seals(const Catalogue& catalogue, WallTime now, LiveContexts& live) {
  std::unordered_map<std::string, std::uint32_t> current;
  for (const auto& [key_id, seal] : live.seals) {
    const Epoch epoch = catalogue.context(key_id)->row.epoch;
    if (epoch_start(epoch) > now || epoch_end(epoch) <= now) continue;
    const auto [it, first] = current.emplace(family_of(catalogue.context(key_id)->row), key_id);
    // Two policies may give one purpose epochs of different lengths: the longer one keeps the
    // value.
    if (!first && epoch_end(catalogue.context(it->second)->row.epoch) < epoch_end(epoch)) {
      it->second = key_id;
    }
  }
  live.current_seal.clear();
  for (const auto& [key_id, record] : catalogue.contexts()) {
    if (record.row.algorithm != Algorithm::vault_row) continue;
    const auto it = current.find(family_of(record.row));
    if (it != current.end()) live.current_seal.emplace(key_id, it->second);
  }
}

Result<std::vector<BindingPlan>> plan_all(Catalogue& catalogue, std::string_view tenant_name,
                                          std::span<const ContextSpec> specs, WallTime now) {
  const auto tenant = catalogue.names().find(NameKind::tenant, kNoId, tenant_name);
  if (!tenant) {
    return Error(ErrorKind::configuration,
                 "The vault does not know the tenant \"" + std::string(tenant_name) + "\".");
  }
  std::vector<BindingPlan> plans;
  plans.reserve(specs.size());
  for (const ContextSpec& spec : specs) {
    auto planned = plan_binding(catalogue, *tenant, spec, now);
    if (!planned) return planned.error();
    plans.push_back(*planned);
  }
  return plans;
}

}  // namespace

Result<std::vector<Binding>> Vault::bind(std::string_view tenant,
                                         std::span<const ContextSpec> specs) {
  const std::scoped_lock lock(state_->mutex);
  Catalogue& catalogue = *state_->catalogue;
  const WallTime now = state_->clock.now();
  const auto plans = plan_all(catalogue, tenant, specs, now);
  if (!plans) {
    catalogue.roll_back();
    return plans.error();
  }
  if (auto s = catalogue.commit(); !s) return s.error();

  auto live = std::make_shared<LiveContexts>(*state_->live.load());
  std::erase_if(live->seals, [&](const auto& entry) {
    const WallTime end = entry.second->epoch_end;
    return end != WallTime::max() && end + kGrace < now;
  });
  std::vector<Binding> bindings;
  bindings.reserve(plans->size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const BindingPlan& planned = (*plans)[i];
    auto key = open_key(catalogue, planned.key_id, specs[i].public_key);
    if (!key) return key.error();
    if (planned.seal_key_id != 0) {
      if (auto s = make_live(catalogue, planned, specs[i].scope, *live); !s) return s.error();
    }
    bindings.push_back({std::move(*key), planned.seal_key_id, planned.valid_until});
    if (planned.previous_key_id == 0) continue;
    auto previous = open_key(catalogue, planned.previous_key_id);
    // Destroyed before the overlap was over: then there is nothing to overlap with.
    if (previous) bindings.back().previous.emplace(std::move(*previous));
  }
  find_current_seals(catalogue, now, *live);
  state_->live.store(std::move(live));
  return bindings;
}

}  // namespace paravent::crypto::vault
