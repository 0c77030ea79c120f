// What whoever asks could measure: a token of another tenant, one that was never made, and for
// comparison one of one's own that the role may see; as far as the decision, on a store on disk.
// The first two answer the same; what they differ in time is said in docs/threat-model.md.

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "crypto/reveal/reidentifier.h"
#include "crypto/tokens/token_text.h"
#include "crypto/vault/engine/vault.h"
#include "policies/access/access_policy.h"
#include "policies/model/load_policy.h"

namespace {

namespace crypto = paravent::crypto;
namespace policies = paravent::policies;
namespace vault = paravent::crypto::vault;

constexpr std::size_t kTokens = 2000;

std::string policy_text(const std::string& tenant) {
  return "policy: 1\ntenant: " + tenant +
         "\nroles: { dpo: { reveal: clear } }\nrecipients: { crm: { name: CRM, country: FR } }\n"
         "purposes: { contact: { basis: contract, retention: { active: P3Y }, reveal: [dpo] } }\n"
         "routes:\n  - name: form\n    match: { method: POST, path: /f }\n"
         "    upstream: http://127.0.0.1:9000\n    recipient: crm\n    purpose: contact\n"
         "    fields: { form.email: { kind: email, do: tokenise } }\n";
}

// Two tenants, each with its tokens.
class Bench {
 public:
  Bench() {
    std::string name = (std::filesystem::temp_directory_path() / "pv-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    data_ = std::make_unique<vault::DataDirectory>(
        vault::DataDirectory::create(folder_ / "data").value());
    vault_ = vault::Vault::initialise(*data_, vault::RootKey::ephemeral(), clock_).value();
    std::vector<vault::PolicyNames> names;
    for (const char* tenant : {"one", "two"}) {
      auto loaded = policies::load_policy_text("bench.yaml", policy_text(tenant));
      if (!loaded.ok()) std::abort();
      policies_.push_back(std::move(loaded.policy));
      names.push_back({tenant, {"crm"}, {"contact"}});
    }
    if (!vault_->register_names(names)) std::abort();
    stairs_ = std::make_unique<crypto::reveal::Staircase>(crypto::reveal::build_staircase(*vault_));
    std::vector<policies::TenantPolicy> tenants;
    for (const auto& policy : policies_) {
      tenants.push_back({vault_->tenant_id(policy.tenant.value).value(), &policy});
    }
    access_ = std::make_unique<policies::AccessPolicy>(tenants, stairs_->access);
    own = mint("one");
    foreign = mint("two");
    for (std::size_t i = 0; i < kTokens; ++i) {
      std::string text;
      crypto::write_vault_token(own.front().key_id, vault::random_id(), text);
      unknown.push_back(crypto::parse_token(text).value());
    }
  }
  ~Bench() {
    access_.reset();
    stairs_.reset();
    vault_.reset();
    data_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  // The first steps of the staircase, for an operator of the tenant one.
  void ask(benchmark::State& state, const std::vector<crypto::ParsedToken>& tokens, bool granted) {
    const auto principal =
        stairs_->authentication.authenticated("dpo", "dpo", vault_->tenant_id("one").value());
    std::size_t at = 0;
    for (auto _ : state) {
      bool allowed = false;
      const auto described = stairs_->reidentifier->describe(tokens[at++ % tokens.size()]);
      if (described) {
        const auto decision = access_->decide(principal, "contact", *described, clock_.now());
        allowed = decision.verdict == policies::Verdict::allowed;
      }
      if (allowed != granted) std::abort();
    }
  }

  std::vector<crypto::ParsedToken> own;
  std::vector<crypto::ParsedToken> foreign;
  std::vector<crypto::ParsedToken> unknown;

 private:
  std::vector<crypto::ParsedToken> mint(const std::string& tenant) {
    const std::vector<vault::ContextSpec> specs{{"crm", "contact", "email", crypto::Kind::email,
                                                 crypto::Algorithm::vault_token,
                                                 crypto::EpochLength::none}};
    const auto binding = std::move(vault_->bind(tenant, specs).value().front());
    auto batch = std::make_shared<vault::ResolveBatch>();
    for (std::size_t i = 0; i < kTokens; ++i) {
      vault::MintJob job;
      job.key_id = binding.key.key_id;
      job.seal_key_id = binding.seal_key_id;
      job.kind = crypto::Kind::email;
      job.begin = static_cast<std::uint32_t>(batch->values.size());
      batch->values += "visitor" + std::to_string(i) + "@example.org";
      job.end = static_cast<std::uint32_t>(batch->values.size());
      batch->jobs.push_back(job);
    }
    std::promise<void> answered;
    batch->done = [&answered] { answered.set_value(); };
    vault_->resolve(batch);
    answered.get_future().wait();
    if (batch->status != vault::ResolveStatus::ok) std::abort();
    std::vector<crypto::ParsedToken> tokens;
    for (const vault::MintJob& job : batch->jobs) {
      std::string text;
      crypto::write_vault_token(job.key_id, job.id, text);
      tokens.push_back(crypto::parse_token(text).value());
    }
    return tokens;
  }

  std::filesystem::path folder_;
  crypto::SystemClock clock_;
  std::unique_ptr<vault::DataDirectory> data_;
  std::unique_ptr<vault::Vault> vault_;
  std::vector<policies::Policy> policies_;
  std::unique_ptr<crypto::reveal::Staircase> stairs_;
  std::unique_ptr<policies::AccessPolicy> access_;
};

void asked_for_own(benchmark::State& state) {
  Bench bench;
  bench.ask(state, bench.own, true);
}
BENCHMARK(asked_for_own);

void asked_for_foreign(benchmark::State& state) {
  Bench bench;
  bench.ask(state, bench.foreign, false);
}
BENCHMARK(asked_for_foreign);

void asked_for_unknown(benchmark::State& state) {
  Bench bench;
  bench.ask(state, bench.unknown, false);
}
BENCHMARK(asked_for_unknown);

}  // namespace
