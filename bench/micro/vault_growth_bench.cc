// Known vault tokens by how many are stored, as the data path meets them: five values of one
// request answered from memory, the same by way of the store and its threads, the same when it is
// their first use of the day, and a whole transaction over memory doubles whose five fields are
// vault tokens.
//
// The data directory of each size is kept where PARAVENT_BENCH_STORES says, because 10^7 tokens
// take minutes to mint; without it sizes beyond 10^5 are left out. The vault gets the memory that a
// gateway gives it when nobody says.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "bench/micro/batch_window.h"
#include "bench/support/form_exchange.h"
#include "crypto/base/process_memory.h"
#include "crypto/vault/engine/vault/memory_share.h"
#include "crypto/vault/engine/vault/vault.h"
#include "proxy/pipeline/transaction.h"

namespace {

namespace vault = paravent::crypto::vault;
namespace proxy = paravent::proxy;
namespace policies = paravent::policies;
using paravent::crypto::SystemClock;

constexpr std::string_view kVaultPolicy = R"(policy: 1
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
      form.first: { kind: email, do: tokenise, mode: vault, epoch: none }
      form.second: { kind: email, do: tokenise, mode: vault, epoch: none }
      form.third: { kind: email, do: tokenise, mode: vault, epoch: none }
      form.fourth: { kind: email, do: tokenise, mode: vault, epoch: none }
      form.fifth: { kind: email, do: tokenise, mode: vault, epoch: none }
      header.User-Agent: { do: generalise, to: browser-family }
)";

constexpr std::size_t kFields = 5;
constexpr std::size_t kFillJobs = 1000;  // of one batch

// Different values that are asked for: more than the caches hold. PARAVENT_BENCH_ASKED says
// another number.
std::uint64_t asked_for() {
  constexpr std::uint64_t kAsked = 400'000;
  const char* said = std::getenv("PARAVENT_BENCH_ASKED");
  return said == nullptr ? kAsked : std::max<std::uint64_t>(std::strtoull(said, nullptr, 10), 1000);
}

std::string value_of(std::uint64_t number) {
  std::string digits = std::to_string(number);
  return "visitor" + std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits +
         "@example.org";
}

// Some days later than it is.
class LaterClock final : public paravent::crypto::Clock {
 public:
  paravent::crypto::WallTime now() const override {
    return SystemClock().now() + std::chrono::days(days.load(std::memory_order_relaxed));
  }

  std::atomic<int> days{0};
};

