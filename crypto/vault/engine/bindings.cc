// Vault::bind: from the names of a policy's contexts to keys, rows made durable first.

#include <algorithm>
#include <string>
#include <utility>

#include "crypto/keys/key_use.h"
#include "crypto/tokens/normaliser.h"
#include "crypto/vault/engine/vault_state.h"

namespace paravent::crypto::vault {
namespace {

// Requests that began before an epoch ended may still ask for its keys.
constexpr std::chrono::hours kGrace{1};
constexpr std::uint32_t kIndexVersion = 1;

// What one spec turned into, before anything is durable.
struct Planned {
  std::uint32_t key_id = 0;
  std::uint32_t seal_key_id = 0;
  Epoch epoch;
};

ContextRow row_for(const ContextSpec& spec, const Id& tenant, const Id& domain, const Id& space) {
  ContextRow row;
  row.tenant_id = id_text(tenant);
  row.domain_id = id_text(domain);
  row.space_id = id_text(space);
  row.algorithm = spec.algorithm;
  row.normaliser_id = normaliser_id(spec.kind);
  return row;
}

Error unknown_name(NameKind kind, std::string_view name) {
  return Error(ErrorKind::configuration, "The vault does not know the " +
                                             std::string(name_kind_text(kind)) + " \"" +
                                             std::string(name) + "\".");
}

Result<Planned> plan(Catalogue& catalogue, const Id& tenant, const ContextSpec& spec,
                     WallTime now) {
  const NameRegistry& names = catalogue.names();
  const auto domain = names.find(NameKind::domain, tenant, spec.domain);
  if (!domain) return unknown_name(NameKind::domain, spec.domain);
  const auto purpose = names.find(NameKind::purpose, tenant, spec.purpose);
  if (!purpose) return unknown_name(NameKind::purpose, spec.purpose);
  const auto domain_key =
      catalogue.keys().find({.key_class = KeyClass::domain, .tenant = tenant, .domain = *domain});
  if (!domain_key) {
    return Error(ErrorKind::data, "The key of the domain \"" + spec.domain + "\" is missing.");
  }
  if (spec.space.empty() || spec.space.size() > kMaxNameSize) {
    return Error(ErrorKind::configuration, "The name of a space has 1 to 255 bytes.");
  }
  const Id space = catalogue.ensure_name(NameKind::space, tenant, spec.space);
  Planned planned;
  planned.epoch = epoch_at(spec.epoch, now);
  const auto epoch_key = catalogue.ensure_key({.key_class = KeyClass::epoch,
                                               .tenant = tenant,
                                               .domain = *domain,
                                               .purpose = *purpose,
                                               .epoch = planned.epoch},
                                              *domain_key, now);
  if (!epoch_key) return epoch_key.error();

  ContextRow row = row_for(spec, tenant, *domain, space);
  if (spec.algorithm == Algorithm::vault_token) {
    // The token's own row is of tenant, domain and space only; purposes and epoch are in the stored
    // row.
    planned.key_id = catalogue.ensure_context(row, kNoId).row.key_id;
    row.algorithm = Algorithm::vault_row;
  }
  row.purpose_id = id_text(*purpose);
  row.epoch = planned.epoch;
  const std::uint32_t keyed = catalogue.ensure_context(row, *epoch_key).row.key_id;
  (planned.key_id == 0 ? planned.key_id : planned.seal_key_id) = keyed;
  return planned;
}

Result<ProtectionKey> open_key(const Catalogue& catalogue, std::uint32_t key_id) {
  const ContextRecord& record = *catalogue.context(key_id);
  if (record.parent == kNoId) return make_protection_key(record.row, {});
  const auto parent = catalogue.keys().open(record.parent);
  if (!parent) return parent.error();
  auto key = make_protection_key(record.row, parent->bytes());
  if (key && record.row.algorithm == Algorithm::vault_row) {
    key->nonce_key = derive_use_key(parent->bytes(), KeyUse::enc_nonce, key->ctx);
  }
  return key;
}

Result<std::shared_ptr<const LiveToken>> live_token(const Catalogue& catalogue,
                                                    std::uint32_t key_id) {
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
  return std::make_shared<const LiveToken>(
      LiveToken{HmacSha256(key.bytes()).with_prefix(as_bytes(prefix))});
}

Status make_live(const Catalogue& catalogue, const Planned& planned, LiveContexts& live) {
  if (!live.tokens.contains(planned.key_id)) {
    auto token = live_token(catalogue, planned.key_id);
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

bool bindable(Algorithm algorithm) {
  return algorithm == Algorithm::vault_token || algorithm == Algorithm::derived ||
         algorithm == Algorithm::pseudonym || algorithm == Algorithm::encrypted;
}

Result<std::vector<Planned>> plan_all(Catalogue& catalogue, std::string_view tenant_name,
                                      std::span<const ContextSpec> specs, WallTime now) {
  const auto tenant = catalogue.names().find(NameKind::tenant, kNoId, tenant_name);
  if (!tenant) return unknown_name(NameKind::tenant, tenant_name);
  std::vector<Planned> plans;
  plans.reserve(specs.size());
  for (const ContextSpec& spec : specs) {
    if (!bindable(spec.algorithm)) {
      return Error(
          ErrorKind::configuration,
          "The algorithm " + std::string(algorithm_name(spec.algorithm)) + " cannot be bound yet.");
    }
    auto planned = plan(catalogue, *tenant, spec, now);
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
  for (const Planned& planned : *plans) {
    auto key = open_key(catalogue, planned.key_id);
    if (!key) return key.error();
    if (planned.seal_key_id != 0) {
      if (auto s = make_live(catalogue, planned, *live); !s) return s.error();
    }
    bindings.push_back({std::move(*key), planned.seal_key_id, epoch_end(planned.epoch)});
  }
  find_current_seals(catalogue, now, *live);
  state_->live.store(std::move(live));
  return bindings;
}

}  // namespace paravent::crypto::vault
