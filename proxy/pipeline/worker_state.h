// WorkerState: what one worker needs to carry requests under one snapshot.
//
// Built on the worker's own thread when a snapshot is published; transactions in flight keep theirs
// until they end. Everything in it belongs to that thread, except what the snapshot shares
// immutably and the counters, which others may read.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/primitives/random.h"
#include "crypto/tokens/field_protector.h"
#include "crypto/vault/api/messages.h"
#include "policies/plan/policy_plan.h"
#include "proxy/body/content_coding.h"
#include "proxy/body/json_scanners.h"
#include "proxy/pipeline/field_transforms.h"
#include "proxy/pipeline/limits.h"
#include "proxy/telemetry/access_log.h"
#include "proxy/telemetry/sealed_list.h"
#include "proxy/telemetry/worker_counters.h"

namespace paravent::proxy {

// One generation of everything that a reload or an epoch's end may change. Immutable once
// published.
struct Snapshot {
  std::shared_ptr<const policies::PolicyPlan> plan;
  std::vector<crypto::ProtectionKey> protection_keys;  // by slot of the plan; empty while sealed
  // By slot: Binding::previous. Empty, or as long as protection_keys.
  std::vector<std::optional<crypto::ProtectionKey>> previous_keys;
  std::vector<std::uint32_t> seal_key_ids;  // by slot: Binding::seal_key_id
  // By route id: some key of the route is disabled, compromised or destroyed with its tenant, so
  // the route is refused as sealed. Empty: none.
  std::vector<bool> routes_without_keys;
  // By slot: of the keys, which themselves stay with the protectors made from them (without_keys).
  std::vector<std::uint32_t> key_ids;
  Limits limits;
  bool keys_available = true;  // false: sealed, and routes that need keys answer 503
  // While sealed: what `when-sealed` routes seal is put on this list, or not let through.
  std::shared_ptr<telemetry::SealedList> sealed_list;

  bool lacks_keys(std::uint32_t route) const {
    return route < routes_without_keys.size() && routes_without_keys[route];
  }
  std::span<const crypto::ProtectionKey> keys() const { return protection_keys; }
  std::uint32_t key_id(std::uint32_t slot) const {
    return protection_keys.empty() ? key_ids[slot] : protection_keys[slot].key_id;
  }
};

// The same without the keys' bytes: what is kept once every worker has made its protector.
std::shared_ptr<const Snapshot> without_keys(const Snapshot& snapshot);

struct WorkerState {
  std::shared_ptr<const Snapshot> snapshot;
  std::unique_ptr<crypto::FieldProtector> protector;
  std::optional<FieldTransforms> transforms;
  crypto::SystemClock clock;
  crypto::vault::TokenVault* vault = nullptr;  // null: sealed
  std::shared_ptr<telemetry::WorkerCounters> counters;
  telemetry::AccessLog* access_log = nullptr;  // null: off
  std::unique_ptr<body::JsonScanners> json_scanners;
  std::unique_ptr<body::ContentDecoder> content_decoder;
  std::unique_ptr<crypto::RandomBuffer> random;  // request ids
  bool forgotten = false;                        // see forget_keys

  FieldTools tools() const { return {*protector, *transforms, clock}; }

  // Sealed: every key of this worker is wiped, also for the transactions that still run under this
  // state; those that have not protected their request yet are refused. On the worker's own thread.
  void forget_keys() noexcept;
  bool has_keys() const noexcept { return !forgotten; }
};

// Builds the state for one worker, on that worker's thread; keeps the snapshot without its keys.
// `previous` hands its counters on while the plan stays the same. Fails when a binding's key cannot
// be used.
crypto::Result<std::shared_ptr<WorkerState>> make_worker_state(
    std::shared_ptr<const Snapshot> snapshot, crypto::vault::TokenVault* vault,
    telemetry::AccessLog* access_log, const WorkerState* previous);

}  // namespace paravent::proxy
