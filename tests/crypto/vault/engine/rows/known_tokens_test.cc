#include "crypto/vault/engine/rows/known_tokens.h"

#include <atomic>
#include <chrono>
#include <initializer_list>
#include <thread>
#include <utility>

#include "crypto/primitives/random.h"
#include "crypto/vault/engine/rows/caching_token_store.h"
#include "crypto/vault/engine/rows/memory_token_store.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

IndexKey random_index() {
  IndexKey key{};
  random_bytes(key);
  return key;
}

TEST(KnownTokens, KnowsATokenForOnePurposeKeyAndUse) {
  KnownTokens known;
  const IndexKey index = random_index();
  const Id contact{1};
  const Id billing{2};
  known.add({index, contact, 7, 100}, Id{9}, known.generation(), 100);
  EXPECT_EQ(known.find({index, contact, 7, 100}), Id{9});
  EXPECT_FALSE(known.find({index, billing, 7, 100}));
  EXPECT_FALSE(known.find({index, contact, 8, 100}));
  EXPECT_FALSE(known.find({index, contact, 7, 101}));
  EXPECT_FALSE(known.find({random_index(), contact, 7, 100}));
  // Of the other day as well.
  known.add({index, contact, 7, 101}, Id{9}, known.generation(), 101);
  EXPECT_EQ(known.find({index, contact, 7, 101}), Id{9});
}

TEST(KnownTokens, WhatWasAddedOnAnotherDayIsFoundAndMakesRoomFirst) {
  // One set of four.
  KnownTokens known(1);
  ASSERT_EQ(known.capacity(), 4U);
  const Id purpose{1};
  std::vector<IndexKey> all(6);
  for (IndexKey& index : all) index = random_index();
  const auto add = [&](std::size_t which, std::uint32_t today) {
    known.add({all[which], purpose, 7, 1}, Id{9}, known.generation(), today);
  };
  const auto has = [&](std::size_t which) {
    return known.find({all[which], purpose, 7, 1}).has_value();
  };
  for (std::size_t i = 0; i < 4; ++i) add(i, 100);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(has(i));
  // Used again on the next day, and asked of the store: three of four are of that day now.
  for (std::size_t i = 0; i < 3; ++i) add(i, 101);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(has(i)) << "one entry twice takes another's room";
  add(4, 101);
  EXPECT_FALSE(has(3)) << "it was not of today";
  for (const std::size_t i : std::initializer_list<std::size_t>{0, 1, 2, 4}) EXPECT_TRUE(has(i));
  // Of today they are all; one has to go.
  add(5, 101);
  EXPECT_TRUE(has(5));
  EXPECT_EQ(std::count_if(all.begin(), all.end(),
                          [&](const IndexKey& index) {
                            return known.find({index, purpose, 7, 1}).has_value();
                          }),
            4);
}

TEST(KnownTokens, NobodyMakesRoomWhereThereIsSome) {
  KnownTokens known(1);
  const Id purpose{1};
  std::vector<IndexKey> all(4);
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    all[i] = random_index();
    all[i][31] = 0;  // one home for all
    known.add({all[i], purpose, 7, 1}, Id{9}, known.generation(), 100 + i);
  }
  for (const IndexKey& index : all) EXPECT_TRUE(known.find({index, purpose, 7, 1}));
}

TEST(KnownTokens, MemoryIsBounded) {
  KnownTokens known(std::size_t{64} << 10U);
  EXPECT_LE(known.capacity() * KnownTokens::kSlotBytes, std::size_t{64} << 10U);
  const Id purpose{1};
  std::vector<IndexKey> all;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    all.push_back(random_index());
    known.add({all.back(), purpose, 7, 100}, Id{1}, known.generation(), 100);
  }
  const auto kept = std::count_if(all.begin(), all.end(), [&](const IndexKey& index) {
    return known.find({index, purpose, 7, 100}).has_value();
  });
  EXPECT_LE(static_cast<std::size_t>(kept), known.capacity());
  EXPECT_GT(static_cast<std::size_t>(kept), known.capacity() / 2);
}

