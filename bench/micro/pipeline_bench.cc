// One protected form transaction over memory doubles, and its phases: the part of T2's 3.3 us that
// is neither sockets nor the parser (http1_bench has that). Three derived tokens, one pseudonym,
// one encrypted text.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "policies/model/load_policy.h"
#include "policies/plan/compiler.h"
#include "proxy/net/http1/request_parser.h"
#include "proxy/pipeline/admission.h"
#include "proxy/pipeline/match_host.h"
#include "proxy/pipeline/request_protector.h"
#include "proxy/pipeline/request_scanner.h"
#include "proxy/pipeline/transaction.h"
#include "proxy/pipeline/worker_state.h"

namespace {

namespace crypto = paravent::crypto;
namespace policies = paravent::policies;
using namespace paravent::proxy;

constexpr std::string_view kPolicy = R"(policy: 1
tenant: bench
recipients: { crm: { name: CRM, country: FR } }
purposes: { contact: { basis: contract, retention: { active: P3Y } } }
routes:
  - name: contact-form
    match: { method: POST, path: /contact }
    upstream: http://127.0.0.1:9000
    recipient: crm
    purpose: contact
    client-address: truncate
    fields:
      form.email: { kind: email, do: tokenise, mode: derived }
      form.phone: { kind: phone, do: tokenise, mode: derived }
      form.name: { kind: name, do: tokenise, mode: derived }
      form.city: { kind: name, do: pseudonymise }
      form.message: { kind: text, do: encrypt }
      form.submit: { do: keep }
      header.User-Agent: { do: generalise, to: browser-family }
)";

constexpr std::string_view kBody =
    "name=Jane+Doe&email=jane.doe%40example.org&phone=%2B33612345678&city=Lyon&message=Hello%2C+I+"
    "would+"
    "like+to+know+when+the+next+course+begins%2C+and+whether+there+are+places+left.&submit=Send";

std::string request_text() {
  std::string text =
      "POST /contact HTTP/1.1\r\nHost: www.example.org\r\n"
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
      "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
      "Accept-Language: fr,en;q=0.5\r\nReferer: https://www.example.org/contact\r\n"
      "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ";
  return text + std::to_string(kBody.size()) + "\r\n\r\n";
}

std::shared_ptr<const Snapshot> make_snapshot() {
  const auto loaded = policies::load_policy_text("bench.yaml", kPolicy);
  const auto plan = policies::compile({&loaded.policy, 1});
  if (!loaded.ok() || !plan) std::abort();
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->plan = *plan;
  for (const auto& spec : (*plan)->context_specs()) {
    crypto::ProtectionKey key;
    key.key_id = static_cast<std::uint32_t>(snapshot->protection_keys.size() + 1);
    key.algorithm = spec.algorithm;
    key.ctx = "bench context";
    crypto::SecretBytes bytes(spec.algorithm == crypto::Algorithm::derived ? 64 : 32);
    crypto::random_bytes(bytes.mutable_bytes());
    key.nonce_key = crypto::SecretBytes::copy_of(bytes.bytes().first(32));
    key.key = std::move(bytes);
    snapshot->protection_keys.push_back(std::move(key));
    snapshot->seal_key_ids.push_back(0);
  }
  return snapshot;
}

class NoVault final : public crypto::vault::TokenVault {
 public:
  void resolve(std::shared_ptr<crypto::vault::ResolveBatch>) override { std::abort(); }
};

class Client final : public Downstream {
 public:
  ReceivedBody receive_body(std::size_t) override { return {BodyStatus::complete, kBody}; }
  SendStatus send(std::string_view head, std::string_view body, bool) override {
    benchmark::DoNotOptimize(bytes += head.size() + body.size());
    return SendStatus::done;
  }
  void finished(bool) override { ++exchanges; }
  std::function<void()> resume_from_other_thread() override { return {}; }
  void set_deadline(std::uint32_t) override {}
  std::string_view peer_address() const override { return "192.0.2.7"; }
  bool peer_is_trusted() const override { return false; }
  bool has_client_certificate() const override { return false; }
  bool tls() const override { return false; }

  std::size_t bytes = 0;
  benchmark::IterationCount exchanges = 0;
};

class Application final : public Upstream, public UpstreamExchange {
 public:
  UpstreamExchange* exchange(ProtectedRequest request, UpstreamHandler& to) override {
    // What a gathered write would touch.
    benchmark::DoNotOptimize(bytes += request.head().size() + request.body().size());
    handler = &to;
    return this;
  }
  void resume() override {}
  void cancel() override {}

  UpstreamHandler* handler = nullptr;
  std::size_t bytes = 0;
};

class NoCounter final : public RawCounter {
 public:
  void on_raw(std::uint32_t) override {}
};

// Everything that stands still while requests come and go.
struct Setting {
  Setting() : text(request_text()), lines(100) {
    parser.begin(lines, 16 * 1024, 8 * 1024);
    if (parser.parse({text.data(), text.size()}) != http1::ParseStatus::done) std::abort();
    auto made = make_worker_state(make_snapshot(), &vault, nullptr, nullptr);
    if (!made) std::abort();
    worker = std::move(*made);
    match = worker->snapshot->plan->route_for("POST", "www.example.org", "/contact");
    plan = std::get<BodyPlan>(
        admit(*worker->snapshot->plan, match, parser.head(), worker->snapshot->limits));
  }
  void scan() {
    buffers.clear_for_next();
    RequestScanner scanner(*match.route, parser.head(), buffers, counter);
    if (scanner.scan(plan, kBody, *worker->json_scanners)) std::abort();
  }

  std::string text;
  std::vector<HeaderLine> lines;
  http1::RequestParser parser;
  NoVault vault;
  NoCounter counter;
  std::shared_ptr<WorkerState> worker;
  policies::RouteMatch match;
  BodyPlan plan;
  ExchangeBuffers buffers;
};

void pipeline_transaction(benchmark::State& state) {
  Setting setting;
  Client client;
  Application application;
  Transaction transaction(client, application);
  const HeaderLine type{"Content-Type", "text/html", HeaderName::content_type};
  ResponseHead answer;
  answer.status = 200;
  answer.reason = "OK";
  answer.framing = BodyFraming::length;
  answer.content_length = 2;
  answer.headers = {&type, 1};
  for (auto _ : state) {
    transaction.start(setting.parser.head(), setting.worker);
    if (transaction.phase() != Phase::forward) std::abort();
    application.handler->on_response(answer, "ok", true);
  }
  if (client.exchanges != state.iterations()) std::abort();
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
