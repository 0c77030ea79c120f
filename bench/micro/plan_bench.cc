// Look-ups of the compiled plan: what the data path pays per request and per field.

#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "policies/model/preset.h"
#include "policies/plan/compiler.h"

namespace {

using namespace std::string_view_literals;
using paravent::policies::Carrier;
using paravent::policies::PathStep;
using paravent::policies::Policy;
using paravent::policies::PolicyPlan;

std::shared_ptr<const PolicyPlan> plan_of(std::string_view preset) {
  const auto loaded = paravent::policies::load_preset(preset, {});
  if (!loaded) std::abort();
  const auto plan = paravent::policies::compile(std::span<const Policy>(&loaded->policy, 1));
  if (!plan) std::abort();
  return *plan;
}

// 36 literal names and two patterns, as the contact form's preset has them.
void plan_find_form(benchmark::State& state, std::string_view name) {
  const auto plan = plan_of("contact-form");
  const auto& route = *plan->route_for("POST", "www.example.org", "/contact").route;
  for (auto _ : state) {
    benchmark::DoNotOptimize(name);
    benchmark::DoNotOptimize(route.find(Carrier::form, name));
  }
}
BENCHMARK_CAPTURE(plan_find_form, listed, "email"sv);
BENCHMARK_CAPTURE(plan_find_form, pattern, "csrf_token"sv);
BENCHMARK_CAPTURE(plan_find_form, unlisted, "date_of_birth"sv);

void plan_find_header(benchmark::State& state) {
  const auto plan = plan_of("contact-form");
  const auto& route = *plan->route_for("POST", "www.example.org", "/contact").route;
  std::string_view name = "User-Agent";
  for (auto _ : state) {
    benchmark::DoNotOptimize(name);
    benchmark::DoNotOptimize(route.find(Carrier::header, name));
  }
}
BENCHMARK(plan_find_header);

void plan_find_json(benchmark::State& state) {
  const auto plan = plan_of("contact-form");
  const auto& route = *plan->route_for("POST", "www.example.org", "/contact").route;
  const std::array<PathStep, 1> path = {PathStep{"email", 0, false}};
  for (auto _ : state) benchmark::DoNotOptimize(route.find_json(path));
}
BENCHMARK(plan_find_json);

void plan_route_for(benchmark::State& state, std::string_view method, std::string_view path) {
  const auto plan = plan_of("analytics-ip");
  for (auto _ : state) {
    benchmark::DoNotOptimize(path);
    benchmark::DoNotOptimize(plan->route_for(method, "www.example.org", path));
  }
}
BENCHMARK_CAPTURE(plan_route_for, exact, "POST"sv, "/matomo.php"sv);
BENCHMARK_CAPTURE(plan_route_for, pattern, "GET"sv, "/js/script.hash.js"sv);
BENCHMARK_CAPTURE(plan_route_for, none, "GET"sv, "/favicon.ico"sv);

}  // namespace
