#include "crypto/vault/engine/read_memory.h"

#include <algorithm>
#include <cstring>

namespace paravent::crypto::vault {
namespace {

constexpr std::size_t kLine = 64;

// A slot: u16 size of the value | key | value. Whole cache lines, so that no slot begins within
// one.
constexpr std::size_t slot_size(std::size_t key_bytes, std::size_t value_bytes) noexcept {
  const std::size_t used = sizeof(std::uint16_t) + key_bytes + value_bytes;
  return (used + kLine - 1) / kLine * kLine;
}

std::uint64_t word_at(std::string_view key, std::size_t at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, key.data() + at, sizeof word);
  return word;
}

// `word` as a fraction of `range`.
std::size_t scaled(std::uint64_t word, std::size_t range) noexcept {
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::size_t>((Wide{word} * range) >> 64U);
}

}  // namespace

ReadMemory::ReadMemory(std::size_t key_bytes, std::size_t value_bytes, std::size_t memory)
    : key_bytes_(key_bytes),
      value_bytes_(slot_size(key_bytes, value_bytes) - sizeof(std::uint16_t) - key_bytes),
      slot_bytes_(slot_size(key_bytes, value_bytes)),
      memory_(memory / (kWays * bytes_per_slot()) * kWays * bytes_per_slot()) {
  const std::size_t sets = memory / (kWays * bytes_per_slot());
  refused_ = sets > 0 && memory_.empty();
  if (memory_.empty()) return;
  sets_ = sets;
  slots_ = memory_.data();
  marks_ = reinterpret_cast<Mark*>(slots_ + sets_ * kWays * slot_bytes_);
}

ReadMemory::Place ReadMemory::place_of(std::string_view key) const noexcept {
  constexpr std::uint64_t kOfKey = 0x7ffe;
  return {scaled(word_at(key, 0), sets_), static_cast<Mark>((word_at(key, 8) & kOfKey) | 1U)};
}

ReadMemory::Ticket& ReadMemory::like(std::array<Ticket, kLikes>& changes,
                                     std::string_view key) noexcept {
  return changes[word_at(key, 8) >> 52U];
}

std::size_t ReadMemory::way_of(const Place& place, std::string_view key) const noexcept {
  constexpr Mark kKept = 0x7fff;
  const Mark* marks = marks_of(place.set);
  for (std::size_t way = 0; way < kWays; ++way) {
    if ((marks[way] & kKept) != place.mark) continue;
    const char* at = slot(place.set, way) + sizeof(std::uint16_t);
    if (std::memcmp(at, key.data(), key_bytes_) == 0) return way;
  }
  return kWays;
}

void ReadMemory::prefetch(const Place& place) const noexcept {
  constexpr Mark kKept = 0x7fff;
  const Mark* marks = marks_of(place.set);
  for (std::size_t way = 0; way < kWays; ++way) {
    if ((marks[way] & kKept) != place.mark) continue;
    const char* at = slot(place.set, way);
    for (std::size_t byte = 0; byte < slot_bytes_; byte += kLine) __builtin_prefetch(at + byte);
  }
}

void ReadMemory::find(std::span<const std::string_view> keys,
                      std::span<std::optional<std::string>> out, std::span<Ticket> tickets) {
  std::array<Place, kSideBySide> places;
  for (std::size_t at = 0; at < keys.size(); at += kSideBySide) {
    const std::size_t count = std::min(kSideBySide, keys.size() - at);
    const auto some = keys.subspan(at, count);
    if (sets_ > 0) {
      for (std::size_t i = 0; i < count; ++i) {
        places[i] = place_of(some[i]);
        __builtin_prefetch(marks_of(places[i].set));
      }
    }
    const std::scoped_lock lock(mutex_);
    if (sets_ > 0) {
      for (std::size_t i = 0; i < count; ++i) prefetch(places[i]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      out[at + i].reset();
      tickets[at + i] = like(changes_, some[i]);
      if (sets_ == 0) continue;
      const std::size_t way = way_of(places[i], some[i]);
      if (way == kWays) continue;
      marks_of(places[i].set)[way] |= Mark{0x8000};
      const char* held = slot(places[i].set, way);
      std::uint16_t size = 0;
      std::memcpy(&size, held, sizeof size);
      out[at + i].emplace(held + sizeof size + key_bytes_, size);
    }
  }
}

std::size_t ReadMemory::way_to_fill(const Place& place) noexcept {
  Mark* marks = marks_of(place.set);
  for (std::size_t way = 0; way < kWays; ++way) {
    if (marks[way] == 0) return way;
  }
  // Twice around: in the second turn nobody is "asked for" any more.
  for (std::size_t turn = 0; turn < 2 * kWays; ++turn) {
    const std::size_t way = hand_++ % kWays;
    if ((marks[way] & 0x8000U) == 0) return way;
    marks[way] &= Mark{0x7fff};
  }
  return 0;
}

void ReadMemory::put(const Place& place, std::size_t way, std::string_view key,
                     std::string_view value) {
  char* at = slot(place.set, way);
  const auto size = static_cast<std::uint16_t>(value.size());
  std::memcpy(at, &size, sizeof size);
  std::memcpy(at + sizeof size, key.data(), key_bytes_);
  std::memcpy(at + sizeof size + key_bytes_, value.data(), value.size());
  // Nothing of who was there before stays behind a shorter value.
  const std::size_t used = sizeof size + key_bytes_ + value.size();
  std::memset(at + used, 0, slot_bytes_ - used);
  marks_of(place.set)[way] = place.mark;
}

void ReadMemory::add(std::string_view key, std::string_view value, Ticket ticket) {
  if (sets_ == 0 || value.size() > value_bytes_) return;
  const Place place = place_of(key);
  const std::scoped_lock lock(mutex_);
  if (like(changes_, key) != ticket || way_of(place, key) != kWays) return;
  put(place, way_to_fill(place), key, value);
}

void ReadMemory::changed(std::string_view key, std::optional<std::string_view> value) {
  if (sets_ == 0) return;
  const Place place = place_of(key);
  const std::scoped_lock lock(mutex_);
  ++like(changes_, key);
  const std::size_t way = way_of(place, key);
  if (value && value->size() <= value_bytes_) {
    put(place, way == kWays ? way_to_fill(place) : way, key, *value);
  } else if (way != kWays) {
    std::memset(slot(place.set, way), 0, slot_bytes_);
    marks_of(place.set)[way] = 0;
  }
}

}  // namespace paravent::crypto::vault
