#include "crypto/vault/engine/rows/read_memory.h"

#include <array>
#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "crypto/primitives/random.h"
#include "crypto/vault/engine/rows/rocksdb_token_store.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::size_t kKey = 16;
constexpr std::size_t kValue = 46;  // with its key and size one cache line
constexpr std::size_t kMemory = std::size_t{1} << 20U;

std::string random_key() {
  std::string key(kKey, '\0');
  random_bytes({reinterpret_cast<std::uint8_t*>(key.data()), key.size()});
  return key;
}

struct Answer {
  std::optional<std::string> value;
  ReadMemory::Ticket ticket = 0;
};

Answer ask(ReadMemory& memory, std::string_view key) {
  Answer answer;
  std::array<char, ReadMemory::kMaxValue> bytes{};
  ReadMemory::Held held;
  memory.find(std::span(&key, 1), std::span(&held, 1), bytes);
  if (held.there) answer.value.emplace(bytes.data(), held.size);
  answer.ticket = held.ticket;
  return answer;
}

void change(ReadMemory& memory, std::string_view key, std::optional<std::string_view> value) {
  const ReadMemory::Change change{key, value};
  memory.changed(std::span(&change, 1));
}

TEST(ReadMemory, HoldsWhatWasReadAndWhatWasWritten) {
  ReadMemory memory(kValue, kMemory);
  const std::string read = random_key();
  const Answer first = ask(memory, read);
  EXPECT_FALSE(first.value);
  memory.add(read, "read", first.ticket);
  EXPECT_EQ(ask(memory, read).value, "read");
  change(memory, read, "written");
  EXPECT_EQ(ask(memory, read).value, "written");
  change(memory, read, std::nullopt);
  EXPECT_FALSE(ask(memory, read).value);
  const std::string made = random_key();
  change(memory, made, "");
  EXPECT_EQ(ask(memory, made).value, "");
}

TEST(ReadMemory, WhoReadBeforeAChangeComesTooLate) {
  ReadMemory memory(kValue, kMemory);
  const std::string key = random_key();
  const Answer before = ask(memory, key);
  change(memory, key, std::nullopt);
  memory.add(key, "removed since", before.ticket);
  EXPECT_FALSE(ask(memory, key).value);
  const Answer again = ask(memory, key);
  change(memory, key, "new");
  memory.add(key, "old", again.ticket);
  EXPECT_EQ(ask(memory, key).value, "new");
}

TEST(ReadMemory, HoldsThatNothingIsThere) {
  ReadMemory memory(kValue, kMemory);
  const std::string key = random_key();
  const Answer first = ask(memory, key);
  EXPECT_NE(first.ticket, ReadMemory::kAbsent);
  memory.add_absent(key, first.ticket);
  EXPECT_FALSE(ask(memory, key).value);
  EXPECT_EQ(ask(memory, key).ticket, ReadMemory::kAbsent);
  // What is written later is there at once, and who saw nothing before comes too late.
  change(memory, key, "made");
  EXPECT_EQ(ask(memory, key).value, "made");
  memory.add_absent(key, first.ticket);
  EXPECT_EQ(ask(memory, key).value, "made");
  // Of a removal, or a write whose end nobody knows, it says nothing.
  change(memory, key, std::nullopt);
  const Answer removed = ask(memory, key);
  EXPECT_FALSE(removed.value);
  EXPECT_NE(removed.ticket, ReadMemory::kAbsent);
  memory.add_absent(key, removed.ticket);
  change(memory, key, std::nullopt);
  EXPECT_NE(ask(memory, key).ticket, ReadMemory::kAbsent);
}

TEST(ReadMemory, SeveralChangesAtOnceComeInTheirOrder) {
  ReadMemory memory(kValue, kMemory);
  std::vector<std::string> keys;
  for (int i = 0; i < 200; ++i) keys.push_back(random_key());
  std::vector<ReadMemory::Change> changes;
  for (const std::string& key : keys) changes.push_back({key, "first"});
  for (const std::string& key : keys) changes.push_back({key, "second"});
  changes.push_back({keys.back(), std::nullopt});
  memory.changed(changes);
  for (std::size_t i = 0; i + 1 < keys.size(); ++i) EXPECT_EQ(ask(memory, keys[i]).value, "second");
  EXPECT_FALSE(ask(memory, keys.back()).value);
}

