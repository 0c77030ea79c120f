// UpstreamHost and UpstreamGroup: the targets of an upstream as one worker knows them, and the
// choice between them: the least loaded of those that work.
//
// The load is that of this worker: a count that all of them write would cost each request two turns
// of a shared cache line, to tell workers apart that take turns at the same targets anyway. Whether
// a target works is known to all (UpstreamHealth): its circuit breaker, and active checks. Where no
// target is left by the checks, those with a closed circuit are used all the same: a wrong check
// must not stop everything. One thread, but for the statistics and the health.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxy/net/upstream_address.h"
#include "proxy/telemetry/worker_counters.h"

namespace paravent::proxy::net {

class UpstreamConnection;

// Of one target and worker; readable from any thread.
struct UpstreamStatistics {
  std::string target;  // as the policy writes it
  telemetry::Cell requests;
  telemetry::Cell failures;
  telemetry::Cell connects;
  telemetry::Cell retries;
  telemetry::Cell trips;
  telemetry::Cell in_flight;  // current: set, not added
};

class UpstreamHost {
 public:
  explicit UpstreamHost(std::string target) { statistics->target = std::move(target); }

  // An exchange begins here, and ends. begin: whether it is the one that tries an open circuit,
  // which end() is told again. What became of it, and when (Deadlines::steady_ms()), is for the
  // circuit.
  bool begin(std::uint64_t now_ms) noexcept;
  void end(bool tries) noexcept;
  void failed(std::uint64_t now_ms) noexcept;

  UpstreamCircuit& circuit() const noexcept { return address->health->circuit; }
  bool is_up() const noexcept { return address->health->up.load(std::memory_order_relaxed); }
  std::size_t in_flight() const noexcept { return in_flight_; }

  std::shared_ptr<const UpstreamAddress> address;
  std::uint64_t moves = 0;                // how often what is open to it has become of the past
  std::vector<UpstreamConnection*> idle;  // the most recently used last
  const std::shared_ptr<UpstreamStatistics> statistics = std::make_shared<UpstreamStatistics>();

 private:
  std::size_t in_flight_ = 0;
};

// The targets of one upstream of the plan. At most 16.
struct UpstreamGroup {
  std::vector<UpstreamHost*> hosts;
  std::size_t next = 0;  // where the search for the least loaded begins, so that equals share

  // nullptr: none of them may be asked. `tried`: a bit for each that is not to be chosen again.
  // A target with `most` requests under way is not asked either.
  UpstreamHost* choose(std::uint64_t now_ms, std::size_t most, std::uint32_t& tried) noexcept;
  // Whether one of them works and has as many requests as it may have.
  bool is_full(std::size_t most) const noexcept;
};

}  // namespace paravent::proxy::net
