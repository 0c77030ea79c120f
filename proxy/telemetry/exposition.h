// What /metrics shows: the workers' counters summed, in the Prometheus text format.
//
// Reads cells that workers go on writing (relaxed); a scrape is a close look, not a stop of the
// clock. Label values come from the plan and from closed sets. Thread safe: everything it holds is
// immutable or atomic.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policies/plan/policy_plan.h"
#include "proxy/telemetry/worker_counters.h"

namespace paravent::proxy::telemetry {

// What one scrape looks at: the plan that the counters' indexes mean, and each worker's counters.
struct CounterView {
  std::shared_ptr<const policies::PolicyPlan> plan;
  std::vector<std::shared_ptr<WorkerCounters>> workers;
};

// A single number that some part of the house keeps: vault queue, audit size, build information.
struct Gauge {
  std::string name;
  std::string help;
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
  bool is_counter = false;
};

// `reason_labels` in the order of the refusal reasons' numbers.
std::string exposition(const CounterView& view, const std::vector<std::string_view>& reason_labels,
                       const std::vector<Gauge>& others);

}  // namespace paravent::proxy::telemetry