TEST(KnownTokens, GrowsWithTheTokensOfADayAndStaysBounded) {
  constexpr std::size_t kMost = 5 * KnownTokens::kFirstBytes;
  KnownTokens known(kMost);
  const std::size_t first = known.capacity();
  EXPECT_LE(first * KnownTokens::kSlotBytes, KnownTokens::kFirstBytes);
  const Id purpose{1};
  std::vector<IndexKey> all;
  const auto add = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      all.push_back(random_index());
      known.add({all.back(), purpose, 7, 100}, Id{1}, known.generation(), 100);
    }
  };
  const auto kept = [&] {
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const IndexKey& index) {
          return known.find({index, purpose, 7, 100}).has_value();
        }));
  };
  add(first / 8);
  EXPECT_EQ(known.capacity(), first);
  // What is in the table before is still found.
  add(first);
  EXPECT_EQ(known.capacity(), 4 * first);
  EXPECT_GT(kept(), all.size() * 97 / 100);
  // As far as it may: the two tables together.
  add(2 * first);
  EXPECT_LE((known.capacity() + first) * KnownTokens::kSlotBytes, kMost);
  EXPECT_GT(kept(), all.size() * 8 / 10);
  { const KnownTokens::Pause pause(known); }
  EXPECT_EQ(kept(), 0U);
}

TEST(KnownTokens, TakesMostOfWhatIsAllowedWhenItIsNeeded) {
  for (const std::size_t most :
       {std::size_t{3} << 20U, std::size_t{24} << 20U, std::size_t{64} << 20U}) {
    KnownTokens known(most);
    const std::size_t wanted = most / KnownTokens::kSlotBytes * 3 / 4;
    for (std::size_t i = 0; i < most / KnownTokens::kSlotBytes && known.capacity() < wanted; ++i) {
      known.add({random_index(), Id{1}, 7, 100}, Id{1}, known.generation(), 100);
    }
    EXPECT_GE(known.capacity(), wanted) << most;
    EXPECT_LE(known.capacity() * KnownTokens::kSlotBytes, most);
  }
}

