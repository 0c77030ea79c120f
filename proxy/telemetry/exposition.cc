#include "proxy/telemetry/exposition.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <limits>
#include <map>

namespace paravent::proxy::telemetry {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily family(std::string name, std::string help, MetricType type) {
  MetricFamily made;
  made.name = std::move(name);
  made.help = std::move(help);
  made.type = type;
  return made;
}

void add(MetricFamily& to, std::vector<ClientMetric::Label> labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = value;
  metric.gauge.value = value;
  to.metric.push_back(std::move(metric));
}

template <typename Read>
double sum(const CounterView& view, Read&& read) {
  std::uint64_t total = 0;
  for (const auto& worker : view.workers) total += read(*worker);
  return static_cast<double>(total);
}

std::string route_name(const CounterView& view, std::size_t route) {
  const auto& routes = view.plan->routes();
  return route < routes.size() ? routes[route]->name : "none";
}

MetricFamily requests(const CounterView& view) {
  auto made =
      family("paravent_requests_total", "Requests by route and outcome.", MetricType::Counter);
  const std::size_t routes = view.plan->routes().size() + 1;
  for (std::size_t route = 0; route < routes; ++route) {
    for (std::size_t i = 0; i < kOutcomeCount; ++i) {
      const double n = sum(view, [&](WorkerCounters& worker) {
        return worker.requests(route, static_cast<Outcome>(i)).read();
      });
      if (n == 0 && route == routes - 1) continue;
      add(made,
          {{"route", route_name(view, route)},
           {"outcome", std::string(outcome_name(static_cast<Outcome>(i)))}},
          n);
    }
  }
  return made;
}

MetricFamily refusals(const CounterView& view, const std::vector<std::string_view>& labels) {
  auto made =
      family("paravent_refusals_total", "Refusals by route and reason.", MetricType::Counter);
  for (std::size_t route = 0; route <= view.plan->routes().size(); ++route) {
    for (std::size_t reason = 0; reason < labels.size(); ++reason) {
      const double n =
          sum(view, [&](WorkerCounters& worker) { return worker.refusals(route, reason).read(); });
      if (n == 0) continue;  // 25 reasons by every route would bury the page in zeros
      add(made, {{"route", route_name(view, route)}, {"reason", std::string(labels[reason])}}, n);
    }
  }
  return made;
}

MetricFamily fields(const CounterView& view, const std::string& name, const std::string& help,
                    Cell& (WorkerCounters::*cell)(std::size_t) noexcept) {
  auto made = family(name, help, MetricType::Counter);
  const auto& actions = view.plan->actions();
  for (std::size_t id = 0; id < actions.size(); ++id) {
    const double n = sum(view, [&](WorkerCounters& worker) { return (worker.*cell)(id).read(); });
    add(made,
        {{"route", route_name(view, view.plan->action_routes()[id])},
         {"field", actions[id]->name + (actions[id]->is_otherwise ? " (else)" : "")},
         {"action", std::string(policies::action_name(actions[id]->action))}},
        n);
  }
  return made;
}

MetricFamily histogram(const CounterView& view, const std::string& name, const std::string& help,
                       Histogram WorkerCounters::*member) {
  auto made = family(name, help, MetricType::Histogram);
  ClientMetric metric;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i <= kLatencyBoundsUs.size(); ++i) {
    cumulative += static_cast<std::uint64_t>(
        sum(view, [&](WorkerCounters& worker) { return (worker.*member).buckets[i].read(); }));
    ClientMetric::Bucket bucket;
    bucket.cumulative_count = cumulative;
    bucket.upper_bound = i < kLatencyBoundsUs.size() ? kLatencyBoundsUs[i] / 1e6
                                                     : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back(bucket);
  }
  metric.histogram.sample_count = cumulative;
  metric.histogram.sample_sum =
      sum(view, [&](WorkerCounters& worker) { return (worker.*member).sum_us.read(); }) / 1e6;
  made.metric.push_back(std::move(metric));
  return made;
}

MetricFamily single(const CounterView& view, const std::string& name, const std::string& help,
                    MetricType type, Cell WorkerCounters::*member) {
  auto made = family(name, help, type);
  add(made, {}, sum(view, [&](WorkerCounters& worker) { return (worker.*member).read(); }));
  return made;
}

}  // namespace

std::string exposition(const CounterView& view, const std::vector<std::string_view>& reason_labels,
                       const std::vector<Gauge>& others) {
  std::vector<MetricFamily> families;
  if (view.plan) {
    families.push_back(requests(view));
    families.push_back(refusals(view, reason_labels));
    families.push_back(fields(view, "paravent_fields_total", "Fields an action was applied to.",
                              &WorkerCounters::fields));
    families.push_back(fields(view, "paravent_raw_fields_total",
                              "Fields protected as trimmed bytes because they did not normalise.",
                              &WorkerCounters::raw_fields));
    families.push_back(histogram(view, "paravent_request_duration_seconds",
                                 "From the head of a request to the end of its answer.",
                                 &WorkerCounters::request_duration));
    families.push_back(histogram(view, "paravent_added_latency_seconds",
                                 "The same less the time the upstream took.",
                                 &WorkerCounters::added_latency));
    families.push_back(single(view, "paravent_connections_accepted_total",
                              "Client connections accepted.", MetricType::Counter,
                              &WorkerCounters::connections_accepted));
    families.push_back(single(view, "paravent_tls_handshakes_total",
                              "TLS handshakes with clients, resumptions included.",
                              MetricType::Counter, &WorkerCounters::tls_handshakes));
    families.push_back(single(view, "paravent_tls_resumptions_total",
                              "TLS handshakes that resumed a session.", MetricType::Counter,
                              &WorkerCounters::tls_resumptions));
    families.push_back(single(view, "paravent_tls_failures_total",
                              "TLS handshakes that a fault ended.", MetricType::Counter,
                              &WorkerCounters::tls_failures));
    families.push_back(single(view, "paravent_upstream_connects_total",
                              "Connections opened to upstreams.", MetricType::Counter,
                              &WorkerCounters::upstream_connects));
    families.push_back(single(view, "paravent_upstream_failures_total",
                              "Exchanges that an upstream failed.", MetricType::Counter,
                              &WorkerCounters::upstream_failures));
  }
  std::map<std::string, std::size_t> by_name;
  for (const Gauge& gauge : others) {
    const auto [at, is_new] = by_name.try_emplace(gauge.name, families.size());
    if (is_new) {
      families.push_back(family(gauge.name, gauge.help,
                                gauge.is_counter ? MetricType::Counter : MetricType::Gauge));
    }
    std::vector<ClientMetric::Label> labels;
    for (const auto& [name, value] : gauge.labels) labels.push_back({name, value});
    add(families[at->second], std::move(labels), gauge.value);
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace paravent::proxy::telemetry
