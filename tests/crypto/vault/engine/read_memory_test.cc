#include "crypto/vault/engine/read_memory.h"

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "crypto/primitives/random.h"
#include "crypto/vault/engine/rocksdb_token_store.h"
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
  memory.find(std::span(&key, 1), std::span(&answer.value, 1), std::span(&answer.ticket, 1));
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

TEST(ReadMemory, IsBoundedAndKeepsWhatIsAskedFor) {
  ReadMemory memory(kValue, kMemory);
  EXPECT_LE(memory.capacity() * ReadMemory::bytes_per_slot(kValue), kMemory);
  EXPECT_GT(memory.capacity() * ReadMemory::bytes_per_slot(kValue), kMemory - (kMemory / 8));
  for (std::size_t i = 0; i < memory.capacity(); ++i) change(memory, random_key(), "other");
  EXPECT_EQ(memory.slots(), memory.capacity());
  std::vector<std::string> wanted;
  for (std::size_t i = 0; i < memory.capacity() / 4; ++i) {
    wanted.push_back(random_key());
    change(memory, wanted.back(), "wanted");
  }
  const auto held = [&] {
    return static_cast<std::size_t>(
        std::count_if(wanted.begin(), wanted.end(),
                      [&](const std::string& key) { return ask(memory, key).value == "wanted"; }));
  };
  // Some of them took each other's place.
  const std::size_t first = held();
  EXPECT_GT(first, wanted.size() * 8 / 10);
  // Others come, twice as many as there is room for, and the wanted ones are asked for in between.
  for (int turn = 0; turn < 16; ++turn) {
    std::ignore = held();
    for (std::size_t i = 0; i < memory.capacity() / 8; ++i) change(memory, random_key(), "other");
  }
  // Of what nobody asks for an eighth would be left.
  EXPECT_GT(held(), first * 7 / 10);
}

TEST(ReadMemory, GrowsWithWhatItHoldsAndLosesLittle) {
  constexpr std::size_t kMany = 60'000;
  ReadMemory memory(kValue, std::size_t{32} << 20U);
  const std::size_t first = memory.slots();
  EXPECT_LT(first * 16, memory.capacity());
  std::vector<std::string> keys;
  std::size_t most_lost = 0;
  for (std::size_t i = 0; i < kMany; ++i) {
    keys.push_back(random_key());
    change(memory, keys.back(), keys.back());
    if (i % 2000 != 0) continue;
    std::size_t lost = 0;
    for (const std::string& key : keys) {
      const auto value = ask(memory, key).value;
      ASSERT_TRUE(!value || *value == key);
      lost += value ? 0U : 1U;
    }
    most_lost = std::max(most_lost, lost * 100 / keys.size());
  }
  // Not more than it needs, and at no moment a good part of it lost.
  EXPECT_LT(memory.slots(), kMany * 9 / 4);
  EXPECT_LE(memory.slots(), memory.capacity());
  EXPECT_LT(most_lost, 7U);
  EXPECT_GT(memory.held(), kMany * 93 / 100);
  // What is removed is gone from wherever it has moved to.
  for (const std::string& key : keys) change(memory, key, std::nullopt);
  EXPECT_EQ(memory.held(), 0U);
  for (const std::string& key : keys) ASSERT_FALSE(ask(memory, key).value);
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
          if (std::stoi(by_index ? found[i]->facts : *resolved[i]) < least[i]) ++older;
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

}  // namespace
}  // namespace paravent::crypto::vault
