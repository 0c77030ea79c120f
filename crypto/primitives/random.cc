#include "crypto/primitives/random.h"

#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "crypto/base/secret_bytes.h"

namespace paravent::crypto {

void random_bytes(MutableBytes out) noexcept {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      std::abort();
    }
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

// `remaining` lies in the wiped page itself: in a child process it reads zero, and the next fill
// draws fresh bytes.
struct RandomBuffer::Page {
  static constexpr std::size_t kSize = 4096;

  std::size_t remaining;
  std::array<std::uint8_t, kSize - sizeof(std::size_t)> bytes;
};

RandomBuffer::RandomBuffer() : page_(nullptr), owner_pid_(0) {
  static_assert(sizeof(Page) == Page::kSize);
  void* mapping =
      ::mmap(nullptr, Page::kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) std::abort();
  page_ = static_cast<Page*>(mapping);
  ::mlock(mapping, Page::kSize);  // best effort, as for SecretBytes
  ::madvise(mapping, Page::kSize, MADV_DONTDUMP);
  if (::madvise(mapping, Page::kSize, MADV_WIPEONFORK) != 0) owner_pid_ = ::getpid();
}

RandomBuffer::~RandomBuffer() {
  wipe(page_->bytes);
  ::munmap(page_, Page::kSize);
}

void RandomBuffer::fill(MutableBytes out) noexcept {
  if (out.size() > page_->bytes.size() / 4) return random_bytes(out);
  if (owner_pid_ != 0 && owner_pid_ != ::getpid()) {
    page_->remaining = 0;
    owner_pid_ = ::getpid();
  }
  while (!out.empty()) {
    if (page_->remaining == 0) {
      random_bytes(page_->bytes);
      page_->remaining = page_->bytes.size();
    }
    const std::size_t size = std::min(out.size(), page_->remaining);
    std::uint8_t* from = page_->bytes.data() + (page_->remaining - size);
    std::memcpy(out.data(), from, size);
    wipe(MutableBytes(from, size));
    page_->remaining -= size;
    out = out.subspan(size);
  }
}

}  // namespace paravent::crypto
