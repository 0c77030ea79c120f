#include "crypto/vault/engine/known_tokens.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace paravent::crypto::vault {
namespace {

// Words of a slot: which part of the entry lies where.
constexpr std::size_t kIdAt = 2;
constexpr std::size_t kWhenAt = 4;

// A table grows when one in so many of its slots had to be taken from a token of today, which
// happens when about half of them are in use; and by so many times.
constexpr std::size_t kDisplacedPart = 256;
constexpr std::size_t kGrowth = 4;

constexpr unsigned kGenerationBits = 40;
constexpr std::uint64_t kGenerations = (std::uint64_t{1} << kGenerationBits) - 1;

std::uint64_t when(std::uint32_t day, std::uint64_t generation) noexcept {
  return (std::uint64_t{day} << kGenerationBits) | (generation & kGenerations);
}

// Where in its set an entry is looked for first, and put when there is room: most lie there, so
// that of the set's three cache lines one or two are touched.
std::size_t home_of(const IndexKey& index) noexcept { return index[31]; }

}  // namespace

KnownTokens::Table::Table(std::size_t bytes) : memory(std::max(bytes, sizeof(Set))) {
  if (memory.empty()) return;
  count = std::max(bytes / sizeof(Set), std::size_t{1});
  // Zeros are what a set is made of: free slots.
  sets = reinterpret_cast<Set*>(memory.data());
}

// What it begins with: so little that growing by kGrowth again and again ends with a table and the
// one before that together are all that is allowed.
std::size_t KnownTokens::first_bytes(std::size_t most) noexcept {
  if (most <= kFirstBytes) return most;
  std::size_t bytes = most / (kGrowth + 1) * kGrowth;
  while (bytes > kFirstBytes) bytes /= kGrowth;
  return bytes;
}

KnownTokens::KnownTokens(std::size_t bytes) : most_bytes_(bytes) {
  // What will never be given is refused now, not on the day on which it is wanted.
  const bool promised = !ZeroedMemory(std::max(bytes, sizeof(Set))).empty();
  tables_.push_back(std::make_unique<Table>(promised ? first_bytes(bytes) : bytes));
  current_.store(tables_.back().get(), std::memory_order_release);
}

std::size_t KnownTokens::capacity() const noexcept {
  return current_.load(std::memory_order_acquire)->slots();
}

// By the half of the index that is not in the name.
KnownTokens::Set& KnownTokens::Table::set_of(const IndexKey& index) const noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, &index[16], sizeof word);
  __extension__ using Wide = unsigned __int128;
  return sets[static_cast<std::size_t>((Wide{word} * count) >> 64U)];
}

KnownTokens::Words KnownTokens::words_of(const Key& key, const Id& id,
                                         std::uint64_t generation) noexcept {
  Words words{};
  Words purpose{};
  std::memcpy(words.data(), key.index.data(), 2 * sizeof words[0]);
  std::memcpy(purpose.data(), key.purpose.data(), key.purpose.size());
  words[0] ^= purpose[0];
  words[1] ^= purpose[1] ^ key.key_id;
  std::memcpy(&words[kIdAt], id.data(), id.size());
  words[kWhenAt] = when(key.day, generation);
  return words;
}

void KnownTokens::expect(const IndexKey& index) const noexcept {
  const Table& table = *current_.load(std::memory_order_acquire);
  if (table.count == 0) return;
  const Slot& slot = table.set_of(index).slots[home_of(index) % kWays];
  __builtin_prefetch(&slot);
  __builtin_prefetch(&slot.words.back());
}

void KnownTokens::expect_to_add(const IndexKey& index) const noexcept {
  const Table& table = *current_.load(std::memory_order_acquire);
  if (table.count == 0) return;
  const char* set = reinterpret_cast<const char*>(&table.set_of(index));
  for (std::size_t at = 0; at < sizeof(Set); at += alignof(Set)) __builtin_prefetch(set + at, 1);
}

// Whether the slot stood still while it was read. The words are read with acquire, so that a
// version read after them is not older than any of them.
bool KnownTokens::read(const Slot& slot, Words& words) noexcept {
  const std::uint64_t before = slot.version.load(std::memory_order_acquire);
  if ((before & 1U) != 0 || before == 0) return false;
  for (std::size_t i = 0; i < kWords; ++i) {
    words[i] = slot.words[i].load(std::memory_order_acquire);
  }
  return slot.version.load(std::memory_order_relaxed) == before;
}

void KnownTokens::pause() {
  const std::scoped_lock lock(pause_mutex_);
  ++pauses_;
  generation_.store(0, std::memory_order_release);
}

void KnownTokens::resume() {
  const std::scoped_lock lock(pause_mutex_);
  if (--pauses_ == 0) generation_.store(next_++, std::memory_order_release);
}

