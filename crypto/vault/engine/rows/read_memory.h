// ReadMemory: what was read from one family of the token store, or written to it, kept in memory by
// its key. RocksDB's own cache holds blocks, and neighbours in a block are strangers here, because
// keys are keyed hashes and random ids: of a block that is wanted for one row the other nineteen
// are ballast. And finding a row through it costs some thirty places in memory, one after the
// other; here it is two or three, and those of many keys are fetched side by side.
//
// Sets of sixteen slots of one size. A set's marks fill one cache line; of each slot the first 64
// bytes (key and value, or the begin of it) another, and what is longer lies elsewhere: two lines
// are all that most look-ups touch. A key has two sets that it may lie in, the second for when the
// first is full. A value that is longer than a slot is not held. It begins small and grows with
// what it holds, up to the memory it may take, which is not asked for before: by one segment of
// sets at a time, into which half of another one moves (linear hashing), so that nobody waits for
// more than a fraction of a millisecond. When it may not grow any more and both sets are full, one
// of the first that was not asked for since the last such need gives way. A key that was removed is
// overwritten at once. That the store has nothing under a key can be held too: who mints asks for a
// key three times before there is a row.
//
// Always agrees with the store, as long as everything that is written is told after it was written
// and before the writer says so: whoever read before a key changed and comes with it afterwards is
// turned away (Ticket). Thread safe.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "crypto/vault/engine/base/zeroed_memory.h"

namespace paravent::crypto::vault {

class ReadMemory {
 public:
  // Of a key, which is a keyed hash or random: two keys that agree in these are one, as with ids.
  static constexpr std::size_t kKeyBytes = 16;
  static constexpr std::size_t kMaxValue = 255;

  // What find() says about a key that it does not hold: how often it, or one of its like, changed;
  // or that nothing is in the store under it.
  using Ticket = std::uint32_t;
  static constexpr Ticket kAbsent = 0xffffffff;

  struct Change {
    std::string_view key;
    // What the store has from now on; nullopt: nothing, or nobody knows.
    std::optional<std::string_view> value;
  };

  // Keys of kKeyBytes or more; values of up to `value_bytes`, which is kMaxValue at most. `memory`
  // bytes at most; too few for one set, or memory that the system refuses: holds nothing.
  ReadMemory(std::size_t value_bytes, std::size_t memory);
  ReadMemory(const ReadMemory&) = delete;
  ReadMemory& operator=(const ReadMemory&) = delete;
  ~ReadMemory() = default;

  // What is held for one of several keys. The values lie side by side in memory of the caller's.
  struct Held {
    Ticket ticket = 0;
    std::uint16_t size = 0;
    bool there = false;
  };

  // REQUIRES: as many `held` as keys, and value_bytes() of `values` for each: where held[i].there,
  // its value is held[i].size bytes from i * value_bytes() on.
  void find(std::span<const std::string_view> keys, std::span<Held> held, std::span<char> values);
  // What the store had for `key` after find() gave the ticket.
  void add(std::string_view key, std::string_view value, Ticket ticket);
  // It had nothing. Takes a slot like a value.
  void add_absent(std::string_view key, Ticket ticket);
  // In their order.
  void changed(std::span<const Change> changes);

  std::size_t value_bytes() const noexcept { return value_bytes_; }
  // The system did not give what was asked for, so nothing is held.
  bool refused() const noexcept { return refused_; }
  // Slots, when it has grown as far as it may.
  std::size_t capacity() const;
  // Slots now, and how many are in use.
  std::size_t slots() const;
  std::size_t held() const;
  // What one slot takes when values have up to `value_bytes`.
  static constexpr std::size_t bytes_per_slot(std::size_t value_bytes) noexcept {
    return kKeyBytes + value_bytes + sizeof(Mark);
  }

 private:
  // Bit 0: in use. Bit 1: asked for. Bit 2: the store has nothing there. Bits 8 to 15: the value's
  // size. Bits 16 to 31: of the key.
  using Mark = std::uint32_t;
  static constexpr std::size_t kWays = 16;
  static constexpr std::size_t kSegmentSets = 128;  // fewer only where there is no room for more
  static constexpr std::size_t kLikes = 4096;       // keys of one kind of change count together
  static constexpr std::size_t kSideBySide = 64;

  struct Set {
    Mark* marks = nullptr;
    char* heads = nullptr;  // key, and as much of the value as fits
    char* tails = nullptr;  // the rest
  };
  // Where a key may lie.
  struct Place {
    std::array<Set, 2> sets;
    Mark tag = 0;
  };
  // One slot; none: `mark` is null.
  struct Slot {
    Mark* mark = nullptr;
    char* head = nullptr;
    char* tail = nullptr;
  };

  std::size_t segment_slots() const noexcept { return segment_sets_ * kWays; }
  std::size_t segment_of(std::uint64_t hash) const noexcept;
  char* begin_of(std::size_t segment) const noexcept;
  Set set_at(char* segment, std::size_t set) const noexcept;
  Slot slot_at(const Set& set, std::size_t way) const noexcept;
  Place place_of(std::string_view key) const noexcept;
  static Ticket& like(std::array<Ticket, kLikes>& changes, std::string_view key) noexcept;
  // Bit n: the mark of way n is in use and has this tag.
  static std::uint32_t alike(const Set& set, Mark tag) noexcept;
  // Of these ways the one that holds the key.
  Slot find_among(const Set& set, std::uint32_t ways, std::string_view key) const noexcept;
  Slot find_at(const Place& place, std::string_view key) const noexcept;
  Slot slot_to_fill(const Place& place) noexcept;
  void put(const Slot& slot, Mark tag, std::string_view key, std::string_view value, Mark flags);
  void clear(const Slot& slot) const noexcept;
  void copy_value(const Slot& slot, std::size_t size, char* to) const noexcept;
  void fill(std::string_view key, std::string_view value, Mark flags, Ticket ticket);
  void change(const Place& place, const Change& change);
  void prefetch(const Set& set, std::uint32_t ways) const noexcept;
  bool take_piece() noexcept;
  void grow_if_needed() noexcept;
  void split(std::size_t from, std::size_t into) noexcept;

  const std::size_t value_bytes_;
  const std::size_t slot_bytes_;  // a slot's head and tail
  const std::size_t head_bytes_;
  const std::size_t segment_sets_;
  const std::size_t segment_bytes_;
  std::size_t most_segments_;  // less when the system gives less
  bool refused_ = false;

  mutable std::mutex mutex_;  // of all that follows, and of marks and slots
  // Of the system's memory: for the first segment, for the second, the next two, the next four ...
  static constexpr std::size_t kMostPieces = 48;
  std::array<std::unique_ptr<ZeroedMemory>, kMostPieces> pieces_;
  std::array<char*, kMostPieces> begins_{};
  std::size_t segments_ = 0;  // in use; 0: nothing is ever held
  bool grown_up_ = false;     // or the system gives no more
  std::size_t held_ = 0;
  std::array<Ticket, kLikes> changes_{};
  std::size_t hand_ = 0;  // where the next search for somebody who gives way begins
};

}  // namespace paravent::crypto::vault
