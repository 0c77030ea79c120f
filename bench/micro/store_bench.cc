// The token store by its size: what a look-up and a durable commit cost at 10^3 to 10^7 rows.
//
// The folder of the largest store is kept where PARAVENT_BENCH_STORES says, because making 10^7
// rows takes a minute; without it, each store is made anew below TMPDIR. bench/README.md has the
// commands.

#include <benchmark/benchmark.h>
#include <time.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "crypto/base/process_memory.h"
#include "crypto/primitives/sha256.h"
#include "crypto/vault/engine/rows/rocksdb_token_store.h"
#include "crypto/vault/engine/rows/token_row.h"
#include "crypto/vault/engine/vault/memory_share.h"

namespace {

namespace vault = paravent::crypto::vault;
using Rocks = vault::RocksdbTokenStore;

constexpr std::size_t kSealedBytes = 24 + 96 + 16;  // of an e-mail address
constexpr std::size_t kFillChunk = 10'000;
constexpr std::size_t kBatch = 64;
constexpr vault::Id kInstallation{7};

// Row number `n`: its keys look as random as real ones and can be computed again.
vault::IndexKey index_of(std::uint64_t n) {
  return paravent::crypto::sha256({reinterpret_cast<const std::uint8_t*>(&n), sizeof n});
}
vault::Id id_of(const vault::IndexKey& index) {
  vault::Id id{};
  std::memcpy(id.data(), index.data() + 16, id.size());
  id[0] ^= 0x5aU;
  return id;
}
// With one purpose; what is sealed in it is noise.
std::string row_bytes(std::mt19937_64& random) {
  vault::TokenRow row;
  row.key_id = 1;
  row.seal_key_id = 2;
  row.kind = paravent::crypto::Kind::email;
  row.purposes.push_back({vault::Id{1}, 20'000, 20'000});
  std::string bytes = vault::encode_clear_part(row);
  for (std::size_t i = 0; i < kSealedBytes; ++i) bytes.push_back(static_cast<char>(random()));
  return bytes;
}
vault::NewRow row_of(std::uint64_t n, std::string bytes) {
  const vault::IndexKey index = index_of(n);
  return {index, id_of(index), std::move(bytes), {}};
}

class Store {
 public:
  // With the memory that a gateway gives it when nobody says.
  explicit Store(std::uint64_t rows)
      : rows_(rows), memory_(vault::memory_share(paravent::crypto::memory_of_process()).store) {
    const char* kept = std::getenv("PARAVENT_BENCH_STORES");
    if (kept != nullptr) {
      folder_ = std::filesystem::path(kept) / std::to_string(rows);
    } else {
      std::string name = (std::filesystem::temp_directory_path() / "pv-bench-XXXXXX").string();
      if (::mkdtemp(name.data()) == nullptr) std::abort();
      scratch_ = name;
      folder_ = scratch_ / "store";
    }
    std::filesystem::create_directories(folder_.parent_path());
    if (std::filesystem::exists(folder_ / "CURRENT")) {
      reopen();
    } else {
      fill();
    }
  }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store() {
    store_.reset();
    std::error_code error;
    if (!scratch_.empty()) std::filesystem::remove_all(scratch_, error);
  }

  vault::RocksdbTokenStore& get() { return *store_; }
  std::uint64_t rows() const { return rows_; }

 private:
  void fill() {
    store_ = Rocks::create(folder_, kInstallation).value();
    std::mt19937_64 random(1);
    for (std::uint64_t at = 0; at < rows_; at += kFillChunk) {
      std::vector<vault::NewRow> rows;
      for (std::uint64_t n = at; n < std::min(at + kFillChunk, rows_); ++n) {
        rows.push_back(row_of(n, row_bytes(random)));
      }
      if (!store_->commit(rows, {}, {})) std::abort();
    }
    // Out of memory and into tables, as after a restart.
    store_.reset();
    reopen();
  }
  void reopen() { store_ = Rocks::open(folder_, kInstallation, nullptr, memory_).value(); }

