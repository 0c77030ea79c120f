// What the kernel says about processor time. Process times come from schedstat (nanoseconds of user
// and system time of every thread; steal excluded), not from the 10 ms ticks of /proc/PID/stat.

#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <vector>

namespace paravent::bench {

// User plus system time of all live threads of these processes, in nanoseconds. A process that has
// gone counts for 0: the caller sees the sum go backwards and must discard the window.
std::uint64_t process_cpu_ns(const std::vector<pid_t>& processes);

// Times that threads of these processes gave their processor up or lost it.
std::uint64_t context_switches(const std::vector<pid_t>& processes);

// One line of /proc/stat, in seconds since boot.
struct MachineTime {
  double busy = 0;   // everything but idle, waiting for a disk, and steal
  double steal = 0;  // taken away by the host
};
MachineTime machine_time(int cpu);

// What others had of the machine's two processors between two looks, as parts of both: the host,
// and programs that are none of ours.
struct SharesOfOthers {
  double steal = 0;
  double foreign = 0;
};
using BothProcessors = std::array<MachineTime, 2>;
SharesOfOthers shares_of_others(const BothProcessors& before, const BothProcessors& after,
                                double ours_seconds, double wall_seconds);

}  // namespace paravent::bench
