#include "crypto/vault/engine/known_tokens.h"

#include <algorithm>
#include <cstring>

namespace paravent::crypto::vault {
namespace {

// Words of a slot: which part of the entry lies where.
constexpr std::size_t kIdAt = 2;
constexpr std::size_t kWhenAt = 4;

constexpr unsigned kGenerationBits = 40;
constexpr std::uint64_t kGenerations = (std::uint64_t{1} << kGenerationBits) - 1;

std::uint64_t when(std::uint32_t day, std::uint64_t generation) noexcept {
  return (std::uint64_t{day} << kGenerationBits) | (generation & kGenerations);
}

// Where in its set an entry is looked for first, and put when there is room: most lie there, so
// that of the set's three cache lines one or two are touched.
std::size_t home_of(const IndexKey& index) noexcept { return index[31]; }

}  // namespace

KnownTokens::KnownTokens(std::size_t bytes) : memory_(std::max(bytes, sizeof(Set))) {
  if (memory_.empty()) return;
  count_ = std::max(bytes / sizeof(Set), std::size_t{1});
  // Zeros are what a set is made of: free slots.
  sets_ = reinterpret_cast<Set*>(memory_.data());
}

// By the half of the index that is not in the name.
KnownTokens::Set& KnownTokens::set_of(const IndexKey& index) const noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, &index[16], sizeof word);
  __extension__ using Wide = unsigned __int128;
  return sets_[static_cast<std::size_t>((Wide{word} * count_) >> 64U)];
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
  if (count_ == 0) return;
  const Slot& slot = set_of(index).slots[home_of(index) % kWays];
  __builtin_prefetch(&slot);
  __builtin_prefetch(&slot.words.back());
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
  if (generation == 0 || count_ == 0) return std::nullopt;
  const Words wanted = words_of(key, kNoId, generation);
  Words words{};
  const Set& set = set_of(key.index);
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
  if (generation == 0 || count_ == 0 || generation != this->generation()) return;
  const Words entry = words_of(key, id, generation);
  Set& set = set_of(key.index);
  Words words{};
  // Its own slot of an earlier day, else one that means nothing any more, else one by chance: any
  // bits of a keyed hash are as good a die as any.
  const std::size_t home = home_of(key.index);
  std::size_t chosen = entry[1] % kWays;
  for (std::size_t turn = kWays; turn-- > 0;) {
    const std::size_t i = (home + turn) % kWays;
    if (!read(set.slots[i], words)) {
      if (set.slots[i].version.load(std::memory_order_relaxed) == 0) chosen = i;
      continue;
    }
    if (words[0] == entry[0] && words[1] == entry[1]) {
      chosen = i;
      break;
    }
    if ((words[kWhenAt] & kGenerations) != (generation & kGenerations) ||
        (words[kWhenAt] >> kGenerationBits) < key.day) {
      chosen = i;
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
}

}  // namespace paravent::crypto::vault
