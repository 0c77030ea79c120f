#include "crypto/vault/engine/vault/memory_share.h"

#include <algorithm>

#include "crypto/vault/engine/base/zeroed_memory.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::uint64_t kStorePart = 8;
constexpr std::uint64_t kKnownPart = 16;

// A part of `bytes`; less by halves until the system promises it, or as much as the vault asks for
// of itself.
std::size_t share(std::uint64_t bytes, std::uint64_t part, std::size_t of_itself) {
  const std::uint64_t least = std::min<std::uint64_t>(of_itself, bytes / part * 2);
  std::uint64_t wanted = std::max(bytes / part, least);
  while (wanted > least && ZeroedMemory(wanted).empty()) wanted = std::max(wanted / 2, least);
  return wanted;
}

}  // namespace

VaultMemory memory_share(std::uint64_t bytes) {
  const VaultMemory of_itself;
  return {.known = share(bytes, kKnownPart, of_itself.known),
          .store = share(bytes, kStorePart, of_itself.store)};
}

}  // namespace paravent::crypto::vault