std::optional<Id> KnownTokens::find(const Key& key) const noexcept {
  const std::uint64_t generation = this->generation();
  const Table& table = *current_.load(std::memory_order_acquire);
  if (generation == 0 || table.count == 0) return std::nullopt;
  if (auto id = find_in(table, key, generation)) return id;
  const Table* before = before_.load(std::memory_order_acquire);
  return before == nullptr ? std::nullopt : find_in(*before, key, generation);
}

std::optional<Id> KnownTokens::find_in(const Table& table, const Key& key,
                                       std::uint64_t generation) noexcept {
  const Words wanted = words_of(key, kNoId, generation);
  Words words{};
  const Set& set = table.set_of(key.index);
  const std::size_t home = home_of(key.index);
  for (std::size_t way = home; way < home + kWays; ++way) {
    const Slot& slot = set.slots[way % kWays];
    // Most slots of a set are told apart by their first word.
    if (slot.words[0].load(std::memory_order_relaxed) != wanted[0] || !read(slot, words)) continue;
    if (words[0] != wanted[0] || words[1] != wanted[1] || words[kWhenAt] != wanted[kWhenAt]) {
      continue;
    }
    Id id{};
    std::memcpy(id.data(), &words[kIdAt], id.size());
    return id;
  }
  return std::nullopt;
}

void KnownTokens::add(const Key& key, const Id& id, std::uint64_t generation) noexcept {
  Table& table = *current_.load(std::memory_order_acquire);
  if (generation == 0 || table.count == 0 || generation != this->generation()) return;
  const Words entry = words_of(key, id, generation);
  Set& set = table.set_of(key.index);
  Words words{};
  // Its own slot of an earlier day, else one that means nothing any more, else one by chance: any
  // bits of a keyed hash are as good a die as any.
  const std::size_t home = home_of(key.index);
  std::size_t chosen = entry[1] % kWays;
  bool displaces = true;
  for (std::size_t turn = kWays; turn-- > 0;) {
    const std::size_t i = (home + turn) % kWays;
    if (!read(set.slots[i], words)) {
      if (set.slots[i].version.load(std::memory_order_relaxed) != 0) continue;
      chosen = i;
      displaces = false;
      continue;
    }
    if (words[0] == entry[0] && words[1] == entry[1]) {
      if (words == entry) return;
      chosen = i;
      displaces = false;
      break;
    }
    if ((words[kWhenAt] & kGenerations) != (generation & kGenerations) ||
        (words[kWhenAt] >> kGenerationBits) < key.day) {
      chosen = i;
      displaces = false;
    }
  }
  Slot& slot = set.slots[chosen];
  std::uint64_t version = slot.version.load(std::memory_order_relaxed);
  if ((version & 1U) != 0 ||
      !slot.version.compare_exchange_strong(version, version + 1, std::memory_order_acq_rel)) {
    return;
  }
  for (std::size_t i = 0; i < kWords; ++i) {
    slot.words[i].store(entry[i], std::memory_order_release);
  }
  slot.version.store(version + 2, std::memory_order_release);
  if (displaces) note_displaced(table, key.day);
}

// Two that begin a day at once may count one less: no harm.
void KnownTokens::note_displaced(Table& table, std::uint32_t day) noexcept {
  if (table.day.load(std::memory_order_relaxed) != day) {
    table.day.store(day, std::memory_order_relaxed);
    table.displaced.store(0, std::memory_order_relaxed);
  }
  const std::uint64_t displaced = table.displaced.fetch_add(1, std::memory_order_relaxed) + 1;
  if (displaced % (table.slots() / kDisplacedPart + 1) == 0) grow(table);
}

void KnownTokens::grow(const Table& full) noexcept {
  const std::unique_lock lock(grow_mutex_, std::try_to_lock);
  if (!lock.owns_lock() || grown_up_ || current_.load(std::memory_order_relaxed) != &full) return;
  const std::size_t now = full.count * sizeof(Set);
  std::unique_ptr<Table> table;
  if (now + kGrowth * now <= most_bytes_) {
    // Where the system has not so much, half of it.
    for (std::size_t next = kGrowth * now; next >= 2 * now; next /= 2) {
      table = std::make_unique<Table>(next);
      if (table->count > 0) break;
    }
  }
  if (table == nullptr || table->count == 0) {
    grown_up_ = true;
    return;
  }
  Table* const let_go = before_.load(std::memory_order_relaxed);
  before_.store(current_.load(std::memory_order_relaxed), std::memory_order_release);
  current_.store(table.get(), std::memory_order_release);
  tables_.push_back(std::move(table));
  // Who reads there still sees an entry that was true, or none.
  if (let_go != nullptr) let_go->memory.discard();
}

}  // namespace paravent::crypto::vault
