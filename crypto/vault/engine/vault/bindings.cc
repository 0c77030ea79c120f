// Vault::bind: from the names of a policy's contexts to keys, rows made durable first.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "crypto/base/secret_arena.h"
#include "crypto/keys/key_use.h"
#include "crypto/vault/engine/catalogue/binding_plan.h"
#include "crypto/vault/engine/subjects/subject_keys.h"
#include "crypto/vault/engine/vault/live_token.h"
#include "crypto/vault/engine/vault/vault_state.h"

namespace paravent::crypto::vault {
namespace {

// Requests that began before an epoch ended may still ask for its keys.
constexpr std::chrono::hours kGrace{1};

bool is_over(WallTime epoch_end, WallTime now) {
  return epoch_end != WallTime::max() && epoch_end + kGrace < now;
}

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
  if (key && (algorithm == Algorithm::vault_row || algorithm == Algorithm::vault_row_subject)) {
    key->nonce_key = derive_use_key(parent->bytes(), KeyUse::enc_nonce, key->ctx);
  }
  return key;
}

}  // namespace

Result<std::shared_ptr<const LiveToken>> live_token(const Catalogue& catalogue,
                                                    std::uint32_t key_id, Scope scope) {
  ContextRow row = catalogue.context(key_id)->row;
  const KeyPlace place{.key_class = KeyClass::domain,
                       .tenant = id_from(row.tenant_id),
                       .domain = id_from(row.domain_id)};
  const auto oldest = catalogue.keys().oldest(place);
  if (!oldest) return Error(ErrorKind::data, "The key of a domain is missing.");
  // The index has a version of its own, so that it rotates apart from the tokens.
  const IndexVersions versions = catalogue.index_version(id_from(row.domain_id));
  const auto parent_of = [&](const Id& key) {
    const KeyRecord* named = catalogue.keys().record(key);
    // One that is destroyed took its entries along.
    const bool gone = named == nullptr || is_destroyed(named->condition.state);
    return catalogue.keys().open_kept(gone ? *oldest : key);
  };
  const auto parent = parent_of(versions.key);
  if (!parent) return parent.error();
  const auto parent_before = parent_of(versions.before == 0 ? versions.key : versions.key_before);
  if (!parent_before) return parent_before.error();
  const auto index_under = [&](std::uint32_t version, const SecretBytes& from) {
    row.key_version = version;
    const std::string ctx = context_string(row);
    const SecretBytes key = derive_use_key(from.bytes(), KeyUse::prf_index, ctx);
    std::string prefix;
    append_lp(prefix, ctx);
    return HmacSha256(key.bytes()).with_prefix(as_bytes(prefix));
  };
  auto shapes = ShapeKey::open(catalogue, id_from(row.tenant_id), id_from(row.domain_id));
  if (!shapes) return shapes.error();
  LiveToken made{index_under(versions.current, *parent), scope, *shapes,
                 row.scope_id.starts_with(kBoundScope), std::nullopt};
  if (versions.before != 0) made.before = index_under(versions.before, *parent_before);
  return share_in_arena(std::move(made));
}

Status make_live_subject(const Catalogue& catalogue, std::uint32_t key_id, LiveContexts& live) {
  const ContextRecord& record = *catalogue.context(key_id);
  const Id tenant = id_from(record.row.tenant_id);
  if (!live.wraps.contains(record.parent)) {
    auto wrap = tenant_wrap(catalogue, tenant, record.parent);
    if (!wrap) return wrap.error();
    live.wraps.emplace(record.parent, std::make_shared<const TenantWrap>(std::move(*wrap)));
  }
  if (live.subjects.contains(key_id)) return {};
  auto reference = subject_reference_key(catalogue, tenant);
  if (!reference) return reference.error();
  const auto kind = kind_from_number(static_cast<std::uint8_t>(record.row.normaliser_id >> 8U));
  if (!kind) return Error(ErrorKind::data, "A row of subject references has no kind.");
  live.subjects.emplace(
      key_id, share_in_arena(LiveSubject{*reference, *kind, tenant, id_from(record.row.purpose_id),
                                         live.wraps.at(record.parent)}));
  return {};
}

namespace {

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
                       LiveSeal{std::make_shared<const ProtectionKey>(std::move(*key)),
                                id_from(row.purpose_id), epoch_end(row.epoch)});
  }
  return {};
}

// Everything of a vault_row context but the epoch: rows that share it follow each other in time.
std::string family_of(ContextRow row) {
  row.key_id = 0;
  row.epoch = {};
  row.key_version = 1;
  return encode_context_row(row);
}

