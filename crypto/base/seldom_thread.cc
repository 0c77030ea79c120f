#include "crypto/base/seldom_thread.h"

#include <cstddef>

// jemalloc(3). Weak, since only the gateway's own binary is linked with jemalloc.
extern "C" int mallctl(const char* name, void* old_value, std::size_t* old_size, void* new_value,
                       std::size_t new_size) noexcept __attribute__((weak));

namespace paravent::crypto {

void this_thread_allocates_seldom() noexcept {
  if (mallctl == nullptr) return;
  // Nothing hangs on whether they work: the thread keeps what it has then.
  bool cached = false;
  mallctl("thread.tcache.enabled", nullptr, nullptr, &cached, sizeof cached);
  unsigned arena = 0;
  mallctl("thread.arena", nullptr, nullptr, &arena, sizeof arena);
}

}  // namespace paravent::crypto
