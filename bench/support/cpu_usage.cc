#include "bench/support/cpu_usage.h"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

namespace paravent::bench {

std::uint64_t process_cpu_ns(const std::vector<pid_t>& processes) {
  std::uint64_t total = 0;
  for (const pid_t process : processes) {
    std::error_code error;
    const std::filesystem::path tasks = "/proc/" + std::to_string(process) + "/task";
    std::filesystem::directory_iterator task(tasks, error);
    for (; task != std::filesystem::directory_iterator(); task.increment(error)) {
      std::ifstream file(task->path() / "schedstat");
      std::uint64_t on_cpu_ns = 0;
      if (file >> on_cpu_ns) total += on_cpu_ns;
    }
  }
  return total;
}

std::uint64_t context_switches(const std::vector<pid_t>& processes) {
  std::uint64_t total = 0;
  for (const pid_t process : processes) {
    std::error_code error;
    const std::filesystem::path tasks = "/proc/" + std::to_string(process) + "/task";
    std::filesystem::directory_iterator task(tasks, error);
    for (; task != std::filesystem::directory_iterator(); task.increment(error)) {
      std::ifstream file(task->path() / "status");
      for (std::string word; file >> word;) {
        std::uint64_t number = 0;
        if (word.ends_with("voluntary_ctxt_switches:") && file >> number) total += number;
      }
    }
  }
  return total;
}

MachineTime machine_time(int cpu) {
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  const std::string wanted = "cpu" + std::to_string(cpu);
  std::ifstream file("/proc/stat");
  std::string name;
  // user nice system idle iowait irq softirq steal guest guest_nice
  std::array<double, 10> column{};
  while (file >> name && name.starts_with("cpu")) {
    for (double& value : column) file >> value;
    if (name != wanted) continue;
    const double busy = column[0] + column[1] + column[2] + column[5] + column[6];
    return {busy / ticks_per_second, column[7] / ticks_per_second};
  }
  return {};
}

SharesOfOthers shares_of_others(const BothProcessors& before, const BothProcessors& after,
                                double ours_seconds, double wall_seconds) {
  double busy = 0;
  double steal = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    busy += after[i].busy - before[i].busy;
    steal += after[i].steal - before[i].steal;
  }
  const double machine = static_cast<double>(before.size()) * wall_seconds;
  return {steal / machine, (busy - ours_seconds) / machine};
}

}  // namespace paravent::bench
