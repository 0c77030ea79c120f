#include "tests/proxy/net/gateway_testing.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "policies/model/load_policy.h"
#include "policies/plan/compiler.h"

namespace paravent::proxy::net {

FakeVault::~FakeVault() {
  for (std::thread& thread : threads_) thread.join();
}

void FakeVault::resolve(std::shared_ptr<crypto::vault::ResolveBatch> batch) {
  holds = hold.load();
  while (hold) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  holds = false;
  const std::lock_guard lock(mutex_);
  threads_.emplace_back([batch = std::move(batch), wait = delay_ms.load()] {
    std::this_thread::sleep_for(std::chrono::milliseconds(wait));
    for (auto& job : batch->jobs) {
      std::uint8_t sum = 0;
      for (const char c : batch->value(job)) sum = static_cast<std::uint8_t>(sum * 31 + c);
      job.id.fill(sum);
    }
    batch->status = crypto::vault::ResolveStatus::ok;
    batch->done();
  });
}

std::string policy_text(std::uint16_t upstream_port, const std::string& tenant) {
  const std::string upstream = "http://127.0.0.1:" + std::to_string(upstream_port);
  return "policy: 1\ntenant: " + tenant + R"(
recipients: { crm: { name: CRM, country: FR } }
purposes: { contact: { basis: contract, retention: { active: P3Y } } }
routes:
  - name: contact-form
    match: { method: POST, path: /contact }
    upstream: )" +
         upstream + R"(
    recipient: crm
    purpose: contact
    fields:
      form.email: { kind: email, do: tokenise, mode: derived }
      form.name: { kind: name, do: tokenise }
      form.message: { kind: text, do: encrypt }
elsewhere: { methods: [GET, HEAD, POST, PUT, OPTIONS], upstream: ")" +
         upstream +
         R"(", do: pass }
)";
}

std::shared_ptr<const Snapshot> snapshot_of(const std::string& policy, const Limits& limits) {
  const policies::LoadedPolicy loaded = policies::load_policy_text("test.yaml", policy);
  const auto plan = policies::compile({&loaded.policy, 1});
  if (!loaded.ok() || !plan) {
    std::fprintf(stderr, "%s\n", policies::diagnostics_text(loaded.diagnostics).c_str());
    std::abort();
  }
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->plan = *plan;
  snapshot->limits = limits;
  std::uint32_t id = 1;
  for (const auto& spec : (*plan)->context_specs()) {
    crypto::ProtectionKey key;
    key.key_id = id;
    key.algorithm = spec.algorithm;
    key.ctx = "test context " + std::to_string(id);
    std::string bytes(spec.algorithm == crypto::Algorithm::derived ? 64 : 32, '\0');
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(id * 64 + i);
    if (spec.algorithm != crypto::Algorithm::vault_token) {
      key.key = crypto::SecretBytes::copy_of(bytes);
      key.nonce_key = crypto::SecretBytes::copy_of(bytes.substr(0, 32));
    }
    snapshot->protection_keys.push_back(std::move(key));
    snapshot->seal_key_ids.push_back(1000 + id++);
  }
  return snapshot;
}

Gateway::Gateway(std::uint16_t upstream_port, const Limits& limits, std::uint32_t workers) {
  ServerOptions options;
  options.listen = {{"127.0.0.1", 0}};
  options.workers = workers;
  options.vault = &vault;
  options.trusted_proxies = {*IpRange::parse("192.0.2.0/24")};
  auto started = Server::start(options, snapshot_of(policy_text(upstream_port), limits));
  if (!started) {
    std::fprintf(stderr, "kind %d: %s\n", static_cast<int>(started.error().kind()),
                 started.error().sentence().c_str());
    std::abort();
  }
  server = std::move(*started);
}

std::uint64_t Gateway::refusals(Reason reason) const {
  std::uint64_t sum = 0;
  for (const auto& state : server->states()) {
    for (std::size_t route = 0; route < state->counters->route_count(); ++route) {
      sum += state->counters->refusals(route, static_cast<std::size_t>(reason)).read();
    }
  }
  return sum;
}

std::uint64_t Gateway::connects() const {
  std::uint64_t sum = 0;
  for (const auto& state : server->states()) sum += state->counters->upstream_connects.read();
  return sum;
}

}  // namespace paravent::proxy::net