// Readers and writers at tables that come and go: whoever finds something finds what was added.
TEST(KnownTokens, GrowsWhileOthersReadAndWrite) {
  KnownTokens known(std::size_t{96} * KnownTokens::kFirstBytes);
  constexpr std::size_t kEach = 150'000;
  const auto id_of = [](const IndexKey& index) {
    Id id{};
    std::copy_n(index.begin() + 8, id.size(), id.begin());
    return id;
  };
  const std::size_t first = known.capacity();
  std::vector<std::vector<IndexKey>> all(2);
  for (auto& some : all) {
    for (std::size_t i = 0; i < kEach; ++i) some.push_back(random_index());
  }
  std::atomic<int> writing{2};
  std::atomic<int> wrong{0};
  std::atomic<std::size_t> found{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      for (const IndexKey& index : all[static_cast<std::size_t>(t)]) {
        known.add({index, Id{1}, 7, 100}, id_of(index), known.generation(), 100);
      }
      --writing;
    });
    threads.emplace_back([&, t] {
      // Once in any case: the writers may be ready before this thread has begun.
      bool more = true;
      while (std::exchange(more, writing > 0)) {
        for (std::size_t i = 0; i < kEach; i += 97) {
          const IndexKey& index = all[static_cast<std::size_t>(t)][i];
          const auto id = known.find({index, Id{1}, 7, 100});
          if (!id) continue;
          ++found;
          if (*id != id_of(index)) ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(found, 0U);
  EXPECT_GE(known.capacity(), 16 * first);
}

TEST(KnownTokens, APauseForgetsAndWhoLookedBeforeComesTooLate) {
  KnownTokens known;
  const IndexKey index = random_index();
  const Id purpose{1};
  const std::uint64_t before = known.generation();
  known.add({index, purpose, 7, 100}, Id{9}, before, 100);
  {
    const KnownTokens::Pause pause(known);
    EXPECT_FALSE(known.find({index, purpose, 7, 100}));
    known.add({index, purpose, 7, 100}, Id{9}, before, 100);
    known.add({index, purpose, 7, 100}, Id{9}, known.generation(), 100);
    EXPECT_FALSE(known.find({index, purpose, 7, 100}));
    const KnownTokens::Pause another(known);
  }
  EXPECT_FALSE(known.find({index, purpose, 7, 100}));
  known.add({index, purpose, 7, 100}, Id{9}, before, 100);
  EXPECT_FALSE(known.find({index, purpose, 7, 100}));
  known.add({index, purpose, 7, 100}, Id{9}, known.generation(), 100);
  EXPECT_TRUE(known.find({index, purpose, 7, 100}));
}

TEST(KnownTokens, ReadersSeeWholeEntriesOnly) {
  // One set, so that every writer meets every reader; an id says which index it belongs to.
  KnownTokens known(1);
  const Id purpose{1};
  std::vector<IndexKey> all(16);
  for (IndexKey& index : all) index = random_index();
  const auto id_of = [](const IndexKey& index) {
    Id id{};
    std::copy_n(index.begin() + 8, id.size(), id.begin());
    return id;
  };
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::atomic<int> seen{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      for (std::size_t i = 0; !stop; ++i) {
        const IndexKey& index = all[i % all.size()];
        known.add({index, purpose, 7, 100}, id_of(index), known.generation(), 100);
      }
    });
    threads.emplace_back([&] {
      for (std::size_t i = 0; !stop; ++i) {
        const IndexKey& index = all[i % all.size()];
        const auto id = known.find({index, purpose, 7, 100});
        if (!id) continue;
        ++seen;
        if (*id != id_of(index)) ++wrong;
      }
    });
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  while (std::chrono::steady_clock::now() < end || seen == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(seen, 0);
}

// What the cache does while the store removes rows.
class WatchedStore final : public MemoryTokenStore {
 public:
  Status remove(std::span<const Id> ids) override {
    during = known->generation();
    return MemoryTokenStore::remove(ids);
  }
  KnownTokens* known = nullptr;
  std::uint64_t during = 1;
};

TEST(CachingTokenStore, IsPausedWhileRowsAreRemoved) {
  auto watched = std::make_unique<WatchedStore>();
  WatchedStore& inner = *watched;
  CachingTokenStore store(std::move(watched));
  inner.known = &store.known();
  const IndexKey index = random_index();
  const Id purpose{1};
  store.known().add({index, purpose, 7, 100}, Id{9}, store.known().generation(), 100);
  const std::vector<Id> ids{Id{1}};
  ASSERT_TRUE(store.expire(ids));
  EXPECT_EQ(inner.during, 0U);
  EXPECT_NE(store.known().generation(), 0U);
  EXPECT_FALSE(store.known().find({index, purpose, 7, 100}));

  store.known().add({index, purpose, 7, 100}, Id{9}, store.known().generation(), 100);
  ASSERT_TRUE(store.drop_index(std::span(&index, 1)));
  EXPECT_FALSE(store.known().find({index, purpose, 7, 100}));
}

TEST(VaultKnown, ATokenUsedTodayIsAnsweredFromMemory) {
  InMemoryVault place;
  Vault& vault = *place.vault;
  ASSERT_TRUE(vault.admit_names(std::vector{atelier()}));
  const auto specs = std::vector{email_tokens(), email_tokens("billing")};
  auto bound = vault.bind("atelier", specs).value();
  const auto ask = [&](const Binding& binding, std::string_view value) {
    return vault.answer_known(*batch_of({std::string(value)}, binding, Kind::email));
  };
  EXPECT_FALSE(ask(bound[0], "jeanne@example.org"));
  const std::string token = mint(vault, bound[0], "jeanne@example.org");
  const auto batch = batch_of({"jeanne@example.org"}, bound[0], Kind::email);
  ASSERT_TRUE(vault.answer_known(*batch));
  EXPECT_EQ(batch->status, ResolveStatus::ok);
  std::string text;
  write_vault_token(bound[0].key.key_id, batch->jobs[0].id, text);
  EXPECT_EQ(text, token);
  EXPECT_EQ(vault.counters().known_hits, 1U);
  EXPECT_EQ(vault.counters().known_misses, 1U);

  // Another purpose, another day, one unknown value among known ones: the store is to be asked.
  EXPECT_FALSE(ask(bound[1], "jeanne@example.org"));
  EXPECT_FALSE(vault.answer_known(
      *batch_of({"jeanne@example.org", "paul@example.org"}, bound[0], Kind::email)));
  place.clock.advance(std::chrono::hours(24));
  EXPECT_FALSE(ask(bound[0], "jeanne@example.org"));
  EXPECT_EQ(mint(vault, bound[0], "jeanne@example.org"), token);
  EXPECT_TRUE(ask(bound[0], "jeanne@example.org"));
}

}  // namespace
}  // namespace paravent::crypto::vault
