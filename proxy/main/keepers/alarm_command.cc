#include "proxy/main/keepers/alarm_command.h"

#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <thread>

namespace paravent::proxy::main {
namespace {

using Clock = std::chrono::steady_clock;

// Between a request to end and the end by force, and then until the kernel has cleared up.
constexpr std::chrono::seconds kGrace{1};
// Looked again and again: a descriptor to wait for it is not to be had under every kernel and
// filter, and a command runs seldom.
constexpr std::chrono::milliseconds kFirstPause{1};
constexpr std::chrono::milliseconds kLongestPause{50};

// Leaves it as it is, so that its number still names its group and nobody else's.
bool has_ended(pid_t child) {
  siginfo_t info{};
  const int failed = ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT);
  return failed != 0 || info.si_pid == child;
}

template <typename Deadline>
bool ends_before(pid_t child, Deadline deadline) {
  for (auto pause = kFirstPause; !has_ended(child); pause = std::min(2 * pause, kLongestPause)) {
    if (Clock::now() >= deadline()) return false;
    std::this_thread::sleep_for(pause);
  }
  return true;
}

bool ends_soon(pid_t child) {
  return ends_before(child, [end = Clock::now() + kGrace] { return end; });
}

}  // namespace

pid_t AlarmCommand::start(const std::vector<std::string>& environment) const {
  std::string name = program_;
  std::array<char*, 2> arguments{name.data(), nullptr};
  std::vector<std::string> texts = environment;
  texts.emplace_back("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", 0, 0);
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, program_.c_str(), &actions, &attributes,
                                   arguments.data(), pointers.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? child : 0;
}

bool AlarmCommand::ends_in_time(pid_t child) const {
  return ends_before(
      child, [this, own = Clock::now() + patience_.each] { return std::min(own, until_.load()); });
}

void AlarmCommand::run(const std::vector<std::string>& environment) {
  const pid_t child = start(environment);
  const bool late = child != 0 && !ends_in_time(child);
  if (late) {
    ::kill(-child, SIGTERM);
    ends_soon(child);
    // What it started may go on without it.
    ::kill(-child, SIGKILL);
    ::kill(child, SIGKILL);
    ends_soon(child);
  }
  int status = 0;
  // Not waited for: what hangs inside the kernel ends for nobody.
  if (child != 0) ::waitpid(child, &status, WNOHANG);
  if (child != 0 && !late && status == 0) return;
  std::fprintf(stderr, "paravent: warning: the alarm command %s %s.\n", program_.c_str(),
               late ? "took too long and was ended" : "failed");
}

}  // namespace paravent::proxy::main
