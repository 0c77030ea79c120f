// /metrics: names and labels of CONTRACTS, workers summed, histograms cumulative; labels only from
// policies.

#include "proxy/telemetry/exposition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "policies/model/load_policy.h"
#include "policies/plan/compiler.h"
#include "tests/policies/policy_text.h"

namespace paravent::proxy::telemetry {
namespace {

using policies::testing::policy_of;
using policies::testing::route_of;

const std::string kPolicy =
    policy_of(route_of("contact-form", "{ method: POST, path: /contact }", R"(
    fields:
      form.email: { kind: email, do: tokenise }
      form.note: { do: keep }
)"));

CounterView view_of_two_workers() {
  const auto loaded = policies::load_policy_text("test.yaml", kPolicy);
  CounterView view;
  view.plan = policies::compile({&loaded.policy, 1}).value();
  for (int i = 0; i < 2; ++i) {
    view.workers.push_back(
        std::make_shared<WorkerCounters>(view.plan->routes().size(), view.plan->action_count(), 3));
  }
  return view;
}

const std::vector<std::string_view> kReasons = {"framing", "malformed-body", "no-route"};

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(Exposition, SumsWorkersUnderTheContractsNames) {
  const CounterView view = view_of_two_workers();
  view.workers[0]->requests(0, Outcome::forwarded).add(3);
  view.workers[1]->requests(0, Outcome::forwarded).add(4);
  view.workers[1]->requests(view.workers[1]->no_route(), Outcome::refused).add();
  view.workers[0]->refusals(0, 1).add(2);
  view.workers[0]->refusals(view.workers[0]->no_route(), 2).add();
  view.workers[0]->fields(0).add(5);
  view.workers[1]->raw_fields(0).add();
  view.workers[0]->upstream_connects.add(6);
  const std::string text = exposition(view, kReasons, {});
  for (
      const char* line : {
          R"(paravent_requests_total{route="contact-form",outcome="forwarded"} 7)",
          R"(paravent_requests_total{route="contact-form",outcome="aborted"} 0)",
          R"(paravent_requests_total{route="none",outcome="refused"} 1)",
          R"(paravent_refusals_total{route="contact-form",reason="malformed-body"} 2)",
          R"(paravent_refusals_total{route="none",reason="no-route"} 1)",
          R"(paravent_fields_total{route="contact-form",field="form.email",action="tokenise"} 5)",
          R"(paravent_fields_total{route="contact-form",field="unlisted",action="refuse"} 0)",
          R"(paravent_raw_fields_total{route="contact-form",field="form.email",action="tokenise"} 1)",
          "paravent_upstream_connects_total 6",
          "# TYPE paravent_requests_total counter",
          "# TYPE paravent_request_duration_seconds histogram",
      }) {
    EXPECT_TRUE(has_line(text, line)) << line << "\n" << text;
  }
  EXPECT_EQ(text.find("reason=\"framing\""), std::string::npos) << "zeros of 25 reasons";
}

TEST(Exposition, HistogramsAreCumulative) {
  const CounterView view = view_of_two_workers();
  view.workers[0]->request_duration.observe(25);  // the bound itself belongs to its bucket
  view.workers[0]->request_duration.observe(26);
  view.workers[1]->request_duration.observe(10'000'001);
  view.workers[1]->added_latency.observe(0);
  const std::string text = exposition(view, kReasons, {});
  std::istringstream lines(text);
  std::vector<std::uint64_t> buckets;
  std::string infinite;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("paravent_request_duration_seconds_bucket")) continue;
    buckets.push_back(std::stoull(line.substr(line.rfind(' ') + 1)));
    infinite = line;
  }
  ASSERT_EQ(buckets.size(), kLatencyBoundsUs.size() + 1);
  EXPECT_EQ(buckets[0], 1U);
  EXPECT_EQ(buckets[1], 2U);
  EXPECT_EQ(buckets[buckets.size() - 2], 2U);
  EXPECT_EQ(buckets.back(), 3U);
  EXPECT_TRUE(std::is_sorted(buckets.begin(), buckets.end()));
  EXPECT_NE(infinite.find("le=\"+Inf\""), std::string::npos);
  EXPECT_TRUE(has_line(text, "paravent_request_duration_seconds_count 3"));
  EXPECT_TRUE(has_line(text, "paravent_added_latency_seconds_count 1"));
  const std::string sum = "\nparavent_request_duration_seconds_sum ";
  ASSERT_NE(text.find(sum), std::string::npos);
  EXPECT_NEAR(std::stod(text.substr(text.find(sum) + sum.size())), 10.000052, 1e-9);
}

TEST(Exposition, OthersShareAFamilyByName) {
  const std::vector<Gauge> others = {
      {"paravent_build_info", "Version.", {{"version", "1.\"0\\\n"}}, 1, false},
      {"paravent_audit_entries", "Entries.", {{"log", "a"}}, 5, false},
      {"paravent_audit_entries", "Entries.", {{"log", "b"}}, 6, false},
      {"paravent_store_commits_total", "Writes.", {}, 7, true}};
  const std::string text = exposition({}, kReasons, others);
  EXPECT_TRUE(has_line(text, R"(paravent_build_info{version="1.\"0\\\n"} 1)")) << text;
  EXPECT_TRUE(has_line(text, R"(paravent_audit_entries{log="b"} 6)"));
  EXPECT_TRUE(has_line(text, "# TYPE paravent_store_commits_total counter"));
  EXPECT_EQ(text.find("# TYPE paravent_audit_entries"),
            text.rfind("# TYPE paravent_audit_entries"));
  EXPECT_EQ(text.find("paravent_requests_total"), std::string::npos);
}

}  // namespace
}  // namespace paravent::proxy::telemetry
