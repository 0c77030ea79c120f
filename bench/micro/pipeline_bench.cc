// The phases of one protected form transaction over memory doubles (bench/support/form_exchange.h):
// the part of T2's 3.3 us that is neither sockets nor the parser (http1_bench has that).

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>
#include <variant>

#include "bench/support/form_exchange.h"
#include "proxy/pipeline/match_host.h"
#include "proxy/pipeline/request_protector.h"

namespace {

using namespace paravent::proxy;
using paravent::bench::Application;
using paravent::bench::Client;
using paravent::bench::kBody;
using paravent::bench::Setting;

void pipeline_transaction(benchmark::State& state) {
  Setting setting;
  Client client;
  Application application;
  Transaction transaction(client, application);
  const paravent::bench::Answer answer;
  for (auto _ : state) {
    transaction.start(setting.parser.head(), setting.worker);
    if (transaction.phase() != Phase::forward) std::abort();
    application.handler->on_response(answer.head, "ok", true);
  }
  if (client.exchanges != static_cast<std::size_t>(state.iterations())) std::abort();
}
BENCHMARK(pipeline_transaction);

void pipeline_select_and_admit(benchmark::State& state) {
  Setting setting;
  const RequestHead& head = setting.parser.head();
  std::string host;
  for (auto _ : state) {
    const auto match = setting.worker->snapshot->plan->route_for(
        head.method_text, match_host(head.host, host), head.path);
    benchmark::DoNotOptimize(
        admit(*setting.worker->snapshot->plan, match, head, setting.worker->snapshot->limits));
  }
}
BENCHMARK(pipeline_select_and_admit);

void pipeline_scan(benchmark::State& state) {
  Setting setting;
  for (auto _ : state) setting.scan();
}
BENCHMARK(pipeline_scan);

// With the scan, whose jobs it uses up: subtract the line above.
void pipeline_scan_and_protect(benchmark::State& state) {
  Setting setting;
  for (auto _ : state) {
    setting.scan();
    RequestProtector protector(*setting.match.route, setting.parser.head(), {"192.0.2.7", false},
                               false, setting.buffers);
    const auto made = protector.protect(setting.plan, kBody, setting.worker->tools(), nullptr);
    if (!std::holds_alternative<ProtectedRequest>(made)) std::abort();
    benchmark::DoNotOptimize(std::get<ProtectedRequest>(made).body().size());
  }
}
BENCHMARK(pipeline_scan_and_protect);

}  // namespace
