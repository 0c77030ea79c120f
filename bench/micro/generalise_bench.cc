// Micro-benchmarks of the generalisations: one value per iteration into a buffer that is kept.

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "proxy/pipeline/generalise/bins.h"
#include "proxy/pipeline/generalise/dates.h"
#include "proxy/pipeline/generalise/department.h"
#include "proxy/pipeline/generalise/gps_grid.h"
#include "proxy/pipeline/generalise/language.h"
#include "proxy/pipeline/generalise/truncate_address.h"
#include "proxy/pipeline/generalise/url_rule.h"
#include "proxy/pipeline/generalise/user_agent.h"

namespace paravent::proxy {
namespace {

constexpr std::string_view kChrome =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.6478.61 Safari/537.36 Edg/126.0.2592.56";

template <typename Append>
void run(benchmark::State& state, std::string_view value, Append append) {
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(value);
    if (!append(value, out)) std::abort();
    benchmark::DoNotOptimize(out.data());
  }
}

void browser_family(benchmark::State& state) {
  run(state, kChrome, [](std::string_view text, std::string& out) {
    append_browser_family(text, out);
    return crypto::Status{};
  });
}
BENCHMARK(browser_family);

void truncate_ipv4(benchmark::State& state) {
  run(state, "203.0.113.255",
      [](std::string_view text, std::string& out) { return truncate_address(text, 16, 48, out); });
}
BENCHMARK(truncate_ipv4);

void truncate_ipv6(benchmark::State& state) {
  run(state, "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff",
      [](std::string_view text, std::string& out) { return truncate_address(text, 16, 48, out); });
}
BENCHMARK(truncate_ipv6);

void floor_of_date_time(benchmark::State& state) {
  const auto zone = TimeZone::create("Europe/Paris").value();
  run(state, "2026-11-21T22:30:15.250Z", [&](std::string_view text, std::string& out) {
    return floor_date(text, DateUnit::month, zone, out);
  });
}
BENCHMARK(floor_of_date_time);

void age_in_band(benchmark::State& state) {
  const auto zone = TimeZone::create("Europe/Paris").value();
  const auto today = zone.day_at(crypto::SystemClock().now());
  run(state, "1986-11-21", [&](std::string_view text, std::string& out) {
    return age_band(text, zone, today, {}, out);
  });
}
BENCHMARK(age_in_band);

void grid(benchmark::State& state) {
  const auto grid = GpsGrid::create("0.01", GpsGrid::Axis::both).value();
  run(state, "48.858370,2.294481",
      [&](std::string_view text, std::string& out) { return grid.append(text, out); });
}
BENCHMARK(grid);

void bins(benchmark::State& state) {
  const auto bins = Bins::by_step("100").value();
  run(state, "1249.90",
      [&](std::string_view text, std::string& out) { return bins.append(text, out); });
}
BENCHMARK(bins);

void department(benchmark::State& state) { run(state, "75 011", department_of); }
BENCHMARK(department);

void language(benchmark::State& state) {
  run(state, "fr-FR,fr;q=0.9,en-US;q=0.8,en;q=0.7", main_language);
}
BENCHMARK(language);

void url(benchmark::State& state) {
  const std::string keep[] = {"utm_source", "utm_medium"};
  const std::string templates[] = {"/user/*/orders", "/order/*"};
  const auto rule = UrlRule::create(keep, templates).value();
  run(state, "https://shop.example/order/4711?email=jane%40example.org&utm_source=newsletter#top",
      [&](std::string_view text, std::string& out) { return rule.append(text, out); });
}
BENCHMARK(url);

// Once per plan, not per value.
void time_zone(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(TimeZone::create("Europe/Paris"));
}
BENCHMARK(time_zone)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace paravent::proxy
