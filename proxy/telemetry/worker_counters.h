// WorkerCounters: one worker's counters, written by that worker alone and read by whoever scrapes.
//
// Each cell has one writer, so counting is a plain load and store (relaxed), no read-modify-write
// and no line that two workers write. Labels come from the plan (route and rule names) and from
// closed sets, never from a client. Sized once for a plan.

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace paravent::proxy::telemetry {

enum class Outcome : std::uint8_t { forwarded, passed, refused, failed, aborted };
inline constexpr std::size_t kOutcomeCount = 5;

constexpr std::string_view outcome_name(Outcome outcome) noexcept {
  constexpr std::array<std::string_view, kOutcomeCount> kNames = {"forwarded", "passed", "refused",
                                                                  "failed", "aborted"};
  return kNames[static_cast<std::size_t>(outcome)];
}

// Upper bounds in microseconds of the latency histograms; the last bucket is unbounded.
inline constexpr std::array<std::uint32_t, 14> kLatencyBoundsUs = {
    25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 100000, 500000, 2500000, 10000000};

class Cell {
 public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t read() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct Histogram {
  std::array<Cell, kLatencyBoundsUs.size() + 1> buckets;
  Cell sum_us;

  void observe(std::uint64_t us) noexcept {
    std::size_t i = 0;
    while (i < kLatencyBoundsUs.size() && us > kLatencyBoundsUs[i]) ++i;
    buckets[i].add();
    sum_us.add(us);
  }
};

class WorkerCounters {
 public:
  // `routes`, `actions`, `reasons`: one past the largest id of each.
  WorkerCounters(std::size_t routes, std::size_t actions, std::size_t reasons)
      : routes_(routes + 1),
        actions_(actions),
        reasons_(reasons),
        requests_(std::make_unique<Cell[]>(routes_ * kOutcomeCount)),
        refusals_(std::make_unique<Cell[]>(routes_ * reasons)),
        fields_(std::make_unique<Cell[]>(actions)),
        raw_fields_(std::make_unique<Cell[]>(actions)) {}

  // Route ids count from 0; no_route() stands for requests that no route took.
  std::size_t no_route() const noexcept { return routes_ - 1; }
  std::size_t route_count() const noexcept { return routes_; }
  std::size_t action_count() const noexcept { return actions_; }
  std::size_t reason_count() const noexcept { return reasons_; }

  Cell& requests(std::size_t route, Outcome outcome) noexcept {
    return requests_[route * kOutcomeCount + static_cast<std::size_t>(outcome)];
  }
  Cell& refusals(std::size_t route, std::size_t reason) noexcept {
    return refusals_[route * reasons_ + reason];
  }
  // Fields an action was applied to; and how often protect-raw stood in for a failed normalisation.
  Cell& fields(std::size_t action) noexcept { return fields_[action]; }
  Cell& raw_fields(std::size_t action) noexcept { return raw_fields_[action]; }

  Histogram request_duration;
  Histogram added_latency;
  Cell connections_accepted;
  Cell connections_open;  // current: set, not added
  Cell tls_handshakes;    // completed, resumptions included
  Cell tls_resumptions;
  Cell tls_failures;  // begun and not completed, for a fault
  Cell upstream_connects;
  Cell upstream_failures;

 private:
  std::size_t routes_;
  std::size_t actions_;
  std::size_t reasons_;
  std::unique_ptr<Cell[]> requests_;
  std::unique_ptr<Cell[]> refusals_;
  std::unique_ptr<Cell[]> fields_;
  std::unique_ptr<Cell[]> raw_fields_;
};

}  // namespace paravent::proxy::telemetry