// A data directory with tokens number 0 to `tokens` - 1, and the vault on it. `keep`: it is kept
// where PARAVENT_BENCH_STORES says; not where days are to pass, which would be in its rows.
class Place {
 public:
  explicit Place(std::uint64_t tokens, bool keep = true) : tokens_(tokens) {
    const char* kept = keep ? std::getenv("PARAVENT_BENCH_STORES") : nullptr;
    std::string name = (std::filesystem::temp_directory_path() / "pv-bench-XXXXXX").string();
    if (kept == nullptr && ::mkdtemp(name.data()) == nullptr) std::abort();
    if (kept == nullptr) scratch_ = name;
    const auto folder = kept == nullptr
                            ? scratch_ / "vault"
                            : std::filesystem::path(kept) / ("vault-" + std::to_string(tokens));
    const vault::VaultMemory memory = vault::memory_share(paravent::crypto::memory_of_process());
    // The root key of a benchmark is no secret.
    const std::array<std::uint8_t, 32> bytes{7};
    auto root = vault::RootKey::from_bytes(paravent::crypto::SecretBytes::copy_of(bytes)).value();
    const bool made = std::filesystem::exists(folder / "filled");
    if (!made) std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    auto directory = made ? vault::DataDirectory::open(folder / "data")
                          : vault::DataDirectory::create(folder / "data");
    data_ = std::make_unique<vault::DataDirectory>(std::move(directory.value()));
    vault_ = made ? vault::Vault::open(*data_, std::move(root), clock_, memory).value()
                  : vault::Vault::initialise(*data_, std::move(root), clock_, {}, memory).value();
    make_snapshot();
    if (!made) {
      for (std::uint64_t at = 0; at < tokens; at += kFillJobs) {
        ask(at, std::min<std::uint64_t>(kFillJobs, tokens - at), 4);
      }
      drain();
      std::filesystem::create_directories(folder / "filled");
    }
    // The ones that will be asked for, evenly over all: read once, and used today. Twice, because
    // the memory of known tokens grows meanwhile and loses some.
    asked_ = std::min(tokens, asked_for()) / kFields * kFields;
    for (int turn = 0; turn < 2; ++turn) {
      for (std::uint64_t at = 0; at < asked_; at += kFillJobs) {
        auto batch = std::make_shared<vault::ResolveBatch>();
        for (std::uint64_t i = at; i < std::min(at + kFillJobs, asked_); ++i) {
          add(*batch, number_of(i));
        }
        submit(std::move(batch), 4);
      }
      drain();
    }
    // Where too many met in one set, somebody had to go: their fives are not asked for.
    for (std::uint64_t first = 0; first < asked_; first += kFields) {
      if (vault_->answer_known(*five_from(first))) fives_.push_back(first);
    }
    if (fives_.size() < asked_ / kFields * 9 / 10) std::abort();
    std::shuffle(fives_.begin(), fives_.end(), std::mt19937_64(3));
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() {
    vault_.reset();
    data_.reset();
    std::error_code error;
    if (!scratch_.empty()) std::filesystem::remove_all(scratch_, error);
  }

  // Which of the stored tokens the i-th one that is asked for is.
  std::uint64_t number_of(std::uint64_t i) const { return (i % asked_) * (tokens_ / asked_); }
  // All of them in an order that no prefetcher of the processor knows; the order itself lies in a
  // row, so that reading it costs the same for few and for many.
  std::uint64_t next_five() {
    turn_ = turn_ + 1 < fives_.size() ? turn_ + 1 : 0;
    return fives_[turn_];
  }
  bool had_all() const { return turn_ + 1 == fives_.size(); }
  void begin_day() { clock_.days.fetch_add(1); }

  std::shared_ptr<vault::ResolveBatch> five_from(std::uint64_t first) const {
    auto batch = std::make_shared<vault::ResolveBatch>();
    for (std::size_t i = 0; i < kFields; ++i) add(*batch, number_of(first + i));
    return batch;
  }
  std::shared_ptr<vault::ResolveBatch> five() { return five_from(next_five()); }
  void submit(std::shared_ptr<vault::ResolveBatch> batch, int window) {
    window_.submit(*vault_, std::move(batch), window);
  }
  void drain() { window_.drain(); }
  std::uint64_t tokens() const { return tokens_; }
  vault::Vault& get() { return *vault_; }
  const std::shared_ptr<proxy::Snapshot>& snapshot() const { return snapshot_; }

 private:
  void make_snapshot() {
    const auto loaded = policies::load_policy_text("bench.yaml", kVaultPolicy);
    const auto plan = policies::compile({&loaded.policy, 1});
    if (!loaded.ok() || !plan) std::abort();
    const std::vector<vault::PolicyNames> names{{"bench", {"crm"}, {"contact"}}};
    if (!vault_->register_names(names)) std::abort();
    bindings_ = vault_->bind("bench", (*plan)->context_specs()).value();
    snapshot_ = std::make_shared<proxy::Snapshot>();
    snapshot_->plan = *plan;
    for (std::size_t i = 0; i < bindings_.size(); ++i) {
      if ((*plan)->context_specs()[i].algorithm == paravent::crypto::Algorithm::vault_token)
        token_ = i;
      snapshot_->seal_key_ids.push_back(bindings_[i].seal_key_id);
      snapshot_->protection_keys.push_back(std::move(bindings_[i].key));
      snapshot_->previous_keys.push_back(std::move(bindings_[i].previous));
    }
  }
  void add(vault::ResolveBatch& batch, std::uint64_t number) const {
    vault::MintJob job;
    job.key_id = snapshot_->protection_keys[token_].key_id;
    job.seal_key_id = snapshot_->seal_key_ids[token_];
    job.kind = paravent::crypto::Kind::email;
    job.begin = static_cast<std::uint32_t>(batch.values.size());
    batch.values += value_of(number);
    job.end = static_cast<std::uint32_t>(batch.values.size());
    batch.jobs.push_back(job);
  }
  void ask(std::uint64_t first, std::uint64_t count, int window) {
    auto batch = std::make_shared<vault::ResolveBatch>();
    for (std::uint64_t i = 0; i < count; ++i) add(*batch, first + i);
    submit(std::move(batch), window);
  }

  std::uint64_t tokens_;
  std::uint64_t asked_ = 0;
  std::size_t turn_ = 0;
  std::vector<std::uint64_t> fives_;
  LaterClock clock_;
  std::filesystem::path scratch_;
  std::unique_ptr<vault::DataDirectory> data_;
  std::unique_ptr<vault::Vault> vault_;
  std::vector<vault::Binding> bindings_;
  std::shared_ptr<proxy::Snapshot> snapshot_;
  std::size_t token_ = 0;
  paravent::bench::BatchWindow window_;
};

// The one that was asked for last stays: a benchmark is called several times, and what is asked for
// is read anew each time a place is made.
Place& place_with(std::uint64_t tokens, bool keep = true) {
  static std::unique_ptr<Place> place;
  static bool kept = keep;
  if (place == nullptr || place->tokens() != tokens || kept != keep) {
    const bool first = place == nullptr;
    place.reset();
    place = std::make_unique<Place>(tokens, keep);
    kept = keep;
    // Before whatever of RocksDB was made with the first one and ends with the program.
    if (first) std::atexit([] { place.reset(); });
  }
  return *place;
}

bool left_out(benchmark::State& state) {
  if (state.range(0) <= 100'000 || std::getenv("PARAVENT_BENCH_STORES") != nullptr) return false;
  state.SkipWithError("PARAVENT_BENCH_STORES does not say where to keep so many tokens");
  return true;
}

// Blind index and look-up in memory.
void vault_five_known(benchmark::State& state) {
  if (left_out(state)) return;
  Place& place = place_with(static_cast<std::uint64_t>(state.range(0)));
  const std::uint64_t before = place.get().counters().known_hits;
  for (auto _ : state) std::ignore = place.get().answer_known(*place.five());
  const std::uint64_t hits = place.get().counters().known_hits - before;
  const auto asked = static_cast<double>(state.iterations()) * kFields;
  state.counters["from_memory"] = static_cast<double>(hits) / asked;
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kFields));
}
BENCHMARK(vault_five_known)->RangeMultiplier(10)->Range(1000, 10'000'000);

