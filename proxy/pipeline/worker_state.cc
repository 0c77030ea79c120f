#include "proxy/pipeline/worker_state.h"

#include <utility>

#include "proxy/pipeline/refusal.h"

namespace paravent::proxy {

crypto::Result<std::shared_ptr<WorkerState>> make_worker_state(
    std::shared_ptr<const Snapshot> snapshot, crypto::vault::TokenVault& vault,
    telemetry::AccessLog* access_log, const WorkerState* previous) {
  auto state = std::make_shared<WorkerState>();
  auto protector = crypto::FieldProtector::create(snapshot->keys(), snapshot->previous_keys);
  if (!protector) return protector.error();
  state->protector = std::move(*protector);
  auto transforms = FieldTransforms::create(*snapshot->plan);
  if (!transforms) return transforms.error();
  state->transforms = std::move(*transforms);
  state->vault = &vault;
  state->access_log = access_log;
  state->random = std::make_unique<crypto::RandomBuffer>();
  std::uint64_t hash_key = 0;
  state->random->fill({reinterpret_cast<std::uint8_t*>(&hash_key), sizeof hash_key});
  state->json_scanner = std::make_unique<body::JsonScanner>(hash_key);
  state->content_decoder = std::make_unique<body::ContentDecoder>();
  if (previous != nullptr && previous->snapshot->plan == snapshot->plan) {
    state->counters = previous->counters;
  } else {
    state->counters = std::make_shared<telemetry::WorkerCounters>(
        snapshot->plan->routes().size(), snapshot->plan->action_count(), kReasonCount);
  }
  state->snapshot = std::move(snapshot);
  return state;
}

}  // namespace paravent::proxy