TEST(ReadMemory, ALongerValueIsNotHeldAndDrivesAShorterOneOut) {
  ReadMemory memory(kValue, kMemory);
  const std::string key = random_key();
  const std::string longest(kValue, 'v');
  change(memory, key, longest);
  EXPECT_EQ(ask(memory, key).value, longest);
  change(memory, key, longest + 'v');
  const Answer gone = ask(memory, key);
  EXPECT_FALSE(gone.value);
  memory.add(key, longest + 'v', gone.ticket);
  EXPECT_FALSE(ask(memory, key).value);
}

// One set, so that every key meets every other one and it can be said who has to go.
TEST(ReadMemory, IsBoundedAndKeepsWhatIsAskedFor) {
  constexpr std::size_t kSlots = 16;
  constexpr std::size_t kWanted = 4;
  ReadMemory memory(kValue, kSlots * ReadMemory::bytes_per_slot(kValue));
  ASSERT_EQ(memory.capacity(), kSlots);
  std::vector<std::string> wanted;
  for (std::size_t i = 0; i < kWanted; ++i) {
    wanted.push_back(random_key());
    change(memory, wanted.back(), "wanted");
  }
  const auto held = [&] {
    return static_cast<std::size_t>(
        std::count_if(wanted.begin(), wanted.end(),
                      [&](const std::string& key) { return ask(memory, key).value == "wanted"; }));
  };
  // In each turn as many others come as there are slots for others, and all of the wanted ones
  // were asked for before: it is always others who go.
  for (int turn = 0; turn < 64; ++turn) {
    ASSERT_EQ(held(), kWanted) << turn;
    for (std::size_t i = kWanted; i < kSlots; ++i) change(memory, random_key(), "other");
    ASSERT_EQ(memory.held(), kSlots);
  }
  // Nobody asks any more: one round for those who were asked for, and one in which they go.
  for (std::size_t i = 0; i < 2 * kSlots; ++i) change(memory, random_key(), "other");
  EXPECT_EQ(held(), 0U);
  EXPECT_EQ(memory.slots(), kSlots);
}

// Key number `n` of those that all have the same set to lie in first, and any second one.
std::string key_of_one_set(std::size_t n) {
  std::string key(kKey, '\0');
  key[9] = static_cast<char>(n * 5);  // of the second set
  key[12] = static_cast<char>(n);
  return key;
}

TEST(ReadMemory, WhoFindsASetFullLiesInAnotherOneAndOnlyThere) {
  constexpr std::size_t kKeys = 40;  // a set has 16
  ReadMemory memory(kValue, kMemory);
  for (std::size_t n = 0; n < kKeys; ++n) change(memory, key_of_one_set(n), "first");
  for (std::size_t n = 0; n < kKeys; ++n) {
    EXPECT_EQ(ask(memory, key_of_one_set(n)).value, "first") << n;
  }
  EXPECT_EQ(memory.held(), kKeys);
  // Room in the first set again: who lies elsewhere is changed where it lies, not put a second
  // time, and gone when it is removed.
  for (std::size_t n = 0; n < 16; ++n) change(memory, key_of_one_set(n), std::nullopt);
  for (std::size_t n = 16; n < kKeys; ++n) change(memory, key_of_one_set(n), "second");
  EXPECT_EQ(memory.held(), kKeys - 16);
  for (std::size_t n = 16; n < kKeys; ++n) {
    EXPECT_EQ(ask(memory, key_of_one_set(n)).value, "second") << n;
    change(memory, key_of_one_set(n), std::nullopt);
  }
  EXPECT_EQ(memory.held(), 0U);
  for (std::size_t n = 0; n < kKeys; ++n) EXPECT_FALSE(ask(memory, key_of_one_set(n)).value) << n;
}

// Always the same keys, so that what is lost is always the same.
TEST(ReadMemory, GrowsWithWhatItHoldsAndLosesLittle) {
  constexpr std::size_t kMany = 60'000;
  std::mt19937_64 random(1);
  ReadMemory memory(kValue, std::size_t{32} << 20U);
  const std::size_t first = memory.slots();
  EXPECT_LT(first * 16, memory.capacity());
  std::vector<std::string> keys;
  std::size_t most_lost = 0;  // of a thousand
  for (std::size_t i = 0; i < kMany; ++i) {
    keys.emplace_back(kKey, '\0');
    for (char& byte : keys.back()) byte = static_cast<char>(random());
    change(memory, keys.back(), keys.back());
    if (i % 2000 != 0) continue;
    std::size_t lost = 0;
    for (const std::string& key : keys) {
      const auto value = ask(memory, key).value;
      ASSERT_TRUE(!value || *value == key);
      lost += value ? 0U : 1U;
    }
    most_lost = std::max(most_lost, lost * 1000 / keys.size());
  }
  // Not more than it needs, and at no moment more than some of a thousand lost.
  EXPECT_LT(memory.slots(), kMany * 9 / 4);
  EXPECT_LE(memory.slots(), memory.capacity());
  EXPECT_LT(most_lost, 10U);
  EXPECT_GT(memory.held(), kMany * 990 / 1000);
  // What is removed is gone from wherever it has moved to.
  for (const std::string& key : keys) change(memory, key, std::nullopt);
  EXPECT_EQ(memory.held(), 0U);
  for (const std::string& key : keys) ASSERT_FALSE(ask(memory, key).value);
}

