// An acknowledged token survives kill -9. The ledger of what was acknowledged is the oracle: a
// child process mints through a real vault and writes each answer to a pipe; it is killed at a
// random moment; then every line of the ledger must give the same token and open to the same value.

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

constexpr int kKills = 20;

// Runs the writer until it has acknowledged something and `life` has passed; answers its whole
// lines.
std::string run_and_kill(const DiskVault& disk, int round, std::chrono::microseconds life) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  std::string program = PARAVENT_LEDGER_WRITER;
  std::string data = disk.data_path.string();
  std::string root = disk.root_path.string();
  std::string prefix = "round" + std::to_string(round) + "-";
  std::array<char*, 5> arguments{program.data(), data.data(), root.data(), prefix.data(), nullptr};
  pid_t child = 0;
  const int spawned =
      ::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string ledger;
  if (spawned == 0) {
    std::array<char, 65536> buffer{};
    const auto take = [&] {
      const ssize_t n = ::read(ends[0], buffer.data(), buffer.size());
      if (n > 0) ledger.append(buffer.data(), static_cast<std::size_t>(n));
      return n > 0;
    };
    bool more = take();
    const auto end = std::chrono::steady_clock::now() + life;
    while (more && std::chrono::steady_clock::now() < end) more = take();
    ::kill(child, SIGKILL);
    while (take()) {
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << "the writer ended by itself, status " << status;
  }
  ::close(ends[0]);
  const std::size_t last = ledger.rfind('\n');
  return last == std::string::npos ? std::string() : ledger.substr(0, last + 1);
}

TEST(VaultKill, AcknowledgedTokensSurvive) {
  DiskVault disk;
  ASSERT_TRUE(disk.vault->admit_names(std::vector{atelier()}));
  disk.close();
  std::mt19937 random(20260315);
  std::map<std::string, std::string> all;
  for (int round = 0; round < kKills; ++round) {
    const std::chrono::microseconds life(random() % 60000);
    std::istringstream lines(run_and_kill(disk, round, life));
    std::map<std::string, std::string> ledger;
    std::string value;
    std::string token;
    while (lines >> value >> token) ledger[value] = token;
    ASSERT_FALSE(ledger.empty()) << "round " << round;
    const auto opened = disk.open();
    ASSERT_TRUE(opened) << opened.error().sentence();
    auto bound = disk.vault->bind("atelier", std::vector{email_tokens()});
    ASSERT_TRUE(bound);
    const std::uint64_t minted = disk.vault->counters().minted;
    for (const auto& [name, text] : ledger) {
      ASSERT_EQ(open_text(*disk.vault, text), name);
      ASSERT_EQ(mint(*disk.vault, bound->front(), name), text);
    }
    ASSERT_EQ(disk.vault->counters().minted, minted) << "an acknowledged token was minted anew";
    all.merge(ledger);
    disk.close();
  }
  ASSERT_TRUE(disk.open());
  for (const auto& [name, text] : all) ASSERT_EQ(open_text(*disk.vault, text), name);
  RecordProperty("acknowledged", static_cast<int>(all.size()));
}

}  // namespace
}  // namespace paravent::crypto::vault
