#include "crypto/vault/engine/rows/read_memory.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace paravent::crypto::vault {
namespace {

// Of a processor's cache. A set's marks fill one, and so does a head where slots are as long: a
// segment begins where a line does, and has first all marks, then all heads, then all tails.
constexpr std::size_t kLine = 64;

constexpr std::uint32_t kInUse = 1;
constexpr std::uint32_t kAskedFor = 2;
constexpr std::uint32_t kNothing = 4;
constexpr unsigned kSizeAt = 8;
constexpr std::uint32_t kTag = 0xffff0000;

// Grows when so many of a hundred slots are in use. Segments that were not split yet in this round
// hold twice as much as those that were: at the round's end they are nearly full.
constexpr std::size_t kFullPercent = 48;

std::uint64_t word_at(std::string_view key, std::size_t at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, key.data() + at, sizeof word);
  return word;
}

}  // namespace

ReadMemory::ReadMemory(std::size_t value_bytes, std::size_t memory)
    : value_bytes_(std::min(value_bytes, kMaxValue)),
      slot_bytes_(kKeyBytes + value_bytes_),
      head_bytes_(std::min(slot_bytes_, kLine)),
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

ReadMemory::Set ReadMemory::set_at(char* segment, std::size_t set) const noexcept {
  char* const heads = segment + segment_slots() * sizeof(Mark);
  char* const tails = heads + segment_slots() * head_bytes_;
  return {reinterpret_cast<Mark*>(segment) + set * kWays, heads + set * kWays * head_bytes_,
          tails + set * kWays * (slot_bytes_ - head_bytes_)};
}

ReadMemory::Slot ReadMemory::slot_at(const Set& set, std::size_t way) const noexcept {
  return {set.marks + way, set.heads + way * head_bytes_,
          set.tails + way * (slot_bytes_ - head_bytes_)};
}

// Of the key's sixteen bytes the lowest say which segment, others which two sets of it, and the
// tag. Both sets are of one segment: what is split stays in its set and way.
ReadMemory::Place ReadMemory::place_of(std::string_view key) const noexcept {
  constexpr unsigned kSetAt = 40;
  constexpr unsigned kSetBits = 64 - kSetAt;
  constexpr unsigned kOtherBits = 16;
  const std::uint64_t hash = word_at(key, 0);
  const std::uint64_t more = word_at(key, 8);
  char* const segment = begin_of(segment_of(hash));
  const std::size_t set = ((hash >> kSetAt) * segment_sets_) >> kSetBits;
  // Any of the others; itself where there is no other.
  const std::size_t step = 1 + (((more & 0xffffU) * (segment_sets_ - 1)) >> kOtherBits);
  return {{set_at(segment, set), set_at(segment, (set + step) % segment_sets_)},
          static_cast<Mark>(more) & kTag};
}

ReadMemory::Ticket& ReadMemory::like(std::array<Ticket, kLikes>& changes,
                                     std::string_view key) noexcept {
  return changes[word_at(key, 8) >> 52U];
}

// All sixteen without a branch: which one it is nobody can predict.
std::uint32_t ReadMemory::alike(const Set& set, Mark tag) noexcept {
  std::uint32_t ways = 0;
  for (std::size_t way = 0; way < kWays; ++way) {
    const bool same = (set.marks[way] & (kTag | kInUse)) == (tag | kInUse);
    ways |= std::uint32_t{same} << way;
  }
  return ways;
}

ReadMemory::Slot ReadMemory::find_among(const Set& set, std::uint32_t ways,
                                        std::string_view key) const noexcept {
  for (; ways != 0; ways &= ways - 1) {
    const Slot slot = slot_at(set, static_cast<std::size_t>(std::countr_zero(ways)));
    if (std::memcmp(slot.head, key.data(), kKeyBytes) == 0) return slot;
  }
  return {};
}

// A key lies in one of its sets only: whoever puts one looks at both before.
ReadMemory::Slot ReadMemory::find_at(const Place& place, std::string_view key) const noexcept {
  for (const Set& set : place.sets) {
    const Slot slot = find_among(set, alike(set, place.tag), key);
    if (slot.mark != nullptr) return slot;
  }
  return {};
}

void ReadMemory::prefetch(const Set& set, std::uint32_t ways) const noexcept {
  for (; ways != 0; ways &= ways - 1) {
    const Slot slot = slot_at(set, static_cast<std::size_t>(std::countr_zero(ways)));
    __builtin_prefetch(slot.head);
    const std::size_t used = kKeyBytes + ((*slot.mark >> kSizeAt) & 0xffU);
    if (used > head_bytes_) __builtin_prefetch(slot.tail);
  }
}

void ReadMemory::copy_value(const Slot& slot, std::size_t size, char* to) const noexcept {
  const std::size_t first = std::min(size, head_bytes_ - kKeyBytes);
  if (first > 0) std::memcpy(to, slot.head + kKeyBytes, first);
  if (size > first) std::memcpy(to + first, slot.tail, size - first);
}

