// One protected exchange over memory doubles: what the micro benchmarks and the instruction counts
// run. A form (three derived tokens, one pseudonym, one encrypted text), or the batch of events of
// batch_pool.h (twenty of each); neither sockets nor a clock of its own.

#pragma once

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "crypto/primitives/random.h"
#include "policies/model/load_policy.h"
#include "policies/plan/compiler.h"
#include "proxy/net/http1/request_parser.h"
#include "proxy/pipeline/admission.h"
#include "proxy/pipeline/exchange_buffers.h"
#include "proxy/pipeline/request_scanner.h"
#include "proxy/pipeline/transaction.h"
#include "proxy/pipeline/worker_state.h"

namespace paravent::bench {

inline constexpr std::string_view kPolicy = R"(policy: 1
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
  - name: events
    match: { method: POST, path: /batch }
    upstream: http://127.0.0.1:9000
    recipient: crm
    purpose: contact
    client-address: drop
    fields:
      json.batch[*].context.traits.email: { kind: email, do: tokenise, mode: derived }
      json.batch[*].context.traits.name:  { kind: name,  do: pseudonymise }
      json.batch[*].context.traits.note:  { kind: text,  do: encrypt }
    unlisted: keep
)";

inline constexpr std::string_view kBody =
    "name=Jane+Doe&email=jane.doe%40example.org&phone=%2B33612345678&city=Lyon&message=Hello%2C+I+"
    "would+"
    "like+to+know+when+the+next+course+begins%2C+and+whether+there+are+places+left.&submit=Send";

struct Sample {
  std::string_view path = "/contact";
  std::string_view type = "application/x-www-form-urlencoded";
  std::string_view body = kBody;  // must stay
};

inline std::string request_text(const Sample& sample) {
  std::string text =
      "POST " + std::string(sample.path) +
      " HTTP/1.1\r\nHost: www.example.org\r\n"
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
      "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
      "Accept-Language: fr,en;q=0.5\r\nReferer: https://www.example.org/contact\r\n"
      "Content-Type: ";
  return text + std::string(sample.type) +
         "\r\nContent-Length: " + std::to_string(sample.body.size()) + "\r\n\r\n";
}

inline std::shared_ptr<const proxy::Snapshot> make_snapshot() {
  const auto loaded = policies::load_policy_text("bench.yaml", kPolicy);
  const auto plan = policies::compile({&loaded.policy, 1});
  if (!loaded.ok() || !plan) std::abort();
  auto snapshot = std::make_shared<proxy::Snapshot>();
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

class Client final : public proxy::Downstream {
 public:
  explicit Client(std::string_view of_request = kBody) : body_(of_request) {}
  void will_send(std::string_view body) { body_ = body; }

  proxy::ReceivedBody receive_body(std::size_t) override {
    return {proxy::BodyStatus::complete, body_};
  }
  proxy::ReceivedBody read_body(std::size_t, std::uint64_t) override { std::abort(); }
  proxy::SendStatus send(std::string_view head, std::string_view body, bool) override {
    bytes += head.size() + body.size();
    return proxy::SendStatus::done;
  }
  void finished(proxy::Ending) override { ++exchanges; }
  std::function<void()> resume_from_other_thread() override { return {}; }
  void set_deadline(std::uint32_t) override {}
  std::string_view peer_address() const override { return "192.0.2.7"; }
  bool peer_is_trusted() const override { return false; }
  bool has_client_certificate() const override { return false; }
  bool tls() const override { return false; }

  std::size_t bytes = 0;
  std::size_t exchanges = 0;

 private:
  std::string_view body_;
};

class Application final : public proxy::Upstream, public proxy::UpstreamExchange {
 public:
  proxy::UpstreamExchange* exchange(proxy::ProtectedRequest request,
                                    proxy::UpstreamHandler& to) override {
    bytes += request.head().size() + request.body().size();
    handler = &to;
    return this;
  }
  bool send(const proxy::ProtectedPiece&) override { std::abort(); }  // nothing is streamed
  void resume() override {}
  void cancel() override {}

  proxy::UpstreamHandler* handler = nullptr;
  std::size_t bytes = 0;
};

class NoCounter final : public proxy::RawCounter {
 public:
  void on_raw(std::uint32_t) override {}
};

// What the application says each time.
struct Answer {
  Answer() {
    head.status = 200;
    head.reason = "OK";
    head.framing = proxy::BodyFraming::length;
    head.content_length = 2;
    head.headers = {&type, 1};
  }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  proxy::HeaderLine type{"Content-Type", "text/html", proxy::HeaderName::content_type};
  proxy::ResponseHead head;
};

// Everything that stands still while requests come and go.
struct Setting {
  explicit Setting(const Sample& sample = {})
      : body(sample.body), text(request_text(sample)), lines(100) {
    parser.begin(lines, 16 * 1024, 8 * 1024);
    if (parser.parse({text.data(), text.size()}) != proxy::http1::ParseStatus::done) std::abort();
    auto made = proxy::make_worker_state(make_snapshot(), &vault, nullptr, nullptr);
    if (!made) std::abort();
    worker = std::move(*made);
    match = worker->snapshot->plan->route_for("POST", "www.example.org", sample.path);
    plan = std::get<proxy::BodyPlan>(
        proxy::admit(*worker->snapshot->plan, match, parser.head(), worker->snapshot->limits));
  }
  void scan() {
    buffers.clear_for_next();
    proxy::RequestScanner scanner(*match.route, parser.head(), buffers, counter);
    if (scanner.scan(plan, body, *worker->json_scanners)) std::abort();
  }

  std::string_view body;
  std::string text;
  std::vector<proxy::HeaderLine> lines;
  proxy::http1::RequestParser parser;
  NoVault vault;
  NoCounter counter;
  std::shared_ptr<proxy::WorkerState> worker;
  policies::RouteMatch match;
  proxy::BodyPlan plan;
  proxy::ExchangeBuffers buffers;
};

}  // namespace paravent::bench
