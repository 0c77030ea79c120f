// Counts heap allocations and fsyncs of a program, thread by thread: LD_PRELOAD this with
// COUNT_CALLS=FILE.
//
// The file holds kThreads records of three 64-bit numbers, thread id, allocations and syncs, in the
// order of the threads' first calls; the rest stays zero. It is mapped, so that whoever reads it
// sees the counts as they are and counting costs no system call. The allocator below does the work:
// what is counted is every call that hands out memory, by malloc(3) and its kin and by operator
// new. For measurements only, in windows that are not timed.

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

constexpr std::size_t kThreads = 1024;

struct Counts {
  std::uint64_t thread;
  std::uint64_t allocations;
  std::uint64_t syncs;
};

// Before main() there is one thread; threads that come after the last place share it.
Counts* table() {
  static Counts* const mapped = []() -> Counts* {
    const char* const path = ::getenv("COUNT_CALLS");
    if (path == nullptr) return nullptr;
    const int file = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    constexpr std::size_t kSize = kThreads * sizeof(Counts);
    if (file < 0 || ::ftruncate(file, kSize) != 0) return nullptr;
    void* const place = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    return place == MAP_FAILED ? nullptr : static_cast<Counts*>(place);
  }();
  return mapped;
}

std::atomic<std::size_t> threads{0};
// Part of the program's first block of thread memory: its address is known without an allocation.
[[gnu::tls_model("initial-exec")]] thread_local Counts* own = nullptr;

Counts* counts() {
  if (own == nullptr && table() != nullptr) {
    const std::size_t place = threads.fetch_add(1, std::memory_order_relaxed);
    own = table() + (place < kThreads ? place : kThreads - 1);
    own->thread = static_cast<std::uint64_t>(::gettid());
  }
  return own;
}

void count_allocation() {
  if (Counts* const mine = counts()) ++mine->allocations;
}

void* below(const char* name) {
  void* const found = ::dlsym(RTLD_NEXT, name);
  if (found == nullptr) ::abort();
  return found;
}

}  // namespace

// Each forwards to the next definition, which is looked up once. NOLINTBEGIN
#define COUNTED(result, name, parameters, arguments)                               \
  extern "C" __attribute__((visibility("default"))) result name parameters {       \
    static const auto next = reinterpret_cast<result(*) parameters>(below(#name)); \
    count_allocation();                                                            \
    return next arguments;                                                         \
  }

COUNTED(void*, malloc, (std::size_t size), (size))
COUNTED(void*, realloc, (void* old, std::size_t size), (old, size))
COUNTED(void*, aligned_alloc, (std::size_t alignment, std::size_t size), (alignment, size))
COUNTED(void*, memalign, (std::size_t alignment, std::size_t size), (alignment, size))
COUNTED(int, posix_memalign, (void** out, std::size_t alignment, std::size_t size),
        (out, alignment, size))
// operator new and new[]: plain, nothrow, aligned, aligned and nothrow.
COUNTED(void*, _Znwm, (std::size_t size), (size))
COUNTED(void*, _Znam, (std::size_t size), (size))
COUNTED(void*, _ZnwmRKSt9nothrow_t, (std::size_t size, const void* tag), (size, tag))
COUNTED(void*, _ZnamRKSt9nothrow_t, (std::size_t size, const void* tag), (size, tag))
COUNTED(void*, _ZnwmSt11align_val_t, (std::size_t size, std::size_t alignment), (size, alignment))
COUNTED(void*, _ZnamSt11align_val_t, (std::size_t size, std::size_t alignment), (size, alignment))
COUNTED(void*, _ZnwmSt11align_val_tRKSt9nothrow_t,
        (std::size_t size, std::size_t alignment, const void* tag), (size, alignment, tag))
COUNTED(void*, _ZnamSt11align_val_tRKSt9nothrow_t,
        (std::size_t size, std::size_t alignment, const void* tag), (size, alignment, tag))

// dlsym() may ask for memory itself, by calloc, before there is an allocator to ask.
extern "C" __attribute__((visibility("default"))) void* calloc(std::size_t number,
                                                               std::size_t size) {
  using Next = void* (*)(std::size_t, std::size_t);
  static Next next = nullptr;
  static bool asking = false;
  static std::size_t used = 0;
  alignas(16) static unsigned char first[4096];
  if (next == nullptr && asking) {
    const std::size_t place = (used + 15) & ~std::size_t{15};
    if (place + number * size > sizeof(first)) ::abort();
    used = place + number * size;
    return first + place;
  }
  if (next == nullptr) {
    asking = true;
    next = reinterpret_cast<Next>(below("calloc"));
    asking = false;
  }
  count_allocation();
  return next(number, size);
}

#define SYNCED(name)                                                       \
  extern "C" __attribute__((visibility("default"))) int name(int file) {   \
    static const auto next = reinterpret_cast<int (*)(int)>(below(#name)); \
    if (Counts* const mine = counts()) ++mine->syncs;                      \
    return next(file);                                                     \
  }
SYNCED(fsync)
SYNCED(fdatasync)
// NOLINTEND
