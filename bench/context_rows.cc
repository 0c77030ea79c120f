// context_rows DATA ROOT-KEY COUNT: adds context rows to the key store of a gateway that is
// stopped, ten under each day's key of its first domain, for days that have not come: what
// unsealing.py opens. Changes nothing else there.

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/base/clock.h"
#include "crypto/vault/engine/catalogue/catalogue.h"
#include "crypto/vault/engine/keys/file_key_store.h"

namespace {

using namespace paravent::crypto;
using namespace paravent::crypto::vault;

constexpr int kRowsOfADay = 10;

// Nothing beside it has to go on: whatever is wrong ends the program with one sentence.
template <typename T>
T expect(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "context_rows: %s\n", std::string(result.error().sentence()).c_str());
    std::exit(1);
  }
  return std::move(*result);
}

const KeyRecord& first_domain(const Catalogue& catalogue) {
  for (const auto& [id, record] : catalogue.keys().records()) {
    if (record.key_class == KeyClass::domain) return record;
  }
  std::fprintf(stderr, "context_rows: the key store has no domain yet; start a gateway on it\n");
  std::exit(1);
}

void add_day(Catalogue& catalogue, const KeyRecord& domain, const Epoch& epoch, WallTime now) {
  const Id purpose = domain.domain;  // a place of its own: no policy has a purpose of this id
  const Id key = expect(catalogue.ensure_key({.key_class = KeyClass::epoch,
                                              .tenant = domain.tenant,
                                              .domain = domain.domain,
                                              .purpose = purpose,
                                              .epoch = epoch},
                                             domain.id, now));
  for (int field = 0; field < kRowsOfADay; ++field) {
    ContextRow row;
    row.tenant_id = id_text(domain.tenant);
    row.domain_id = row.purpose_id = id_text(domain.domain);
    row.space_id = std::string(16, static_cast<char>(field));
    row.epoch = epoch;
    row.algorithm = Algorithm::encrypted;
    catalogue.ensure_context(row, key);
  }
}

}  // namespace

int main(int argc, char** argv) {
  int count = 0;
  const std::string_view wanted = argc == 4 ? argv[3] : "";
  const auto read = std::from_chars(wanted.data(), wanted.data() + wanted.size(), count);
  if (read.ec != std::errc() || read.ptr != wanted.data() + wanted.size() || count < 1) {
    std::fprintf(stderr, "usage: context_rows DATA ROOT-KEY COUNT\n");
    return 2;
  }
  const std::filesystem::path keys = std::filesystem::path(argv[1]) / "keys";
  const RootKey root = expect(RootKey::read(argv[2]));
  auto store = expect(FileKeyStore::open(keys / kKeyStoreFile, root));
  ShredFiles files(keys, store->installation());
  ShredSecret shred = expect(files.settle(store->shred_number()));
  KeyTree tree(root, shred);
  auto catalogue = expect(
      Catalogue::load(std::move(store), std::move(tree), std::move(shred), std::move(files)));
  const KeyRecord domain = first_domain(*catalogue);
  const WallTime now = SystemClock().now();
  const auto today = std::chrono::duration_cast<std::chrono::days>(now.time_since_epoch()).count();
  int index = static_cast<int>(today);
  for (int made = 0; made < count; made += kRowsOfADay) {
    add_day(*catalogue, domain, Epoch{EpochLength::day, ++index}, now);
  }
  if (const auto done = catalogue->commit(); !done) {
    std::fprintf(stderr, "context_rows: %s\n", std::string(done.error().sentence()).c_str());
    return 1;
  }
  std::printf("%zu context rows\n", catalogue->contexts().size());
  return 0;
}
