// The key store: opening one with 100 000 context rows, and one durable change of it. A change
// rewrites the whole file; it happens when an epoch begins or an operator acts, never per request.

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crypto/vault/engine/catalogue/catalogue.h"
#include "crypto/vault/engine/keys/file_key_store.h"

namespace {

using namespace paravent::crypto;
using namespace paravent::crypto::vault;

constexpr Id kInstallation{7};

struct Keys {
  std::filesystem::path folder;
  RootKey root = RootKey::ephemeral();
  std::unique_ptr<Catalogue> catalogue;
  Id tenant = random_id();
  Id purpose = random_id();
  Id domain_key{};
  int next_epoch = 0;

  explicit Keys(int rows) {
    std::string name = (std::filesystem::temp_directory_path() / "paravent-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder = name;
    auto store = FileKeyStore::create(folder / kKeyStoreFile, kInstallation, root).value();
    ShredSecret shred = ShredSecret::create(folder / kShredSecretFile, kInstallation).value();
    KeyTree tree(root, shred);
    catalogue = Catalogue::load(std::move(store), std::move(tree), std::move(shred),
                                ShredFiles(folder, kInstallation))
                    .value();
    const Id tenant_key =
        catalogue->ensure_key({.key_class = KeyClass::tenant, .tenant = tenant}, kNoId, {}).value();
    domain_key =
        catalogue
            ->ensure_key({.key_class = KeyClass::domain, .tenant = tenant, .domain = purpose},
                         tenant_key, {})
            .value();
    // Ten rows under each day's key, as a policy of ten keyed fields makes them.
    for (int row = 0; row < rows; row += 10) add_day();
    if (!catalogue->commit()) std::abort();
  }
  ~Keys() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

  void add_day() {
    const Epoch epoch{EpochLength::day, next_epoch++};
    const Id key = catalogue
                       ->ensure_key({.key_class = KeyClass::epoch,
                                     .tenant = tenant,
                                     .domain = purpose,
                                     .purpose = purpose,
                                     .epoch = epoch},
                                    domain_key, {})
                       .value();
    for (int field = 0; field < 10; ++field) {
      ContextRow row;
      row.tenant_id = row.domain_id = row.purpose_id = id_text(tenant);
      row.space_id = std::string(16, static_cast<char>(field));
      row.epoch = epoch;
      row.algorithm = Algorithm::encrypted;
      catalogue->ensure_context(row, key);
    }
  }

  // As a start does: authenticated, parsed, indexed; every key's place known.
  std::unique_ptr<Catalogue> open() const {
    auto store = FileKeyStore::open(folder / kKeyStoreFile, root).value();
    ShredFiles files(folder, kInstallation);
    ShredSecret shred = files.settle(store->shred_number()).value();
    KeyTree tree(root, shred);
    return Catalogue::load(std::move(store), std::move(tree), std::move(shred), files).value();
  }
};

void keys_open(benchmark::State& state) {
  const Keys keys(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(keys.open());
  state.counters["MB"] =
      static_cast<double>(std::filesystem::file_size(keys.folder / kKeyStoreFile)) / 1e6;
}
BENCHMARK(keys_open)->Arg(1000)->Arg(100000)->Unit(benchmark::kMillisecond);

// An epoch begins: one key and ten rows more.
void keys_change(benchmark::State& state) {
  Keys keys(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    keys.add_day();
    if (!keys.catalogue->commit()) std::abort();
  }
}
BENCHMARK(keys_change)->Arg(1000)->Arg(100000)->Unit(benchmark::kMillisecond)->UseRealTime();

// One destroy batch: every other key is wrapped anew.
void keys_destroy(benchmark::State& state) {
  Keys keys(static_cast<int>(state.range(0)));
  auto it = keys.catalogue->keys().records().begin();
  for (auto _ : state) {
    while (it->second.key_class != KeyClass::epoch || is_destroyed(it->second.condition.state)) {
      ++it;
    }
    const Id id = it->first;
    if (!keys.catalogue->destroy(std::span(&id, 1), {}, {})) std::abort();
    it = keys.catalogue->keys().records().upper_bound(id);
  }
}
BENCHMARK(keys_destroy)->Arg(1000)->Arg(100000)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