// `bound`: the tenant whose contexts are being bound, all of them. Of others, which are bound by
// turns, a key whose epoch just ended is current until their turn comes.
void find_current_seals(const Catalogue& catalogue, WallTime now, const Id* bound,
                        LiveContexts& live) {
  std::unordered_map<std::string, std::uint32_t> current;
  for (const auto& [key_id, seal] : live.seals) {
    const ContextRecord& record = *catalogue.context(key_id);
    const Epoch epoch = record.row.epoch;
    const bool waits = bound != nullptr && id_from(record.row.tenant_id) != *bound;
    const bool over = waits ? is_over(epoch_end(epoch), now) : epoch_end(epoch) <= now;
    if (epoch_start(epoch) > now || over) continue;
    if (!catalogue.keys().usable(record.parent, KeyOperation::protect)) continue;
    const auto [it, first] = current.emplace(family_of(catalogue.context(key_id)->row), key_id);
    // Two policies may give one purpose epochs of different lengths: the longer one keeps the
    // value.
    if (!first && epoch_end(catalogue.context(it->second)->row.epoch) < epoch_end(epoch)) {
      it->second = key_id;
    }
  }
  live.current_seal.clear();
  live.ended_seals.clear();
  for (const auto& [key_id, record] : catalogue.contexts()) {
    if (record.row.algorithm != Algorithm::vault_row &&
        record.row.algorithm != Algorithm::vault_row_subject) {
      continue;
    }
    // Rows under a key that opens no more have no successor: they are sealed anew at their next
    // use, and under a destroyed one not even that.
    if (!catalogue.keys().usable(record.parent, KeyOperation::open)) {
      const KeyRecord* key = catalogue.keys().record(record.parent);
      if (key != nullptr && is_destroyed(key->condition.state)) live.ended_seals.insert(key_id);
      continue;
    }
    const auto it = current.find(family_of(record.row));
    if (it != current.end()) live.current_seal.emplace(key_id, it->second);
  }
}

// Where the rows of a seal key lie: all purposes of a domain's space share them.
std::string space_of(ContextRow row) {
  row.purpose_id = {};
  return family_of(std::move(row));
}

// REQUIRES: find_current_seals(). A key that takes over because an epoch began is the newest of its
// space, so that day tells the uses before from those after; rows_fell_behind() tells of all else.
void find_uses(const Catalogue& catalogue, LiveContexts& live) {
  std::unordered_map<std::string, std::uint32_t> newest;
  for (const auto& [key_id, seal] : live.seals) {
    const auto current = live.current_seal.find(key_id);
    if (current == live.current_seal.end() || current->second != key_id) continue;
    const ContextRow& row = catalogue.context(key_id)->row;
    std::uint32_t& day = newest[space_of(row)];
    day = std::max(day, day_of(epoch_start(row.epoch)));
  }
  for (auto& [key_id, seal] : live.seals) {
    const auto found = newest.find(space_of(catalogue.context(key_id)->row));
    const bool has_current = found != newest.end();
    seal.newest_epoch = has_current ? found->second : 0;
    seal.noted_daily = !has_current || counts_from_use(catalogue, seal.purpose);
  }
}

// Whether rows have another current key, or none any more, and no later day tells it: after a
// rotation, a policy without their purpose or with shorter epochs, a clock that was set back. Their
// next use brings them under a key of today.
bool rows_fell_behind(const LiveContexts& before, const LiveContexts& after) {
  const auto newest = [](const LiveContexts& live, std::uint32_t current) {
    return live.seals.at(current).newest_epoch;
  };
  const bool left =
      std::any_of(before.current_seal.begin(), before.current_seal.end(),
                  [&](const auto& entry) { return !after.current_seal.contains(entry.first); });
  return left ||
         std::any_of(after.current_seal.begin(), after.current_seal.end(), [&](const auto& entry) {
           const auto& [key_id, current] = entry;
           const auto was = before.current_seal.find(key_id);
           if (key_id == current) return false;
           if (was == before.current_seal.end()) return true;
           return was->second != current && newest(before, was->second) >= newest(after, current);
         });
}

BindingPlan unavailable_until(WallTime end) {
  BindingPlan plan;
  plan.valid_until = end;
  return plan;
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
    if (planned) {
      plans.push_back(*planned);
    } else if (planned.error().kind() == ErrorKind::sealed) {
      // A clock may be right again at any time.
      const bool waits = catalogue.clock_is_behind(now);
      plans.push_back(unavailable_until(waits ? now : epoch_end(epoch_at(spec.epoch, now))));
    } else {
      return planned.error();
    }
  }
  return plans;
}

}  // namespace