TEST(ReadMemory, AValueThatIsLongerThanALineIsWhole) {
  constexpr std::size_t kLong = 88;
  ReadMemory memory(kLong, kMemory);
  const std::string key = random_key();
  const std::string other = random_key();
  std::string pattern;
  for (std::size_t i = 0; i < kLong; ++i) pattern += static_cast<char>('!' + i);
  change(memory, other, std::string(kLong, 'o'));
  for (const std::size_t size : {kLong, std::size_t{0}, std::size_t{47}, std::size_t{48},
                                 std::size_t{49}, std::size_t{1}, kLong}) {
    change(memory, key, pattern.substr(0, size));
    EXPECT_EQ(ask(memory, key).value, pattern.substr(0, size));
    EXPECT_EQ(ask(memory, other).value, std::string(kLong, 'o'));
  }
}

TEST(ReadMemory, WithoutRoomNothingIsHeld) {
  ReadMemory memory(kValue, 100);
  EXPECT_EQ(memory.capacity(), 0U);
  const std::string key = random_key();
  change(memory, key, "value");
  memory.add(key, "value", ask(memory, key).ticket);
  EXPECT_FALSE(ask(memory, key).value);
}

// Keys of one set that differ in nothing that is looked at first.
TEST(ReadMemory, KeysThatLookAlikeAreToldApart) {
  ReadMemory memory(kValue, kMemory);
  std::vector<std::string> alike;
  for (char c = 0; c < 10; ++c) {
    alike.emplace_back(kKey, '\0');
    alike.back()[0] = c;  // the lowest bits of where it belongs
    change(memory, alike.back(), std::string(1, static_cast<char>('a' + c)));
  }
  for (std::size_t i = 0; i < alike.size(); ++i) {
    EXPECT_EQ(ask(memory, alike[i]).value, std::string(1, static_cast<char>('a' + i)));
  }
}

TEST(ShortText, IsWhatWasPutIn) {
  ShortText text("facts");
  EXPECT_EQ(text, "facts");
  for (const std::size_t size : {ShortText::kInside, ShortText::kInside + 1, std::size_t{3000},
                                 std::size_t{1}, std::size_t{0}}) {
    const std::string bytes(size, 'b');
    text.assign(bytes);
    EXPECT_EQ(text, bytes);
    const ShortText copy(text);
    ShortText assigned("before");
    assigned = copy;
    EXPECT_EQ(assigned, bytes);
    const ShortText& same = text;
    text = same;
    EXPECT_EQ(text, bytes);
  }
}

constexpr std::size_t kNobodyHasThis = std::size_t{1} << 52U;

TEST(StoreMemory, WhatTheSystemDoesNotGiveIsASentence) {
  TempDir temp;
  const auto store =
      RocksdbTokenStore::create(temp.path() / "store", Id{7}, nullptr, kNobodyHasThis);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().kind(), ErrorKind::configuration);

  auto data = DataDirectory::create(temp.path() / "data").value();
  const SystemClock clock;
  const auto vault =
      Vault::initialise(data, RootKey::ephemeral(), clock, {}, {.known = kNobodyHasThis});
  ASSERT_FALSE(vault);
  EXPECT_EQ(vault.error().kind(), ErrorKind::configuration);
}