  std::uint64_t rows_;
  std::size_t memory_;
  std::filesystem::path scratch_;
  std::filesystem::path folder_;
  std::unique_ptr<vault::RocksdbTokenStore> store_;
};

// Known values, any of them equally likely: index and row, 64 at once, as the look-up thread does
// under load. A million different ones are asked for in turn, far more than the processor's caches
// hold.
void find_known(benchmark::State& state, Store& store, bool asked_before) {
  std::mt19937_64 random(2);
  std::vector<vault::IndexKey> keys(std::size_t{1} << 20U);
  for (vault::IndexKey& key : keys) key = index_of(random() % store.rows());
  std::vector<std::optional<vault::FoundFacts>> found(kBatch);
  std::size_t at = 0;
  std::uint64_t hits = 0;
  const auto ask = [&] {
    if (!store.get().find(std::span(keys).subspan(at, kBatch), found)) std::abort();
    for (const auto& one : found) hits += one ? 1U : 0U;
    at = (at + kBatch) % keys.size();
  };
  for (std::size_t i = 0; asked_before && i < keys.size(); i += kBatch) ask();
  hits = 0;
  for (auto _ : state) ask();
  const auto items = static_cast<std::uint64_t>(state.iterations()) * kBatch;
  if (hits != items) state.SkipWithError("a known value was not found");
  state.SetItemsProcessed(static_cast<std::int64_t>(items));
}

// Whatever was asked for before.
void store_find_known(benchmark::State& state) {
  Store store(static_cast<std::uint64_t>(state.range(0)));
  find_known(state, store, true);
}
BENCHMARK(store_find_known)->RangeMultiplier(10)->Range(1000, 10'000'000)->UseRealTime();

// For the first time since the start: out of the tables, wherever the system has them. Of the small
// stores most are asked for again and again, of 10^7 rows few.
void store_find_first(benchmark::State& state) {
  Store store(static_cast<std::uint64_t>(state.range(0)));
  find_known(state, store, false);
}
BENCHMARK(store_find_first)
    ->RangeMultiplier(10)
    ->Range(1000, 10'000'000)
    ->Iterations(8192)
    ->UseRealTime();

// New values: what look-up, write and fsync of 64 together cost.
void store_commit_new(benchmark::State& state) {
  Store store(static_cast<std::uint64_t>(state.range(0)));
  std::mt19937_64 random(std::random_device{}());
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<vault::NewRow> rows;
    for (std::size_t i = 0; i < kBatch; ++i) {
      rows.push_back(row_of(random() | (std::uint64_t{1} << 63U), row_bytes(random)));
    }
    state.ResumeTiming();
    if (!store.get().commit(rows, {}, {})) std::abort();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
}
BENCHMARK(store_commit_new)->RangeMultiplier(10)->Range(1000, 10'000'000)->UseRealTime();

double process_cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

// Rows that are there already, any of them equally likely, written once more: what the first use of
// a day does. As many as 64 requests with five of them at a time. Until the store has sorted them
// into its tables: with all threads, and until they rest.
void store_change_rows(benchmark::State& state) {
  constexpr std::size_t kRows = kBatch * 5;
  Store store(static_cast<std::uint64_t>(state.range(0)));
  std::mt19937_64 random(5);
  const std::string row = row_bytes(random);  // what is in it makes no difference to the store
  for (auto _ : state) {
    const double before = process_cpu_seconds();
    for (int turn = 0; turn < 1000; ++turn) {
      std::vector<vault::ChangedRow> changed;
      for (std::size_t i = 0; i < kRows; ++i) {
        changed.push_back({id_of(index_of(random() % store.rows())), row});
      }
      if (!store.get().commit({}, changed, {})) std::abort();
    }
    double then = process_cpu_seconds();
    for (bool rests = false; !rests;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      rests = process_cpu_seconds() - then < 0.005;
      then = process_cpu_seconds();
    }
    state.SetIterationTime(then - before);
  }
  state.SetItemsProcessed(state.iterations() * 1000 * static_cast<std::int64_t>(kRows));
}
BENCHMARK(store_change_rows)
    ->Arg(1000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Arg(10'000'000)
    ->Iterations(1)
    ->UseManualTime();

// One page of a walk over the rows, as re-sealing and retention make it, with so many rows in the
// write buffer, which hashes: each page has to bring these into an order.
void store_scan_page(benchmark::State& state) {
  constexpr std::size_t kPage = 2048;
  Store store(100'000);
  std::mt19937_64 random(4);
  std::vector<vault::ChangedRow> changed;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    changed.push_back({id_of(index_of(random() % store.rows())), row_bytes(random)});
  }
  if (!store.get().commit({}, changed, {})) std::abort();
  for (auto _ : state) {
    vault::Id after{};
    after[0] = static_cast<std::uint8_t>(random());
    const auto page = store.get().scan(after, kPage);
    if (!page) std::abort();
    benchmark::DoNotOptimize(page->size());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kPage));
}
BENCHMARK(store_scan_page)->Arg(0)->Arg(2048)->Arg(16'384)->UseRealTime();

}  // namespace