void ReadMemory::find(std::span<const std::string_view> keys, std::span<Held> held,
                      std::span<char> values) {
  std::array<Place, kSideBySide> places;
  std::array<std::uint32_t, kSideBySide> ways{};  // of the first set
  for (std::size_t at = 0; at < keys.size(); at += kSideBySide) {
    const std::size_t count = std::min(kSideBySide, keys.size() - at);
    const auto some = keys.subspan(at, count);
    const std::scoped_lock lock(mutex_);
    if (segments_ > 0) {
      for (std::size_t i = 0; i < count; ++i) {
        places[i] = place_of(some[i]);
        __builtin_prefetch(places[i].sets[0].marks);
      }
      // In the second set lie a few, and what is not held costs a read of the store anyway.
      for (std::size_t i = 0; i < count; ++i) {
        ways[i] = alike(places[i].sets[0], places[i].tag);
        prefetch(places[i].sets[0], ways[i]);
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      held[at + i] = {like(changes_, some[i]), 0, false};
      if (segments_ == 0) continue;
      Slot slot = find_among(places[i].sets[0], ways[i], some[i]);
      if (slot.mark == nullptr) slot = find_at(places[i], some[i]);
      if (slot.mark == nullptr) continue;
      // Written only where it is not there yet: a line that is only read need not be written back.
      if ((*slot.mark & kAskedFor) == 0) *slot.mark |= kAskedFor;
      if ((*slot.mark & kNothing) != 0) {
        held[at + i].ticket = kAbsent;
        continue;
      }
      const std::size_t size = (*slot.mark >> kSizeAt) & 0xffU;
      held[at + i].size = static_cast<std::uint16_t>(size);
      held[at + i].there = true;
      copy_value(slot, size, values.data() + (at + i) * value_bytes_);
    }
  }
}

ReadMemory::Slot ReadMemory::slot_to_fill(const Place& place) noexcept {
  for (const Set& set : place.sets) {
    for (std::size_t way = 0; way < kWays; ++way) {
      if (set.marks[way] != 0) continue;
      ++held_;
      return slot_at(set, way);
    }
  }
  // Twice around: in the second turn nobody is "asked for" any more.
  const Set& first = place.sets[0];
  for (std::size_t turn = 0; turn < 2 * kWays; ++turn) {
    const std::size_t way = hand_++ % kWays;
    if ((first.marks[way] & kAskedFor) == 0) return slot_at(first, way);
    first.marks[way] &= ~kAskedFor;
  }
  return slot_at(first, 0);
}

// Nothing of who was there before stays behind.
void ReadMemory::clear(const Slot& slot) const noexcept {
  std::memset(slot.head, 0, head_bytes_);
  if (slot_bytes_ > head_bytes_) std::memset(slot.tail, 0, slot_bytes_ - head_bytes_);
  *slot.mark = 0;
}

// REQUIRES: value.size() <= value_bytes_.
void ReadMemory::put(const Slot& slot, Mark tag, std::string_view key, std::string_view value,
                     Mark flags) {
  // The tail too only where something is in it: it is another line.
  const std::size_t was = kKeyBytes + ((*slot.mark >> kSizeAt) & 0xffU);
  if (was > head_bytes_) std::memset(slot.tail, 0, slot_bytes_ - head_bytes_);
  const std::size_t first = std::min(value.size(), head_bytes_ - kKeyBytes);
  std::memcpy(slot.head, key.data(), kKeyBytes);
  if (first > 0) std::memcpy(slot.head + kKeyBytes, value.data(), first);
  std::memset(slot.head + kKeyBytes + first, 0, head_bytes_ - kKeyBytes - first);
  if (value.size() > first) std::memcpy(slot.tail, value.data() + first, value.size() - first);
  *slot.mark = tag | kInUse | flags | (static_cast<Mark>(value.size()) << kSizeAt);
}

void ReadMemory::fill(std::string_view key, std::string_view value, Mark flags, Ticket ticket) {
  const std::scoped_lock lock(mutex_);
  if (segments_ == 0 || like(changes_, key) != ticket) return;
  const Place place = place_of(key);
  if (find_at(place, key).mark != nullptr) return;
  put(slot_to_fill(place), place.tag, key, value, flags);
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
      for (const Set& set : places[i].sets) __builtin_prefetch(set.marks, 1);
    }
    for (std::size_t i = 0; i < some.size(); ++i) {
      const Set& first = places[i].sets[0];
      prefetch(first, alike(first, places[i].tag));
    }
    for (std::size_t i = 0; i < some.size(); ++i) change(places[i], some[i]);
    // Moves slots: after all that were looked up.
    grow_if_needed();
  }
}

void ReadMemory::change(const Place& place, const Change& change) {
  Ticket& count = like(changes_, change.key);
  if (++count == kAbsent) count = 0;
  const Slot slot = find_at(place, change.key);
  if (change.value && change.value->size() <= value_bytes_) {
    put(slot.mark == nullptr ? slot_to_fill(place) : slot, place.tag, change.key, *change.value, 0);
  } else if (slot.mark != nullptr) {
    clear(slot);
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
  const std::size_t tail_bytes = slot_bytes_ - head_bytes_;
  for (std::size_t set = 0; set < segment_sets_; ++set) {
    const Set old_set = set_at(begin_of(from), set);
    const Set new_set = set_at(begin_of(into), set);
    for (std::size_t way = 0; way < kWays; ++way) {
      if (old_set.marks[way] == 0) continue;
      const Slot slot = slot_at(old_set, way);
      if (segment_of(word_at({slot.head, kKeyBytes}, 0)) != into) continue;
      const Slot there = slot_at(new_set, way);
      std::memcpy(there.head, slot.head, head_bytes_);
      if (tail_bytes > 0) std::memcpy(there.tail, slot.tail, tail_bytes);
      *there.mark = *slot.mark;
      clear(slot);
    }
  }
}

}  // namespace paravent::crypto::vault