bool counts_from_use(const Catalogue& catalogue, const Id& purpose) {
  const auto found = catalogue.retentions().find(purpose);
  if (found == catalogue.retentions().end()) return true;
  const RetentionRecord& retention = found->second;
  const auto from_use = [](const RetentionRule& rule) {
    return rule.from != CountsFrom::collection;
  };
  return from_use(retention.rule) || (retention.pending && from_use(*retention.pending));
}

void Vault::State::renew_index() {
  auto next = std::make_shared<LiveContexts>(*live.load());
  ++next->index_generation;
  for (auto it = next->tokens.begin(); it != next->tokens.end();) {
    auto made = live_token(*catalogue, it->first, it->second->scope);
    // One whose key is out of use is asked for again when it is bound.
    if (!made) {
      it = next->tokens.erase(it);
      continue;
    }
    it->second = std::move(*made);
    ++it;
  }
  live.store(std::move(next));
}

void Vault::State::withdraw_keys() {
  // What was known may lie under a key that is gone.
  const KnownTokens::Pause forgotten(tokens->known());
  auto next = std::make_shared<LiveContexts>(*live.load());
  std::erase_if(next->seals, [&](const auto& entry) {
    const ContextRecord* record = catalogue->context(entry.first);
    return record == nullptr || !catalogue->keys().usable(record->parent, KeyOperation::open);
  });
  std::erase_if(next->tokens, [&](const auto& entry) {
    const ContextRow& row = catalogue->context(entry.first)->row;
    const auto key = catalogue->keys().find({.key_class = KeyClass::domain,
                                             .tenant = id_from(row.tenant_id),
                                             .domain = id_from(row.domain_id)});
    return !key || !catalogue->keys().usable(*key, KeyOperation::open);
  });
  // Nothing hangs on an older version of a tenant's key once the batch that left it is over.
  const std::map<Id, Id> left = catalogue->keys().superseded();
  std::erase_if(next->wraps, [&](const auto& entry) {
    return left.contains(entry.first) || !catalogue->keys().usable(entry.first, KeyOperation::open);
  });
  std::erase_if(next->subjects, [&](const auto& entry) {
    return !next->wraps.contains(entry.second->wrap->parent);
  });
  find_current_seals(*catalogue, clock.now(), nullptr, *next);
  find_uses(*catalogue, *next);
  live.store(std::move(next));
  ++changes;
}

void Vault::State::renew_uses() {
  auto next = std::make_shared<LiveContexts>(*live.load());
  find_uses(*catalogue, *next);
  live.store(std::move(next));
}

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
  std::erase_if(live->seals,
                [&](const auto& entry) { return is_over(entry.second.epoch_end, now); });
  std::vector<Binding> bindings;
  bindings.reserve(plans->size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const BindingPlan& planned = (*plans)[i];
    if (planned.key_id == 0) {
      bindings.emplace_back();
      bindings.back().valid_until = planned.valid_until;
      bindings.back().available = false;
      continue;
    }
    auto key = open_key(catalogue, planned.key_id, specs[i].public_key);
    if (!key) return key.error();
    if (specs[i].algorithm == Algorithm::subject_reference) {
      if (auto s = make_live_subject(catalogue, planned.key_id, *live); !s) return s.error();
    }
    if (planned.seal_key_id != 0) {
      if (auto s = make_live(catalogue, planned, specs[i].scope, *live); !s) return s.error();
    }
    bindings.emplace_back();
    bindings.back().key = std::move(*key);
    bindings.back().seal_key_id = planned.seal_key_id;
    bindings.back().valid_until = planned.valid_until;
    if (planned.previous_key_id == 0) continue;
    auto previous = open_key(catalogue, planned.previous_key_id);
    // Destroyed before the overlap was over: then there is nothing to overlap with.
    if (previous) bindings.back().previous.emplace(std::move(*previous));
  }
  const auto bound = catalogue.names().find(NameKind::tenant, kNoId, tenant);
  find_current_seals(catalogue, now, bound ? &*bound : nullptr, *live);
  find_uses(catalogue, *live);
  std::optional<KnownTokens::Pause> forgotten;
  if (rows_fell_behind(*state_->live.load(), *live)) forgotten.emplace(state_->tokens->known());
  state_->live.store(std::move(live));
  return bindings;
}

}  // namespace paravent::crypto::vault
