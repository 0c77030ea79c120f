#include "crypto/vault/engine/read_memory.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace paravent::crypto::vault {
namespace {

// Of a processor's cache. A set's marks fill one, which a segment's begin is aligned to: sets have
// whole lines, slots of sixteen too.
constexpr std::size_t kLine = 64;

constexpr std::uint32_t kInUse = 1;
constexpr std::uint32_t kAskedFor = 2;
constexpr std::uint32_t kNothing = 4;
constexpr unsigned kSizeAt = 8;
constexpr std::uint32_t kTag = 0xffff0000;

// Grows when so many of a hundred slots are in use. Segments that were not split yet in this round
// hold twice as much as those that were: at the round's end they are full.
constexpr std::size_t kFullPercent = 50;

std::uint64_t word_at(std::string_view key, std::size_t at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, key.data() + at, sizeof word);
  return word;
}

}  // namespace

ReadMemory::ReadMemory(std::size_t value_bytes, std::size_t memory)
    : value_bytes_(std::min(value_bytes, kMaxValue)),
      slot_bytes_(kKeyBytes + value_bytes_),
      segment_sets_(std::min(kSegmentSets, memory / (kWays * (slot_bytes_ + sizeof(Mark))))),
      segment_bytes_(segment_slots() * (slot_bytes_ + sizeof(Mark))),
      most_segments_(segment_bytes_ == 0 ? 0 : memory / segment_bytes_) {
  if (most_segments_ == 0) return;
  // What will never be given is refused now, not on the day on which it is wanted.
  refused_ = ZeroedMemory(most_segments_ * segment_bytes_).empty() || !take_piece();
  if (!refused_) segments_ = 1;
}

std::size_t ReadMemory::capacity() const {
  const std::scoped_lock lock(mutex_);
  return most_segments_ * segment_slots();
}

char* ReadMemory::begin_of(std::size_t segment) const noexcept {
  const auto piece = static_cast<std::size_t>(std::bit_width(segment));
  return begins_[piece] + (segment - std::bit_floor(segment)) * segment_bytes_;
}

// For the segment behind those in use, and as many more as there are already.
bool ReadMemory::take_piece() noexcept {
  const auto piece = static_cast<std::size_t>(std::bit_width(segments_));
  if (begins_[piece] != nullptr) return true;
  const std::size_t wanted =
      std::min(std::max(segments_, std::size_t{1}), most_segments_ - segments_);
  // Where the system has not so much, half of it, and that was the last.
  for (std::size_t count = wanted; count > 0; count /= 2) {
    auto memory = std::make_unique<ZeroedMemory>(count * segment_bytes_);
    if (memory->empty()) continue;
    if (count < wanted) most_segments_ = segments_ + count;
    begins_[piece] = memory->data();
    pieces_[piece] = std::move(memory);
    return true;
  }
  return false;
}

std::size_t ReadMemory::slots() const {
  const std::scoped_lock lock(mutex_);
  return segments_ * segment_slots();
}

std::size_t ReadMemory::held() const {
  const std::scoped_lock lock(mutex_);
  return held_;
}

// Linear hashing: segments are split in their order, and those that are new lie behind the others.
std::size_t ReadMemory::segment_of(std::uint64_t hash) const noexcept {
  const std::size_t whole = std::bit_floor(segments_);
  const std::size_t segment = hash & (2 * whole - 1);
  return segment < segments_ ? segment : segment - whole;
}

// Of the key's sixteen bytes the lowest say which segment, the next which set, others the tag.
ReadMemory::Place ReadMemory::place_of(std::string_view key) const noexcept {
  constexpr unsigned kSetAt = 40;
  constexpr unsigned kSetBits = 64 - kSetAt;
  const std::uint64_t hash = word_at(key, 0);
  char* const segment = begin_of(segment_of(hash));
  const std::size_t set = ((hash >> kSetAt) * segment_sets_) >> kSetBits;
  return {reinterpret_cast<Mark*>(segment) + set * kWays,
          segment + segment_slots() * sizeof(Mark) + set * kWays * slot_bytes_,
          static_cast<Mark>(word_at(key, 8)) & kTag};
}

ReadMemory::Ticket& ReadMemory::like(std::array<Ticket, kLikes>& changes,
                                     std::string_view key) noexcept {
  return changes[word_at(key, 8) >> 52U];
}

std::size_t ReadMemory::way_of(const Place& place, std::string_view key) const noexcept {
  for (std::size_t way = 0; way < kWays; ++way) {
    if ((place.marks[way] & (kTag | kInUse)) != (place.tag | kInUse)) continue;
    if (std::memcmp(slot(place, way), key.data(), kKeyBytes) == 0) return way;
  }
  return kWays;
}

void ReadMemory::prefetch(const Place& place) const noexcept {
  for (std::size_t way = 0; way < kWays; ++way) {
    if ((place.marks[way] & (kTag | kInUse)) != (place.tag | kInUse)) continue;
    const char* const at = slot(place, way);
    const std::size_t used = kKeyBytes + ((place.marks[way] >> kSizeAt) & 0xffU);
    for (std::size_t byte = 0; byte < used; byte += kLine) __builtin_prefetch(at + byte);
    __builtin_prefetch(at + used - 1);
  }
}

