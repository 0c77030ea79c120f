// How much memory this process may have: the machine's, or the least limit of its control groups
// (cgroups(7), versions 1 and 2). Reads files; thread safe.

#pragma once

#include <cstdint>
#include <filesystem>

namespace paravent::crypto {

// `groups` says which control groups it is in (/proc/self/cgroup), and `tree` is where they are
// mounted (/sys/fs/cgroup). What cannot be read sets no limit.
std::uint64_t memory_of_process(std::uint64_t machine, const std::filesystem::path& groups,
                                const std::filesystem::path& tree);
// The same of the process that asks; 0 where not even the machine's memory is known.
std::uint64_t memory_of_process();

}  // namespace paravent::crypto
