#include "crypto/vault/engine/rows/known_tokens.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "crypto/base/out_of_memory.h"

namespace paravent::crypto::vault {
namespace {

// Words of a slot: which part of the entry lies where. The name is in the first two.
constexpr std::size_t kIdAt = 2;

// Of the second word: when the entry was made, so that add() can tell those of today from others;
// no part of the name. Not zero, which is a free slot.
constexpr unsigned kStampAt = 48;
constexpr std::uint64_t kStamp = std::uint64_t{0xffff} << kStampAt;

// A table grows when one in so many of its slots had to be taken from an entry of today, which
// happens when about half of them are in use; and by so many times.
constexpr std::size_t kDisplacedPart = 256;
constexpr std::size_t kGrowth = 4;

// 24 bits and 40 are more uses and generations than there will be.
std::uint64_t which(std::uint32_t use, std::uint64_t generation) noexcept {
  return (std::uint64_t{use} << 40U) ^ generation;
}

// Of neighbouring days and generations never the same; of others once in 32 768, and then an entry
// that nobody can find any more stays until its set is full.
std::uint64_t stamp_of(std::uint32_t day, std::uint64_t generation) noexcept {
  return ((generation * 181 + day) | 0x8000U) << kStampAt;
}

// What a slot is to an entry that looks for room, better ones later.
enum class Room : std::uint8_t { none, older, free, own };

// Which of its set's slots an entry is looked for in, and put when there is room: first its home,
// then the other one of the same cache line, then those of the other line.
std::size_t way_at(const IndexKey& index, std::size_t turn) noexcept {
  return (index[31] ^ turn) & 3U;
}

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

KnownTokens::Name KnownTokens::name_of(const Key& key, std::uint64_t generation) noexcept {
  Name name{};
  Name purpose{};
  static_assert(sizeof(Id) == sizeof purpose);
  std::memcpy(name.data(), key.index.data(), sizeof name);
  std::memcpy(purpose.data(), key.purpose.data(), sizeof purpose);
  name[0] ^= purpose[0] ^ which(key.use, generation);
  name[1] ^= purpose[1] ^ key.key_id;
  name[1] &= ~kStamp;
  return name;
}

// The entry of a name, where `words` have an id already. The id's words are laid over the name's,
// each over both: a slot whose words are of two entries has neither's name, because ids are random.
// So no version has to be kept beside them.
KnownTokens::Words KnownTokens::under_id(const Name& name, Words words) noexcept {
  words[0] = name[0] ^ words[2] ^ std::rotl(words[3], 29);
  words[1] = name[1] ^ ((words[3] ^ std::rotl(words[2], 17)) & ~kStamp);
  return words;
}

KnownTokens::Words KnownTokens::read(const Slot& slot) noexcept {
  Words words{};
  for (std::size_t i = 0; i < kWords; ++i) {
    words[i] = slot.words[i].load(std::memory_order_relaxed);
  }
  return words;
}

// Of the set's two lines the first: of a table that is half full nine in ten lie there, and to
// fetch both for the tenth gained nothing.
void KnownTokens::expect(const IndexKey& index) const noexcept {
  const Table& table = *current_.load(std::memory_order_acquire);
  if (table.count == 0) return;
  const Set& set = table.set_of(index);
  __builtin_prefetch(&set.slots[way_at(index, 0)]);
}

void KnownTokens::expect_to_add(const IndexKey& index) const noexcept {
  const Table& table = *current_.load(std::memory_order_acquire);
  if (table.count == 0) return;
  const Set& set = table.set_of(index);
  __builtin_prefetch(&set.slots[0], 1);
  __builtin_prefetch(&set.slots[2], 1);
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
  const Set& set = table.set_of(key.index);
  const Name name = name_of(key, generation);
  for (std::size_t turn = 0; turn < kWays; ++turn) {
    const Words words = read(set.slots[way_at(key.index, turn)]);
    const Words ours = under_id(name, words);
    if (words[0] != ours[0] || (words[1] & ~kStamp) != ours[1]) continue;
    Id id{};
    std::memcpy(id.data(), &words[kIdAt], id.size());
    return id;
  }
  return std::nullopt;
}

void KnownTokens::add(const Key& key, const Id& id, std::uint64_t generation,
                      std::uint32_t today) noexcept {
  Table& table = *current_.load(std::memory_order_acquire);
  if (generation == 0 || table.count == 0 || generation != this->generation()) return;
  Words entry{};
  std::memcpy(&entry[kIdAt], id.data(), id.size());
  entry = under_id(name_of(key, generation), entry);
  const std::uint64_t stamp = stamp_of(today, generation);
  entry[1] |= stamp;
  Set& set = table.set_of(key.index);
  // Where it is already, else the first that is free, else the first of another day, else one by
  // chance: any bits of a keyed hash are as good a die as any.
  std::size_t chosen = key.index[30] % kWays;
  Room room = Room::none;
  for (std::size_t turn = 0; turn < kWays; ++turn) {
    const std::size_t way = way_at(key.index, turn);
    const Words words = read(set.slots[way]);
    if (words == entry) return;
    const bool same = words[0] == entry[0] && ((words[1] ^ entry[1]) & ~kStamp) == 0 &&
                      words[2] == entry[2] && words[3] == entry[3];
    const std::uint64_t made = words[1] & kStamp;
    Room here = made == stamp ? Room::none : Room::older;
    if (made == 0) here = Room::free;
    if (same) here = Room::own;
    if (here <= room) continue;
    chosen = way;
    room = here;
  }
  for (std::size_t i = 0; i < kWords; ++i) {
    set.slots[chosen].words[i].store(entry[i], std::memory_order_relaxed);
  }
  if (room == Room::none) note_displaced(table, today);
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
  const bool has_place = with_memory([this] { reserve_one_more(tables_); });
  if (has_place && now + kGrowth * now <= most_bytes_) {
    // Where the system has not so much, half of it.
    for (std::size_t next = kGrowth * now; next >= 2 * now; next /= 2) {
      if (with_memory([&] { table = std::make_unique<Table>(next); }) && table->count > 0) break;
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
