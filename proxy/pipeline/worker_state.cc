#include "proxy/pipeline/worker_state.h"

#include <cstdlib>
#include <utility>

#include "proxy/pipeline/refusal.h"

namespace paravent::proxy {

std::shared_ptr<const Snapshot> without_keys(const Snapshot& snapshot) {
  auto kept = std::make_shared<Snapshot>();
  kept->plan = snapshot.plan;
  kept->seal_key_ids = snapshot.seal_key_ids;
  kept->key_ids = snapshot.key_ids;
  if (!snapshot.protection_keys.empty()) {
    kept->key_ids.clear();
    for (const auto& key : snapshot.protection_keys) kept->key_ids.push_back(key.key_id);
  }
  kept->routes_without_keys = snapshot.routes_without_keys;
  kept->limits = snapshot.limits;
  kept->sealed_list = snapshot.sealed_list;
  kept->keys_available = snapshot.keys_available;
  return kept;
}

void WorkerState::forget_keys() noexcept {
  // One without a key, for the routes that need none.
  auto empty = crypto::FieldProtector::create({}, {});
  if (!empty) std::abort();  // out of memory, and there is no safe way to go on with the keys
  protector = std::move(*empty);
  vault = nullptr;
  forgotten = true;
}

crypto::Result<std::shared_ptr<WorkerState>> make_worker_state(
    std::shared_ptr<const Snapshot> snapshot, crypto::vault::TokenVault* vault,
    telemetry::AccessLog* access_log, const WorkerState* previous) {
  auto state = std::make_shared<WorkerState>();
  auto protector = crypto::FieldProtector::create(snapshot->keys(), snapshot->previous_keys);
  if (!protector) return protector.error();
  state->protector = std::move(*protector);
  auto transforms = FieldTransforms::create(*snapshot->plan);
  if (!transforms) return transforms.error();
  state->transforms = std::move(*transforms);
  state->vault = vault;
  state->access_log = access_log;
  state->random = std::make_unique<crypto::RandomBuffer>();
  std::uint64_t hash_key = 0;
  state->random->fill({reinterpret_cast<std::uint8_t*>(&hash_key), sizeof hash_key});
  state->json_scanners = std::make_unique<body::JsonScanners>(hash_key);
  state->content_decoder = std::make_unique<body::ContentDecoder>();
  if (previous != nullptr && previous->snapshot->plan == snapshot->plan) {
    state->counters = previous->counters;
  } else {
    state->counters = std::make_shared<telemetry::WorkerCounters>(
        snapshot->plan->routes().size(), snapshot->plan->action_count(), kReasonCount);
  }
  state->snapshot = without_keys(*snapshot);
  return state;
}

}  // namespace paravent::proxy
