// A process that appends to a log is killed again and again: what it acknowledged is there, and the
// log verifies before and after it is opened.

#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <random>
#include <thread>
#include <vector>

#include "tests/crypto/audit/audit_support.h"

namespace paravent::crypto::audit {

struct Kills {
  int rounds;
  unsigned most_appends;   // acknowledged between two kills
  std::uint64_t at_least;  // acknowledged in all, or the test has tested nothing
  std::uint32_t seed;
};

// A child appends with four threads and notes in shared memory how far it was acknowledged; the
// parent kills it at a random moment, verifies as it finds the folder, opens it and verifies again.
inline void kill_at_random_moments(TestLog& test, const Kills& kills) {
  auto* const acknowledged = static_cast<std::atomic<std::uint64_t>*>(::mmap(
      nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(static_cast<void*>(acknowledged), MAP_FAILED);
  acknowledged->store(0);
  std::mt19937 random(kills.seed);
  for (int round = 0; round < kills.rounds; ++round) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto log = test.try_open();
      if (!log) ::_exit(1);
      std::vector<std::thread> threads;
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
          for (int i = 0;; ++i) {
            const auto receipt = (*log)->append(test_entry(i));
            if (!receipt) ::_exit(2);
            std::uint64_t seen = acknowledged->load();
            while (seen < receipt->index() + 1 &&
                   !acknowledged->compare_exchange_weak(seen, receipt->index() + 1)) {
            }
          }
        });
      }
      for (std::thread& thread : threads) thread.join();
      ::_exit(3);
    }
    const std::uint64_t goal = acknowledged->load() + random() % kills.most_appends;
    for (int wait = 0; wait < 6000 && acknowledged->load() < goal; ++wait) ::usleep(500);
    ::usleep(static_cast<useconds_t>(random() % 3000));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);
    if (std::filesystem::exists(test.path() + "/checkpoint")) {
      EXPECT_EQ(test.verify(), "") << round;
    }
    const auto log = test.open();
    EXPECT_GE(log->size(), acknowledged->load()) << round;
    EXPECT_EQ(test.verify(), "") << round;
  }
  EXPECT_GT(acknowledged->load(), kills.at_least);
  ::munmap(acknowledged, sizeof(std::uint64_t));
}

}  // namespace paravent::crypto::audit
