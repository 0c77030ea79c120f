// What memory a vault may take for tokens when nobody says: a share of what this process may have,
// which is the machine's memory or the least limit of its control groups (versions 1 and 2).
//
// A most, not a need: both memories begin small and grow with what they hold.

#pragma once

#include <cstdint>
#include <filesystem>

#include "crypto/vault/engine/vault.h"

namespace paravent::crypto::vault {

// Of so many bytes an eighth for the store and a sixteenth for known tokens; where that is less
// than a vault takes of itself (VaultMemory) that, but no more than twice the share. And less where
// the system refuses to promise it.
VaultMemory memory_share(std::uint64_t bytes);

// What this process may have. `groups` says which control groups it is in (/proc/self/cgroup), and
// `tree` is where they are mounted (/sys/fs/cgroup). What cannot be read sets no limit.
std::uint64_t memory_of_process(std::uint64_t machine, const std::filesystem::path& groups,
                                const std::filesystem::path& tree);
// The same of the process that asks.
std::uint64_t memory_of_process();

}  // namespace paravent::crypto::vault
