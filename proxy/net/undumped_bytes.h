// UndumpedBytes: memory for what clients send, in pages of its own that core dumps leave out.
//
// Mapped, so it costs system calls and page faults: for buffers that are pooled. Move-only, owned
// by one thread at a time. Throws std::bad_alloc as the allocator does.

#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <memory>
#include <new>

namespace paravent::proxy::net {

class UndumpedBytes {
 public:
  explicit UndumpedBytes(std::size_t size) : bytes_(map(size), Unmap{size}) {}

  char* data() const noexcept { return bytes_.get(); }

 private:
  struct Unmap {
    std::size_t size;
    void operator()(char* bytes) const noexcept { ::munmap(bytes, size); }
  };

  static char* map(std::size_t size) {
    void* mapping =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) throw std::bad_alloc();
    ::madvise(mapping, size, MADV_DONTDUMP);
    return static_cast<char*>(mapping);
  }

  std::unique_ptr<char, Unmap> bytes_;
};

}  // namespace paravent::proxy::net
