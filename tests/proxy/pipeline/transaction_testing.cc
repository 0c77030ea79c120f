#include "tests/proxy/pipeline/transaction_testing.h"

#include <array>
#include <utility>

namespace paravent::proxy::testing {
namespace {

const std::array<HeaderLine, 1> kLines = {{{"X-App", "1", HeaderName::other}}};

}  // namespace

Exchange::Exchange(const std::string& policy)
    : keys_(crypto::vault::Vault::in_memory(clock_).value()) {
  auto made = make_worker_state(snapshot_of(policy, *keys_), &vault, nullptr, nullptr);
  worker = std::move(made.value());
}

void Exchange::start(const std::string& text, bool pending) {
  request_ = std::make_unique<ReadRequest>(text);
  down.received = pending ? ReceivedBody{} : ReceivedBody{BodyStatus::complete, request_->body()};
  transaction.start(request_->head(), worker);
}

ResponseHead Exchange::response(std::uint16_t status, BodyFraming framing,
                                std::uint64_t length) const {
  ResponseHead head;
  head.status = status;
  head.reason = "Said";
  head.framing = framing;
  head.content_length = length;
  head.headers = kLines;
  return head;
}

std::uint64_t Exchange::requests(telemetry::Outcome outcome, bool routed) const {
  telemetry::WorkerCounters& counters = *worker->counters;
  return counters.requests(routed ? 0 : counters.no_route(), outcome).read();
}

std::uint64_t Exchange::refusals(Reason reason, bool routed) const {
  telemetry::WorkerCounters& counters = *worker->counters;
  return counters.refusals(routed ? 0 : counters.no_route(), static_cast<std::size_t>(reason))
      .read();
}

std::uint64_t Exchange::all_requests() const {
  std::uint64_t sum = 0;
  for (std::size_t route = 0; route < worker->counters->route_count(); ++route) {
    for (std::size_t i = 0; i < telemetry::kOutcomeCount; ++i) {
      sum += worker->counters->requests(route, static_cast<telemetry::Outcome>(i)).read();
    }
  }
  return sum;
}

std::uint64_t Exchange::fields(const std::string& name) const {
  for (const auto* action : worker->snapshot->plan->actions()) {
    if (action->name == name) return worker->counters->fields(action->id).read();
  }
  return ~0ULL;
}

}  // namespace paravent::proxy::testing