// Rows that are written again and again, and removed and made anew, while others read them: nobody
// sees an older row than the last one whose write had returned before they asked.
TEST(StoreMemory, NeverShowsAnOlderRow) {
  TempDir temp;
  // Little enough that rows also leave it.
  auto store = RocksdbTokenStore::create(temp.path() / "store", Id{7}, nullptr,
                                         (std::size_t{4} << 20U) + 16'000)
                   .value();
  constexpr std::size_t kRows = 96;
  std::vector<IndexKey> index(kRows);
  std::vector<Id> ids(kRows);
  std::vector<NewRow> rows;
  for (std::size_t i = 0; i < kRows; ++i) {
    random_bytes(index[i]);
    ids[i] = random_id();
    rows.push_back({index[i], ids[i], "0", {}});
  }
  ASSERT_TRUE(store->commit(rows, {}, {}));

  std::array<std::atomic<int>, kRows> durable{};
  std::atomic<bool> stop{false};
  std::atomic<int> older{0};
  std::atomic<int> failed{0};
  std::atomic<int> seen{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&, t] {
      std::array<int, kRows> least{};
      std::vector<std::optional<FoundFacts>> found(kRows);
      std::vector<std::optional<std::string>> resolved(kRows);
      do {
        for (std::size_t i = 0; i < kRows; ++i) least[i] = durable[i];
        const bool by_index = t != 0;
        if (!(by_index ? store->find(index, found) : store->resolve(ids, resolved))) ++failed;
        for (std::size_t i = 0; i < kRows; ++i) {
          if (by_index ? !found[i] : !resolved[i]) {
            ++failed;
            continue;
          }
          if (std::stoi(by_index ? std::string(found[i]->facts) : *resolved[i]) < least[i]) ++older;
          ++seen;
        }
      } while (!stop);
    });
  }
  for (int round = 1; round <= 60; ++round) {
    std::vector<ChangedRow> change;
    for (std::size_t i = static_cast<std::size_t>(round) % 3; i < kRows; i += 3) {
      change.push_back({ids[i], std::to_string(round)});
    }
    ASSERT_TRUE(store->commit({}, change, {}));
    for (std::size_t i = static_cast<std::size_t>(round) % 3; i < kRows; i += 3) durable[i] = round;
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(older, 0);
  EXPECT_EQ(failed, 0);
  EXPECT_GT(seen, 0);
  // Removed is removed, also from memory.
  ASSERT_TRUE(store->expire(ids));
  std::vector<std::optional<FoundFacts>> found(kRows);
  ASSERT_TRUE(store->find(index, found));
  const auto is_there = [](const auto& one) { return one.has_value(); };
  EXPECT_TRUE(std::none_of(found.begin(), found.end(), is_there));
  std::vector<std::optional<std::string>> resolved(kRows);
  ASSERT_TRUE(store->resolve(ids, resolved));
  EXPECT_TRUE(std::none_of(resolved.begin(), resolved.end(), is_there));
}

// Several who all look first, so that memory holds that nothing is there, and then make a row for
// the same values: the last look, under the lock of the write, asks memory alone.
TEST(StoreMemory, WhatAllHaveSeenToBeAbsentIsMadeOnce) {
  for (const std::size_t memory : {std::size_t{8} << 20U, (std::size_t{4} << 20U) + 16'000}) {
    TempDir temp;
    auto store = RocksdbTokenStore::create(temp.path() / "store", Id{7}, nullptr, memory).value();
    constexpr std::size_t kValues = 200;
    constexpr std::size_t kWriters = 4;
    constexpr std::size_t kAtOnce = 8;
    std::vector<IndexKey> index(kValues);
    for (IndexKey& key : index) random_bytes(key);
    std::array<std::vector<Id>, kWriters> seen;
    std::atomic<std::size_t> created{0};
    std::atomic<int> failed{0};
    std::vector<std::thread> writers;
    for (std::size_t t = 0; t < kWriters; ++t) {
      writers.emplace_back([&, t] {
        for (std::size_t at = 0; at < kValues; at += kAtOnce) {
          const auto some = std::span(index).subspan(at, kAtOnce);
          std::vector<std::optional<FoundFacts>> found(kAtOnce);
          // The second look finds in memory what the first one put there.
          if (!store->find(some, found) || !store->find(some, found)) ++failed;
          std::vector<NewRow> rows;
          for (const IndexKey& key : some) rows.push_back({key, random_id(), "0", {}});
          if (!store->commit(rows, {}, {})) ++failed;
          for (const NewRow& row : rows) {
            seen[t].push_back(row.id);
            created += row.created ? 1U : 0U;
          }
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
    EXPECT_EQ(failed, 0);
    EXPECT_EQ(created, kValues);
    for (std::size_t t = 1; t < kWriters; ++t) EXPECT_EQ(seen[t], seen[0]);
    std::vector<std::optional<FoundFacts>> found(kValues);
    ASSERT_TRUE(store->find(index, found));
    for (std::size_t i = 0; i < kValues; ++i) {
      ASSERT_TRUE(found[i]);
      EXPECT_EQ(found[i]->id, seen[0][i]);
    }
  }
}

}  // namespace
}  // namespace paravent::crypto::vault