void ReadMemory::find(std::span<const std::string_view> keys,
                      std::span<std::optional<std::string>> out, std::span<Ticket> tickets) {
  std::array<Place, kSideBySide> places;
  for (std::size_t at = 0; at < keys.size(); at += kSideBySide) {
    const std::size_t count = std::min(kSideBySide, keys.size() - at);
    const auto some = keys.subspan(at, count);
    const std::scoped_lock lock(mutex_);
    if (segments_ > 0) {
      for (std::size_t i = 0; i < count; ++i) {
        places[i] = place_of(some[i]);
        __builtin_prefetch(places[i].marks);
      }
      for (std::size_t i = 0; i < count; ++i) prefetch(places[i]);
    }
    for (std::size_t i = 0; i < count; ++i) {
      out[at + i].reset();
      tickets[at + i] = like(changes_, some[i]);
      if (segments_ == 0) continue;
      const std::size_t way = way_of(places[i], some[i]);
      if (way == kWays) continue;
      Mark& mark = places[i].marks[way];
      mark |= kAskedFor;
      if ((mark & kNothing) != 0) {
        tickets[at + i] = kAbsent;
      } else {
        out[at + i].emplace(slot(places[i], way) + kKeyBytes, (mark >> kSizeAt) & 0xffU);
      }
    }
  }
}

std::size_t ReadMemory::way_to_fill(const Place& place) noexcept {
  for (std::size_t way = 0; way < kWays; ++way) {
    if (place.marks[way] != 0) continue;
    ++held_;
    return way;
  }
  // Twice around: in the second turn nobody is "asked for" any more.
  for (std::size_t turn = 0; turn < 2 * kWays; ++turn) {
    const std::size_t way = hand_++ % kWays;
    if ((place.marks[way] & kAskedFor) == 0) return way;
    place.marks[way] &= ~kAskedFor;
  }
  return 0;
}

// REQUIRES: value.size() <= value_bytes_.
void ReadMemory::put(const Place& place, std::size_t way, std::string_view key,
                     std::string_view value, Mark flags) {
  char* const at = slot(place, way);
  std::memcpy(at, key.data(), kKeyBytes);
  if (!value.empty()) std::memcpy(at + kKeyBytes, value.data(), value.size());
  // Nothing of who was there before stays behind a shorter value.
  const std::size_t used = kKeyBytes + value.size();
  std::memset(at + used, 0, slot_bytes_ - used);
  place.marks[way] = place.tag | kInUse | flags | (static_cast<Mark>(value.size()) << kSizeAt);
}

void ReadMemory::fill(std::string_view key, std::string_view value, Mark flags, Ticket ticket) {
  const std::scoped_lock lock(mutex_);
  if (segments_ == 0 || like(changes_, key) != ticket) return;
  const Place place = place_of(key);
  if (way_of(place, key) != kWays) return;
  put(place, way_to_fill(place), key, value, flags);
  grow_if_needed();
}

void ReadMemory::add(std::string_view key, std::string_view value, Ticket ticket) {
  if (value.size() > value_bytes_) return;
  fill(key, value, 0, ticket);
}

void ReadMemory::add_absent(std::string_view key, Ticket ticket) {
  fill(key, {}, kNothing, ticket);
}

void ReadMemory::changed(std::span<const Change> changes) {
  std::array<Place, kSideBySide> places;
  for (std::size_t at = 0; at < changes.size(); at += kSideBySide) {
    const auto some = changes.subspan(at, std::min(kSideBySide, changes.size() - at));
    const std::scoped_lock lock(mutex_);
    if (segments_ == 0) return;
    for (std::size_t i = 0; i < some.size(); ++i) {
      places[i] = place_of(some[i].key);
      __builtin_prefetch(places[i].marks, 1);
    }
    for (std::size_t i = 0; i < some.size(); ++i) prefetch(places[i]);
    for (std::size_t i = 0; i < some.size(); ++i) change(places[i], some[i]);
    // Moves slots: after all that were looked up.
    grow_if_needed();
  }
}

void ReadMemory::change(const Place& place, const Change& change) {
  Ticket& count = like(changes_, change.key);
  if (++count == kAbsent) count = 0;
  const std::size_t way = way_of(place, change.key);
  if (change.value && change.value->size() <= value_bytes_) {
    put(place, way == kWays ? way_to_fill(place) : way, change.key, *change.value, 0);
  } else if (way != kWays) {
    std::memset(slot(place, way), 0, slot_bytes_);
    place.marks[way] = 0;
    --held_;
  }
}

// One segment has more room than what can come between two calls.
void ReadMemory::grow_if_needed() noexcept {
  if (grown_up_ || held_ * 100 < segments_ * segment_slots() * kFullPercent) return;
  if (segments_ == most_segments_ || !take_piece()) {
    grown_up_ = true;
    return;
  }
  const std::size_t into = segments_;
  split(into - std::bit_floor(into), into);
}

// What belongs into the new segment moves to the same place there: set and way stay.
void ReadMemory::split(std::size_t from, std::size_t into) noexcept {
  segments_ = into + 1;
  char* const old_segment = begin_of(from);
  char* const new_segment = begin_of(into);
  Mark* const old_marks = reinterpret_cast<Mark*>(old_segment);
  Mark* const new_marks = reinterpret_cast<Mark*>(new_segment);
  const std::size_t slots_at = segment_slots() * sizeof(Mark);
  for (std::size_t i = 0; i < segment_slots(); ++i) {
    if (old_marks[i] == 0) continue;
    char* const slot = old_segment + slots_at + i * slot_bytes_;
    if (segment_of(word_at({slot, kKeyBytes}, 0)) != into) continue;
    std::memcpy(new_segment + slots_at + i * slot_bytes_, slot, slot_bytes_);
    new_marks[i] = old_marks[i];
    std::memset(slot, 0, slot_bytes_);
    old_marks[i] = 0;
  }
}

}  // namespace paravent::crypto::vault
