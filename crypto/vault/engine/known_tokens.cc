#include "crypto/vault/engine/known_tokens.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace paravent::crypto::vault {
namespace {

// Words of a slot: which part of the entry lies where.
constexpr std::size_t kKeyWords = 6;  // index, purpose
constexpr std::size_t kIdAt = 6;
constexpr std::size_t kWhenAt = 8;
constexpr std::size_t kGenerationAt = 9;

}  // namespace

KnownTokens::KnownTokens(std::size_t bytes)
    : mask_(std::bit_floor(std::max(bytes / sizeof(Set), std::size_t{1})) - 1),
      sets_(std::make_unique<Set[]>(mask_ + 1)) {}

KnownTokens::Words KnownTokens::words_of(const Key& key, const Id& id,
                                         std::uint64_t generation) noexcept {
  Words words{};
  std::memcpy(&words[0], key.index.data(), key.index.size());
  std::memcpy(&words[4], key.purpose.data(), key.purpose.size());
  std::memcpy(&words[kIdAt], id.data(), id.size());
  words[kWhenAt] = (std::uint64_t{key.key_id} << 32U) | key.day;
  words[kGenerationAt] = generation;
  return words;
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
  const Words wanted = words_of(key, kNoId, generation());
  if (wanted[kGenerationAt] == 0) return std::nullopt;
  Words words{};
  for (const Slot& slot : set_of(wanted).slots) {
    // Most slots of a set are told apart by their first word.
    if (slot.words[0].load(std::memory_order_relaxed) != wanted[0] || !read(slot, words)) continue;
    if (std::memcmp(words.data(), wanted.data(), kKeyWords * sizeof(words[0])) != 0 ||
        words[kWhenAt] != wanted[kWhenAt] || words[kGenerationAt] != wanted[kGenerationAt]) {
      continue;
    }
    Id id{};
    std::memcpy(id.data(), &words[kIdAt], id.size());
    return id;
  }
  return std::nullopt;
}

void KnownTokens::add(const Key& key, const Id& id, std::uint64_t generation) noexcept {
  if (generation == 0 || generation != this->generation()) return;
  const Words entry = words_of(key, id, generation);
  Set& set = set_of(entry);
  Words words{};
  // Its own slot of an earlier day, else one that means nothing any more, else one by chance: the
  // second word of a keyed hash is as good a die as any.
  std::size_t chosen = entry[1] % kWays;
  for (std::size_t i = kWays; i-- > 0;) {
    if (!read(set.slots[i], words)) {
      if (set.slots[i].version.load(std::memory_order_relaxed) == 0) chosen = i;
      continue;
    }
    if (std::memcmp(words.data(), entry.data(), kKeyWords * sizeof(words[0])) == 0) {
      chosen = i;
      break;
    }
    const auto day = static_cast<std::uint32_t>(words[kWhenAt]);
    if (words[kGenerationAt] != generation || day < key.day) chosen = i;
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
