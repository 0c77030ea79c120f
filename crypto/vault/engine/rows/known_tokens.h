// KnownTokens: which tokens need no look-up: the cache in front of the token store.
//
// An entry says: the value behind this blind index has this token, and another use of it for this
// purpose says nothing new (live_contexts.h), so there is nothing to read and nothing to write.
// Held are keyed hashes, ids and days, never a value. What is not here is no statement at all: ask
// the store.
//
// Found by eight bytes of the blind index, which is an HMAC under a key of the vault: nobody
// outside can aim at a bucket. 32 bytes for each, in sets of four that are two neighbouring cache
// lines; most entries lie in the line where they are looked for first. One is replaced when a set
// is full. Nobody takes a lock and a reader writes nothing: a slot's words are each written whole,
// and they prove each other (see under_id()), so that of a slot in which two writers met, or that
// is being written, nobody reads more than that nothing is known. Thread safe.
//
// Begins with little memory and takes more when sets are full of what was added today: another
// table, four times as large, beside the one before, which is still read, and let go when the next
// one comes. Both together never have more than was allowed.
//
// While rows or index entries are being removed the cache is paused: it answers and takes nothing.
// Afterwards a new generation begins, and an entry of an older one is never seen again, also when
// it is added late by somebody who had looked before.

#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "crypto/vault/engine/base/zeroed_memory.h"
#include "crypto/vault/engine/rows/token_store.h"

namespace paravent::crypto::vault {

class KnownTokens {
 public:
  static constexpr std::size_t kSlotBytes = 32;
  static constexpr std::size_t kDefaultBytes = std::size_t{24} << 20U;
  static constexpr std::size_t kFirstBytes = kDefaultBytes / 16;

  struct Key {
    const IndexKey& index;
    const Id& purpose;
    std::uint32_t key_id = 0;
    std::uint32_t use = 0;  // which uses say the same (use_number()), 24 bits
  };

  // `bytes` at most; one set at least. When the system does not promise so much, nothing is
  // ever known; when it refuses it later, the memory stays as it is.
  explicit KnownTokens(std::size_t bytes = kDefaultBytes);

  // Pauses for as long as it lives; then everything is forgotten.
  class Pause {
   public:
    explicit Pause(KnownTokens& known) : known_(known) { known_.pause(); }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;
    ~Pause() { known_.resume(); }

   private:
    KnownTokens& known_;
  };

  // To be read before the store is, and handed to add(). 0: paused.
  std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

  // Has what find() will read brought near: for many keys, first of all, then find each.
  void expect(const IndexKey& index) const noexcept;
  // The same for what add() will read and write.
  void expect_to_add(const IndexKey& index) const noexcept;
  std::optional<Id> find(const Key& key) const noexcept;
  // `today`: so that what was added on other days makes room first.
  void add(const Key& key, const Id& id, std::uint64_t generation, std::uint32_t today) noexcept;

  // Of the table that is written to.
  std::size_t capacity() const noexcept;

 private:
  static constexpr std::size_t kWays = 4;
  // name 112 bits, and 16 of when the entry was made | id 16. The name is half of the index, with
  // purpose, key id, use and generation laid over it, and the id too: of two entries that differ in
  // any of them it is the same once in 2^112.
  static constexpr std::size_t kWords = 4;
  using Words = std::array<std::uint64_t, kWords>;

  struct Slot {
    std::array<std::atomic<std::uint64_t>, kWords> words{};
  };
  struct alignas(128) Set {
    std::array<Slot, kWays> slots;
  };
  static_assert(sizeof(Slot) == kSlotBytes && sizeof(Set) == 128);

  // Once made, a table is there until the end: whoever reads it may be late.
  struct Table {
    explicit Table(std::size_t bytes);
    Set& set_of(const IndexKey& index) const noexcept;
    std::size_t slots() const noexcept { return count * kWays; }

    ZeroedMemory memory;
    std::size_t count = 0;  // of sets; 0: the system did not give it
    Set* sets = nullptr;
    // Entries of `day` that had to go since it began.
    std::atomic<std::uint64_t> displaced{0};
    std::atomic<std::uint32_t> day{0};
  };

  static std::size_t first_bytes(std::size_t most) noexcept;
  static std::optional<Id> find_in(const Table& table, const Key& key,
                                   std::uint64_t generation) noexcept;
  void note_displaced(Table& table, std::uint32_t day) noexcept;
  void grow(const Table& full) noexcept;
  // What tells an entry, before the id is laid over it.
  using Name = std::array<std::uint64_t, 2>;
  static Name name_of(const Key& key, std::uint64_t generation) noexcept;
  static Words under_id(const Name& name, Words words) noexcept;
  static Words read(const Slot& slot) noexcept;
  void pause();
  void resume();

  std::atomic<std::uint64_t> generation_{1};
  std::mutex pause_mutex_;
  int pauses_ = 0;          // under pause_mutex_
  std::uint64_t next_ = 2;  // under pause_mutex_
  const std::size_t most_bytes_;
  std::mutex grow_mutex_;
  std::vector<std::unique_ptr<Table>> tables_;  // under grow_mutex_
  bool grown_up_ = false;                       // under grow_mutex_
  std::atomic<Table*> current_;
  std::atomic<Table*> before_{nullptr};
};

}  // namespace paravent::crypto::vault
