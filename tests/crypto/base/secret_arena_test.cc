#include "crypto/base/secret_arena.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "crypto/base/secret_bytes.h"

namespace paravent::crypto {
namespace {

// The address sanitizer makes mlock do nothing.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kLocks = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kLocks = false;
#else
constexpr bool kLocks = true;
#endif
#else
constexpr bool kLocks = true;
#endif

// The VmFlags line of the mapping that holds this address (proc(5): lo locked, dd not dumped).
std::string flags_of(const void* address) {
  std::ifstream in("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      inside = wanted >= begin && wanted < end;
    } else if (inside && line.starts_with("VmFlags:")) {
      return line + " ";
    }
  }
  return {};
}

TEST(SecretArena, LiesInOneMappingThatIsLockedAndNotDumped) {
  const SecretBytes key(32);
  const SecretBytes other(500);
  const SecretBytes large(100'000);
  EXPECT_TRUE(SecretArena::process().contains(key.bytes().data()));
  EXPECT_TRUE(SecretArena::process().contains(other.bytes().data()));
  EXPECT_FALSE(SecretArena::process().contains(large.bytes().data()));
  const bool locked = kLocks && SecretArena::process().statistics().unlocked == 0;
  for (const SecretBytes* secret : {&key, &other, &large}) {
    const std::string flags = flags_of(secret->bytes().data());
    EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;
    if (locked) {
      EXPECT_NE(flags.find(" lo "), std::string::npos) << flags;
    }
  }
}

TEST(SecretArena, GivesZeroedAlignedDisjointBlocksAndWipesThem) {
  SecretArena& arena = SecretArena::process();
  std::minstd_rand random(7);
  struct Block {
    std::uint8_t* at;
    std::size_t size;
    std::uint8_t mark;
  };
  std::vector<Block> blocks;
  const std::size_t before = arena.statistics().in_use;
  for (int round = 0; round < 20'000; ++round) {
    if (blocks.size() < 200 && random() % 3 != 0) {
      const std::size_t size = 1 + random() % (round % 50 == 0 ? 40'000 : 600);
      std::uint8_t* at = arena.allocate(size);
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(at) % SecretArena::kAlignment, 0U);
      ASSERT_TRUE(std::all_of(at, at + size, [](std::uint8_t b) { return b == 0; }));
      if (arena.contains(at)) {
        ASSERT_EQ(arena.size_of(at), size);
      }
      const auto mark = static_cast<std::uint8_t>(1 + random() % 255);
      std::memset(at, mark, size);
      blocks.push_back({at, size, mark});
    } else if (!blocks.empty()) {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      const Block block = blocks.back();
      blocks.pop_back();
      ASSERT_TRUE(std::all_of(block.at, block.at + block.size,
                              [&](std::uint8_t b) { return b == block.mark; }));
      const bool kept = arena.contains(block.at);
      arena.release(block.at, block.size);
      if (kept) {
        ASSERT_TRUE(
            std::all_of(block.at, block.at + block.size, [](std::uint8_t b) { return b == 0; }));
      }
    }
  }
  for (const Block& block : blocks) arena.release(block.at, block.size);
  EXPECT_EQ(arena.statistics().in_use, before);
}

TEST(SecretArena, ServesManyThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      for (std::size_t round = 1; round < 2000; ++round) {
        SecretBytes secret(round % 300 + 1);
        secret.mutable_bytes()[0] = static_cast<std::uint8_t>(i);
        EXPECT_EQ(secret.clone().bytes()[0], i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(SecretArena, HoldsContainersAndSharedObjects) {
  std::vector<std::uint8_t, SecretAllocator<std::uint8_t>> bytes(64, 7);
  EXPECT_TRUE(SecretArena::process().contains(bytes.data()));
  const auto shared = std::allocate_shared<int>(SecretAllocator<int>(), 5);
  EXPECT_TRUE(SecretArena::process().contains(shared.get()));
}

TEST(SecretArenaDeathTest, ABlockWrittenPastItsEndEndsTheProcess) {
  EXPECT_DEATH(
      {
        std::uint8_t* block = SecretArena::process().allocate(32);
        std::memset(block, 1, 48);
        SecretArena::process().release(block, 32);
      },
      "");
  EXPECT_DEATH(
      {
        std::uint8_t* block = SecretArena::process().allocate(32);
        SecretArena::process().release(block, 32);
        SecretArena::process().release(block, 32);
      },
      "");
}

// Root may lock whatever it likes (CAP_IPC_LOCK), so the refusal is the kernel's only for others.
[[noreturn]] void reserve_without_a_limit_to_lock() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_MEMLOCK, &none);
  if (::geteuid() == 0 && ::seteuid(65534) != 0) std::exit(3);
  SecretArena::process().reserve(std::size_t{8} << 20U);
  const Status status = SecretArena::process().lock_status();
  const bool good = !status && status.error().kind() == ErrorKind::configuration &&
                    status.error().sentence().find("LimitMEMLOCK") != std::string::npos &&
                    status.error().sentence().find("ulimit -l") != std::string::npos;
  std::exit(good ? 0 : 1);
}

[[noreturn]] void wipe_everything() {
  std::uint8_t* block = SecretArena::process().allocate(32);
  std::memset(block, 1, 32);
  SecretArena::process().wipe_everything();
  std::exit(std::all_of(block, block + 32, [](std::uint8_t b) { return b == 0; }) ? 0 : 1);
}

TEST(SecretArenaDeathTest, MemoryThatCannotBeLockedIsNamedWithTheLimit) {
  if (!kLocks) GTEST_SKIP() << "nothing is locked under the address sanitizer";
  EXPECT_EXIT(reserve_without_a_limit_to_lock(), testing::ExitedWithCode(0), "");
}

TEST(SecretArenaDeathTest, WipesEverythingAtTheEnd) {
  EXPECT_EXIT(wipe_everything(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace paravent::crypto
