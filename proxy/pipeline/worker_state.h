// WorkerState: what one worker needs to carry requests under one snapshot.
//
// Built on the worker's own thread when a snapshot is published; transactions in flight keep theirs until
// they end. Everything in it belongs to that thread, except what the snapshot shares immutably and the
// counters, which others may read.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "crypto/tokens/field_protector.h"
#include "crypto/vault/api/messages.h"
#include "policies/plan/policy_plan.h"
#include "proxy/body/json.h"
#include "proxy/pipeline/limits.h"
#include "proxy/telemetry/access_log.h"
#include "proxy/telemetry/worker_counters.h"

namespace paravent::proxy {

// One generation of everything that a reload or an epoch's end may change. Immutable.
struct Snapshot {
  std::shared_ptr<const policies::PolicyPlan> plan;
  std::vector<crypto::vault::Binding> bindings;  // by slot of the plan
  Limits limits;
  bool keys_available = true;  // false: sealed
};

struct WorkerState {
  std::shared_ptr<const Snapshot> snapshot;
  std::unique_ptr<crypto::FieldProtector> protector;
  crypto::vault::TokenVault* vault = nullptr;  // outlives every worker
  std::shared_ptr<telemetry::WorkerCounters> counters;
  telemetry::AccessLog* access_log = nullptr;  // null: off
  std::unique_ptr<body::JsonScanner> json_scanner;
};

}  // namespace paravent::proxy
