#include "crypto/vault/engine/upkeep/retention_keeper.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <tuple>
#include <utility>

#include "crypto/vault/engine/vault/vault_state.h"

namespace paravent::crypto::vault {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::hours kJump{24};
// How much running time a crash may cost; it only makes the guard longer.
constexpr std::chrono::hours kStoreEvery{1};
// Pseudonyms of the epoch before may be answered beside the new ones for so long.
constexpr std::chrono::hours kOverlap{25};

milliseconds distance(milliseconds a, milliseconds b) { return a < b ? b - a : a - b; }

}  // namespace

Status RetentionKeeper::store(WallTime now, bool freeze) {
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  // Read here and not before: an operator may have confirmed, a policy load may have frozen.
  KeeperRecord keeper = state.catalogue->keeper();
  keeper.running = running_;
  keeper.seen = now;
  if (freeze) keeper.freeze(Freeze::clock, now);
  state.catalogue->put_keeper(keeper);
  if (auto s = state.catalogue->commit(); !s) return s;
  stored_ = running_;
  return {};
}

Status RetentionKeeper::keep_time(WallTime now, const KeeperRecord& keeper) {
  const MonotonicTime tick = monotonic_.now();
  if (last_tick_) {
    const auto passed = std::chrono::duration_cast<milliseconds>(tick - *last_tick_);
    running_ += passed;
    jumped_ = jumped_ || distance(now - last_wall_, passed) > kJump;
  } else {
    // How long the gateway stood still nobody counted: only backwards is certain to be wrong.
    running_ = stored_ = keeper.running;
    jumped_ = jumped_ || (keeper.seen != WallTime{} && now + kJump < keeper.seen);
  }
  // Also right after a start: the next one has something to compare with, however soon it comes.
  const bool stale = running_ - stored_ >= kStoreEvery || now - keeper.seen >= kStoreEvery;
  last_tick_ = tick;
  last_wall_ = now;
  if (jumped_) {
    if (auto s = journal_.record_freeze(Freeze::clock); !s) return s;
    if (auto s = store(now, true); !s) return s;
    jumped_ = false;
  } else if (stale) {
    return store(now, false);
  }
  return {};
}

RetentionKeeper::Plan RetentionKeeper::plan(WallTime now) const {
  const std::scoped_lock lock(vault_.state_->mutex);
  const Catalogue& catalogue = *vault_.state_->catalogue;
  Plan plan;
  std::optional<KeyIds> key_ids;  // costs a walk over all context rows: only where one is needed
  const auto add = [&](std::vector<KeyInfo>& to, const KeyRecord& key) {
    if (!key_ids) key_ids = key_ids_of(catalogue);
    to.push_back(info_of(catalogue, *key_ids, key, now));
  };
  for (const auto& [id, key] : catalogue.keys().records()) {
    const KeyState state = key.condition.state;
    if (is_destroyed(state) || key.epoch.length == EpochLength::none) continue;
    const auto times = due_of(catalogue, key);
    const bool due = times && times->disable <= now && !held_until(catalogue, key, now);
    const bool guarded = key.guarded_since != milliseconds{};
    if (!due) {
      if (guarded) add(plan.unguard, key);
      // The end of the cryptoperiod (SP 800-57 part 1, 5.3).
      if (state == KeyState::active && epoch_end(key.epoch) + kOverlap <= now) {
        add(plan.deactivate, key);
      }
    } else if (state == KeyState::active || state == KeyState::deactivated) {
      add(plan.disable, key);
    } else if (!guarded) {
      add(plan.guard, key);
    } else if (running_ - key.guarded_since >= kDestructionGuard) {
      add(plan.destroy, key);
    }
  }
  return plan;
}

Status RetentionKeeper::change(const Plan& plan, WallTime now) {
  const auto journal = [&](KeyOperation operation, const std::vector<KeyInfo>& keys) {
    return keys.empty() ? Status() : journal_.record(operation, keys);
  };
  if (auto s = journal(KeyOperation::deactivate, plan.deactivate); !s) return s;
  if (auto s = journal(KeyOperation::disable, plan.disable); !s) return s;
  // Nobody but the keeper disables those of the logs, so nobody else gives them back.
  std::vector<KeyInfo> back;
  std::copy_if(plan.unguard.begin(), plan.unguard.end(), std::back_inserter(back),
               [](const KeyInfo& key) {
                 return key.record.key_class == KeyClass::audit_detail &&
                        key.record.condition.state == KeyState::suspended;
               });
  if (auto s = journal(KeyOperation::enable, back); !s) return s;
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  Catalogue& catalogue = *state.catalogue;
  const milliseconds from = std::max(running_, milliseconds(1));
  // What an operator did to a key meanwhile is found by the next tick.
  for (const KeyInfo& key : plan.deactivate) {
    std::ignore = catalogue.apply(key.record.id, KeyOperation::deactivate, now);
  }
  for (const KeyInfo& key : plan.disable) {
    if (!catalogue.apply(key.record.id, KeyOperation::disable, now)) continue;
    catalogue.note_guard(key.record.id, from);
  }
  for (const KeyInfo& key : plan.guard) catalogue.note_guard(key.record.id, from);
  for (const KeyInfo& key : plan.unguard) catalogue.note_guard(key.record.id, milliseconds{});
  for (const KeyInfo& key : back) {
    std::ignore = catalogue.apply(key.record.id, KeyOperation::enable, now);
  }
  if (!catalogue.staged()) return {};
  if (auto s = catalogue.commit(); !s) return s;
  if (!plan.disable.empty()) state.withdraw_keys();
  return {};
}

Status RetentionKeeper::destroy(std::span<const KeyInfo> keys, WallTime now) {
  if (keys.empty()) return {};
  if (auto s = journal_.record(KeyOperation::destroy, keys); !s) return s;
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  // An operator may have come in between, with a hold or with the same wish.
  if (state.catalogue->keeper().frozen()) return {};
  std::vector<Id> ids;
  for (const KeyInfo& key : keys) {
    const KeyRecord& record = *state.catalogue->keys().record(key.record.id);
    if (record.condition != key.record.condition) continue;
    if (!held_until(*state.catalogue, record, now)) ids.push_back(record.id);
  }
  if (ids.empty()) return {};
  const auto gone = state.catalogue->destroy(ids, state.parts, now);
  state.withdraw_keys();
  if (!gone) return gone.error();
  return {};
}

Status RetentionKeeper::tick() {
  Catalogue& catalogue = *vault_.state_->catalogue;
  KeeperRecord keeper;
  WallTime now;
  {
    const std::scoped_lock lock(vault_.state_->mutex);
    keeper = catalogue.keeper();
    now = vault_.state_->clock.now();
    // It was ahead between two ticks, or at a start that kept nothing: whatever made keys then, or
    // would have made them.
    jumped_ =
        jumped_ || (!keeper.frozen_by(Freeze::clock) && catalogue.clock_is_behind(now + kJump));
  }
  if (auto s = keep_time(now, keeper); !s) return s;
  {
    const std::scoped_lock lock(vault_.state_->mutex);
    if (catalogue.keeper().frozen()) return {};
  }
  const Plan todo = plan(now);
  if (auto s = change(todo, now); !s) return s;
  return destroy(todo.destroy, now);
}

}  // namespace paravent::crypto::vault
