// ReadMemory: what was read from one family of the token store, or written to it, kept in memory by
// its key. RocksDB's own cache holds blocks, and neighbours in a block are strangers here, because
// keys are keyed hashes and random ids: of a block that is wanted for one row the other nineteen
// are ballast. And finding a row through it costs some thirty places in memory, one after the
// other; here it is five, and those of many keys are fetched side by side.
//
// Fixed memory, touched as it fills (zeroed_memory.h): sets of sixteen slots of one size, with a
// mark of two bytes for each slot kept apart. A value that is longer than a slot is not held. When
// a set is full, one that was not asked for since the last such need gives way. A key that was
// removed is overwritten at once.
//
// Always agrees with the store, as long as everything that is written is told after it was written
// and before the writer says so: whoever read before a key changed and comes with it afterwards is
// turned away (Ticket). Thread safe.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "crypto/vault/engine/zeroed_memory.h"

namespace paravent::crypto::vault {

class ReadMemory {
 public:
  // What find() says about a key that it does not hold: how often it, or one of its like, changed.
  using Ticket = std::uint32_t;

  // Keys of `key_bytes` (16 or more, any of them a good hash), values of up to `value_bytes`.
  // `memory` bytes at most; too few for one set, or memory that the system refuses: holds nothing.
  ReadMemory(std::size_t key_bytes, std::size_t value_bytes, std::size_t memory);
  ReadMemory(const ReadMemory&) = delete;
  ReadMemory& operator=(const ReadMemory&) = delete;
  ~ReadMemory() = default;

  // REQUIRES: all three are of one size. `out` is empty where nothing is held.
  void find(std::span<const std::string_view> keys, std::span<std::optional<std::string>> out,
            std::span<Ticket> tickets);
  // What the store had for `key` after find() gave the ticket.
  void add(std::string_view key, std::string_view value, Ticket ticket);
  // What the store has from now on; nullopt: nothing, or nobody knows.
  void changed(std::string_view key, std::optional<std::string_view> value);

  // The system did not give what was asked for, so nothing is held.
  bool refused() const noexcept { return refused_; }
  std::size_t capacity() const noexcept { return sets_ * kWays; }
  // What one key takes.
  std::size_t bytes_per_slot() const noexcept { return slot_bytes_ + sizeof(Mark); }

 private:
  // 0: free. Else bit 0 is set, bit 15 says "asked for", the rest is of the key.
  using Mark = std::uint16_t;
  static constexpr std::size_t kWays = 16;
  static constexpr std::size_t kLikes = 4096;  // keys of one kind of change count together
  static constexpr std::size_t kSideBySide = 64;

  struct Place {
    std::size_t set = 0;
    Mark mark = 0;
  };

  Place place_of(std::string_view key) const noexcept;
  Mark* marks_of(std::size_t set) const noexcept { return marks_ + set * kWays; }
  char* slot(std::size_t set, std::size_t way) const noexcept {
    return slots_ + (set * kWays + way) * slot_bytes_;
  }
  static Ticket& like(std::array<Ticket, kLikes>& changes, std::string_view key) noexcept;
  // The way that holds the key, or kWays.
  std::size_t way_of(const Place& place, std::string_view key) const noexcept;
  std::size_t way_to_fill(const Place& place) noexcept;
  void put(const Place& place, std::size_t way, std::string_view key, std::string_view value);
  void prefetch(const Place& place) const noexcept;

  const std::size_t key_bytes_;
  const std::size_t value_bytes_;
  const std::size_t slot_bytes_;
  const ZeroedMemory memory_;
  bool refused_ = false;
  std::size_t sets_ = 0;
  Mark* marks_ = nullptr;
  char* slots_ = nullptr;

  std::mutex mutex_;  // of all that follows, and of marks and slots
  std::array<Ticket, kLikes> changes_{};
  std::size_t hand_ = 0;  // where the next search for somebody who gives way begins
};

}  // namespace paravent::crypto::vault