// Blind index, look-up in the store, the row's clear part read; the processor time is that of all
// threads.
void vault_five_from_store(benchmark::State& state) {
  if (left_out(state)) return;
  Place& place = place_with(static_cast<std::uint64_t>(state.range(0)));
  const std::uint64_t minted = place.get().counters().minted;
  for (auto _ : state) place.submit(place.five(), 64);
  place.drain();
  if (place.get().counters().minted != minted) state.SkipWithError("a known value was minted");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kFields));
}
BENCHMARK(vault_five_from_store)
    ->RangeMultiplier(10)
    ->Range(1000, 10'000'000)
    ->MeasureProcessCPUTime();

// The same where each token is used for the first time of a day: its row is written once more. The
// processor time is that of all threads, and of what the store sorts while it runs.
void vault_five_first_of_day(benchmark::State& state) {
  if (left_out(state)) return;
  Place& place = place_with(static_cast<std::uint64_t>(state.range(0)), false);
  const vault::VaultCounters before = place.get().counters();
  place.begin_day();
  for (auto _ : state) {
    if (place.had_all()) {
      place.drain();
      place.begin_day();
    }
    place.submit(place.five(), 64);
  }
  place.drain();
  const vault::VaultCounters after = place.get().counters();
  if (after.minted != before.minted) state.SkipWithError("a known value was minted");
  state.counters["fives_per_fsync"] =
      static_cast<double>(state.iterations()) / static_cast<double>(after.commits - before.commits);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kFields));
}
BENCHMARK(vault_five_first_of_day)
    ->Arg(1000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

class FiveFields final : public proxy::Downstream {
 public:
  proxy::ReceivedBody receive_body(std::size_t) override {
    return {proxy::BodyStatus::complete, body};
  }
  proxy::ReceivedBody read_body(std::size_t, std::uint64_t) override { std::abort(); }
  proxy::SendStatus send(std::string_view, std::string_view, bool) override {
    return proxy::SendStatus::done;
  }
  void finished(proxy::Ending) override {}
  // Asked for where the vault has to be waited for, which ends the run.
  std::function<void()> resume_from_other_thread() override {
    return [] {};
  }
  void set_deadline(std::uint32_t) override {}
  std::string_view peer_address() const override { return "192.0.2.7"; }
  bool peer_is_trusted() const override { return false; }
  bool has_client_certificate() const override { return false; }
  bool tls() const override { return false; }

  std::string body;
};

void pipeline_vault_transaction(benchmark::State& state) {
  if (left_out(state)) return;
  Place& place = place_with(static_cast<std::uint64_t>(state.range(0)));
  FiveFields client;
  const auto next_body = [&] {
    client.body.clear();
    const std::uint64_t first = place.next_five();
    std::size_t field = 0;
    for (const char* name : {"first=", "&second=", "&third=", "&fourth=", "&fifth="}) {
      client.body += name + value_of(place.number_of(first + field++));
    }
  };
  next_body();
  std::string text =
      "POST /contact HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: Mozilla/5.0 (X11; Linux "
      "x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\nContent-Type: "
      "application/x-www-form-urlencoded\r\nContent-Length: " +
      std::to_string(client.body.size()) + "\r\n\r\n";
  std::vector<proxy::HeaderLine> lines(100);
  proxy::http1::RequestParser parser;
  parser.begin(lines, 16 * 1024, 8 * 1024);
  if (parser.parse({text.data(), text.size()}) != proxy::http1::ParseStatus::done) std::abort();
  auto worker = proxy::make_worker_state(place.snapshot(), &place.get(), nullptr, nullptr);
  if (!worker) std::abort();
  paravent::bench::Application application;
  proxy::Transaction transaction(client, application);
  const paravent::bench::Answer answer;
  std::uint64_t waited = 0;
  for (auto _ : state) {
    next_body();
    transaction.start(parser.head(), *worker);
    if (transaction.phase() != proxy::Phase::forward) {
      ++waited;
      break;
    }
    application.handler->on_response(answer.head, "ok", true);
  }
  if (waited > 0) state.SkipWithError("a known value was not in memory");
}
BENCHMARK(pipeline_vault_transaction)->RangeMultiplier(10)->Range(1000, 10'000'000);

}  // namespace
