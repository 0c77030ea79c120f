// UpstreamHost and UpstreamGroup: the targets of an upstream as one worker knows them, and the
// choice between them: the least loaded of those that work.
//
// A circuit breaker per target and worker: kTrip failures in a row open it; while it is open, no
// request goes there. When its time is over, one request tries; it closes the circuit or opens it
// for twice as long. Active checks (UpstreamHealth) take a target out besides. Where no target is
// left by the checks, those with a closed circuit are used all the same: a wrong check must not
// stop everything. One thread, but for the statistics.

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
  telemetry::Cell open;       // 1 while the circuit is open
};

class UpstreamHost {
 public:
  static constexpr unsigned kTrip = 5;
  static constexpr std::uint64_t kFirstPauseMs = 1'000;
  static constexpr std::uint64_t kLongestPauseMs = 30'000;

  explicit UpstreamHost(std::string target) { statistics->target = std::move(target); }

  // An exchange begins here, and ends; `now_ms` as of Deadlines. begin: whether it is the one that
  // tries an open circuit, which end() is told again.
  bool begin() noexcept;
  void end(bool tries) noexcept;
  // What became of it: the head of an answer, which closes an open circuit, and then the whole of
  // it; or a failure. None where the client went away.
  void answered() noexcept;
  void completed() noexcept { failures_ = 0; }
  void failed(std::uint64_t now_ms) noexcept;

  bool is_open() const noexcept { return open_until_ms_ > 0; }
  // Open, and its time is over, and nobody tries yet.
  bool may_try(std::uint64_t now_ms) const noexcept {
    return is_open() && now_ms >= open_until_ms_ && !trying_;
  }
  bool is_up() const noexcept { return address->health->up.load(std::memory_order_relaxed); }
  std::size_t in_flight() const noexcept { return in_flight_; }

  std::shared_ptr<const UpstreamAddress> address;
  std::uint64_t moves = 0;                // how often what is open to it has become of the past
  std::vector<UpstreamConnection*> idle;  // the most recently used last
  const std::shared_ptr<UpstreamStatistics> statistics = std::make_shared<UpstreamStatistics>();

 private:
  std::size_t in_flight_ = 0;
  bool trying_ = false;
  unsigned failures_ = 0;  // in a row, without one whole answer
  std::uint64_t open_until_ms_ = 0;
  std::uint64_t pause_ms_ = kFirstPauseMs;
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
