#include "crypto/vault/engine/base/zeroed_memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <limits>

namespace paravent::crypto::vault {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20U;
// From here on what huge pages save is more than what a half-filled one costs: both memories of
// tokens grow, so that a piece so large is used all over.
constexpr std::size_t kWorthHugePages = std::size_t{4} << 20U;

}  // namespace

ZeroedMemory::ZeroedMemory(std::size_t bytes) noexcept {
  if (bytes == 0 || bytes > std::numeric_limits<std::size_t>::max() - kHugePage) return;
  mapped_ = bytes + kHugePage;
  map_ = ::mmap(nullptr, mapped_, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map_ == MAP_FAILED) {
    map_ = nullptr;
    return;
  }
  // Wishes: without them everything is only slower, or a core dump larger.
  (void)::madvise(map_, mapped_, MADV_DONTDUMP);
  if (bytes >= kWorthHugePages) (void)::madvise(map_, mapped_, MADV_HUGEPAGE);
  const auto begin = reinterpret_cast<std::uintptr_t>(map_);
  data_ = static_cast<char*>(map_) + ((begin + kHugePage - 1) / kHugePage * kHugePage - begin);
}

ZeroedMemory::~ZeroedMemory() {
  if (map_ != nullptr) ::munmap(map_, mapped_);
}

void ZeroedMemory::discard() noexcept {
  // Fails for nothing that we could have done; what was there then stays.
  if (map_ != nullptr) (void)::madvise(map_, mapped_, MADV_DONTNEED);
}

}  // namespace paravent::crypto::vault
