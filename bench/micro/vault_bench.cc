// The vault's two answers for known tokens, from memory and by way of the store, with one value in
// a request and with four; and new tokens that become durable, alone (one fsync each) and with 64
// requests in flight (shared fsyncs). The folder is TMPDIR or /tmp: put it on the disk in question.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/micro/batch_window.h"
#include "crypto/vault/engine/vault/vault.h"

namespace {

namespace vault = paravent::crypto::vault;
using paravent::crypto::SystemClock;

class Bench {
 public:
  explicit Bench(bool on_disk) {
    if (on_disk) {
      std::string name = (std::filesystem::temp_directory_path() / "pv-bench-XXXXXX").string();
      if (::mkdtemp(name.data()) == nullptr) std::abort();
      folder_ = name;
      data_ = std::make_unique<vault::DataDirectory>(
          vault::DataDirectory::create(folder_ / "data").value());
      vault_ = vault::Vault::initialise(*data_, vault::RootKey::ephemeral(), clock_).value();
    } else {
      vault_ = vault::Vault::in_memory(clock_).value();
    }
    const std::vector<vault::PolicyNames> names{{"t", {"d"}, {"p"}}};
    const std::vector<vault::ContextSpec> specs{{"d", "p", "email", paravent::crypto::Kind::email,
                                                 paravent::crypto::Algorithm::vault_token,
                                                 paravent::crypto::EpochLength::none}};
    if (!vault_->register_names(names)) std::abort();
    binding_ = std::move(vault_->bind("t", specs).value().front());
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench() {
    vault_.reset();
    data_.reset();
    std::error_code error;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, error);
  }

  // `count` values from `number` on, in a batch that is made anew, as for each request.
  std::shared_ptr<vault::ResolveBatch> batch_of(std::uint64_t number, std::uint64_t count) const {
    auto batch = std::make_shared<vault::ResolveBatch>();
    for (std::uint64_t i = 0; i < count; ++i) {
      vault::MintJob job;
      job.key_id = binding_.key.key_id;
      job.seal_key_id = binding_.seal_key_id;
      job.kind = paravent::crypto::Kind::email;
      job.begin = static_cast<std::uint32_t>(batch->values.size());
      batch->values += "visitor" + std::to_string(number + i) + "@example.org";
      job.end = static_cast<std::uint32_t>(batch->values.size());
      batch->jobs.push_back(job);
    }
    return batch;
  }
  bool answer_known(std::uint64_t number, std::uint64_t count) {
    return vault_->answer_known(*batch_of(number, count));
  }

  // One batch; waits only while `window` batches are under way.
  void ask(std::uint64_t number, int window, std::uint64_t count = 1) {
    window_.submit(*vault_, batch_of(number, count), window);
  }
  void drain() { window_.drain(); }
  vault::VaultCounters counters() const { return vault_->counters(); }

 private:
  SystemClock clock_;
  std::filesystem::path folder_;
  std::unique_ptr<vault::DataDirectory> data_;
  std::unique_ptr<vault::Vault> vault_;
  vault::Binding binding_;
  paravent::bench::BatchWindow window_;
};

constexpr std::uint64_t kValues = 10000;

void vault_known_in_memory(benchmark::State& state) {
  Bench bench(true);
  const auto count = static_cast<std::uint64_t>(state.range(0));
  // More than once: the memory of known tokens loses some while it grows.
  for (int pass = 0; pass < 8; ++pass) {
    for (std::uint64_t i = 0; i < kValues; i += 4) {
      if (!bench.answer_known(i, 4)) bench.ask(i, 64, 4);
    }
    bench.drain();
  }
  std::uint64_t next = 0;
  std::uint64_t known = 0;
  for (auto _ : state) {
    known += bench.answer_known(next++ * 7919 % (kValues - count), count) ? 1U : 0U;
  }
  if (known != next) state.SkipWithError("a known value was not in memory");
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(vault_known_in_memory)->ArgName("values")->Arg(1)->Arg(4)->UseRealTime();

// By way of the store: two threads further on, as when memory has forgotten.
void vault_known_tokens(benchmark::State& state) {
  Bench bench(true);
  const auto count = static_cast<std::uint64_t>(state.range(1));
  for (std::uint64_t i = 0; i < kValues; i += 4) bench.ask(i, 64, 4);
  bench.drain();
  const std::uint64_t minted = bench.counters().minted;
  std::uint64_t next = 0;
  for (auto _ : state) {
    bench.ask(next++ * 7919 % (kValues - count), static_cast<int>(state.range(0)), count);
  }
  bench.drain();
  if (bench.counters().minted != minted) state.SkipWithError("a known value was minted again");
  state.SetItemsProcessed(state.iterations() * state.range(1));
}
BENCHMARK(vault_known_tokens)
    ->ArgNames({"in_flight", "values"})
    ->Args({1, 1})
    ->Args({64, 1})
    ->Args({64, 4})
    ->UseRealTime();

void vault_new_tokens(benchmark::State& state) {
  Bench bench(true);
  std::uint64_t next = 0;
  for (auto _ : state) bench.ask(next++, static_cast<int>(state.range(0)));
  bench.drain();
  const vault::VaultCounters counters = bench.counters();
  if (counters.minted != next) state.SkipWithError("not every token was minted");
  state.SetItemsProcessed(state.iterations());
  state.counters["tokens_per_fsync"] =
      static_cast<double>(counters.minted) / static_cast<double>(counters.commits);
}
BENCHMARK(vault_new_tokens)
    ->ArgName("in_flight")
    ->Arg(1)
    ->Arg(8)
    ->Arg(64)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

}  // namespace
