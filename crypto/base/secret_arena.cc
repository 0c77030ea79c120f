#include "crypto/base/secret_arena.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "crypto/base/out_of_memory.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kStep = std::size_t{256} << 10U;
constexpr std::size_t kSpan = std::size_t{32} << 10U;  // what one size class takes at a time
constexpr std::size_t kTrailer = 16;                   // size 8 | canary 8

// Whole blocks, trailer included: all multiples of the alignment.
constexpr std::array<std::size_t, 12> kClasses = {32,  48,   80,   144,  272,  528,
                                                  784, 1040, 2064, 4112, 8208, 16400};

std::size_t page_size() noexcept {
  static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

std::size_t class_of(std::size_t size) noexcept {
  const auto* found = std::find_if(kClasses.begin(), kClasses.end(),
                                   [size](std::size_t block) { return size + kTrailer <= block; });
  return static_cast<std::size_t>(found - kClasses.begin());
}

// Address space with no rights. Throws std::bad_alloc.
std::uint8_t* reserve_mapping(std::size_t size) {
  void* mapping =
      ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::uint8_t*>(mapping);
}

// Makes pages usable: never in a core dump, and locked if the kernel lets us. Throws
// std::bad_alloc.
bool open_pages(std::uint8_t* begin, std::size_t size) {
  if (::mprotect(begin, size, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
  if (::madvise(begin, size, MADV_DONTDUMP) != 0) std::abort();
  return ::mlock(begin, size) == 0;
}

std::string size_text(rlim_t bytes) {
  return bytes == RLIM_INFINITY ? "unlimited" : std::to_string(bytes / 1024) + " KiB";
}

}  // namespace

struct SecretArena::State {
  mutable std::mutex mutex;
  std::uint8_t* begin = nullptr;  // behind the first guard page
  std::uint8_t* end = nullptr;    // the second guard page
  std::uint8_t* opened = nullptr;
  std::uint8_t* used = nullptr;  // spans are cut off here
  std::uint64_t canary = 0;
  bool wiped = false;
  std::vector<std::uint8_t> span_classes;
  std::array<std::vector<std::uint8_t*>, kClasses.size()> free;
  std::unordered_map<const std::uint8_t*, bool> large;  // whether locked
  Statistics statistics;

  void count(std::size_t size, bool locked) noexcept {
    (locked ? statistics.locked : statistics.unlocked) += size;
  }
  void open_until(const std::uint8_t* needed);
  std::uint8_t* take(std::size_t size_class);
  std::uint8_t* take_large(std::size_t size);
  void give_back_large(std::uint8_t* block, std::size_t size) noexcept;
  std::size_t class_at(const std::uint8_t* block) const noexcept;
};

void SecretArena::State::open_until(const std::uint8_t* needed) {
  while (opened < needed) {
    const std::size_t size = std::min(kStep, static_cast<std::size_t>(end - opened));
    if (size == 0) throw std::bad_alloc();
    count(size, open_pages(opened, size));
    opened += size;
  }
}

std::uint8_t* SecretArena::State::take(std::size_t size_class) {
  std::vector<std::uint8_t*>& list = free[size_class];
  if (list.empty()) {
    if (used + kSpan > end) throw std::bad_alloc();
    reserve_one_more(span_classes);
    open_until(used + kSpan);
    const std::size_t block = kClasses[size_class];
    const std::size_t blocks = kSpan / block;
    // Room for every block of the class, so that to give one back asks for no memory.
    list.reserve(list.capacity() + blocks);
    for (std::size_t i = blocks; i-- > 0;) list.push_back(used + i * block);
    used += kSpan;
    span_classes.push_back(static_cast<std::uint8_t>(size_class));
  }
  std::uint8_t* block = list.back();
  list.pop_back();
  return block;
}

// Ends the process when no block begins there.
std::size_t SecretArena::State::class_at(const std::uint8_t* block) const noexcept {
  if (block < begin || block >= used) std::abort();
  const auto offset = static_cast<std::size_t>(block - begin);
  const std::size_t found = span_classes[offset / kSpan];
  if (offset % kSpan % kClasses[found] != 0) std::abort();
  return found;
}

// At the end of its pages, so that reading past the secret faults at once.
std::uint8_t* SecretArena::State::take_large(std::size_t size) {
  const std::size_t page = page_size();
  const std::size_t inner = (size + page - 1) / page * page;
  std::uint8_t* mapping = reserve_mapping(inner + 2 * page);
  std::uint8_t* block =
      mapping + page + (inner - (size + kAlignment - 1) / kAlignment * kAlignment);
  const bool noted = with_memory([&] {
    const bool locked = open_pages(mapping + page, inner);
    large.emplace(block, locked);
    count(inner, locked);
  });
  if (noted) return block;
  ::munmap(mapping, inner + 2 * page);
  throw std::bad_alloc();
}

void SecretArena::State::give_back_large(std::uint8_t* block, std::size_t size) noexcept {
  const std::size_t page = page_size();
  const std::size_t inner = (size + page - 1) / page * page;
  std::uint8_t* mapping =
      block - (inner - (size + kAlignment - 1) / kAlignment * kAlignment) - page;
  const auto found = large.find(block);
  if (found == large.end()) std::abort();
  (found->second ? statistics.locked : statistics.unlocked) -= inner;
  large.erase(found);
  ::munmap(mapping, inner + 2 * page);
}

SecretArena& SecretArena::process() noexcept {
  static auto* const arena = new SecretArena();
  return *arena;
}

SecretArena::SecretArena() noexcept : state_(new State()) {
  const std::size_t page = page_size();
  std::uint8_t* mapping = reserve_mapping(kReserved + 2 * page);
  state_->begin = state_->opened = state_->used = mapping + page;
  state_->end = state_->begin + kReserved;
  begin_ = reinterpret_cast<std::uintptr_t>(state_->begin);
  if (::getrandom(&state_->canary, sizeof state_->canary, 0) != sizeof state_->canary) std::abort();
}

std::uint8_t* SecretArena::allocate(std::size_t size) {
  if (size == 0 || size > kReserved) std::abort();
  const std::size_t size_class = class_of(size);
  const std::scoped_lock lock(state_->mutex);
  const bool is_large = size_class == kClasses.size();
  std::uint8_t* block = is_large ? state_->take_large(size) : state_->take(size_class);
  state_->statistics.in_use += size;
  if (is_large) return block;
  std::uint8_t* trailer = block + kClasses[size_class] - kTrailer;
  const std::uint64_t asked = size;
  ::memcpy(trailer, &asked, sizeof asked);
  ::memcpy(trailer + sizeof asked, &state_->canary, sizeof state_->canary);
  return block;
}

void SecretArena::release(std::uint8_t* block, std::size_t size) noexcept {
  if (block == nullptr) return;
  ::explicit_bzero(block, size);
  const std::size_t size_class = class_of(size);
  const std::scoped_lock lock(state_->mutex);
  if (state_->wiped) return;  // its canary is gone, and nothing is given out any more
  state_->statistics.in_use -= size;
  if (size_class == kClasses.size()) return state_->give_back_large(block, size);
  std::uint8_t* trailer = block + kClasses[size_class] - kTrailer;
  std::uint64_t asked = 0;
  std::uint64_t canary = 0;
  ::memcpy(&asked, trailer, sizeof asked);
  ::memcpy(&canary, trailer + sizeof asked, sizeof canary);
  // Something wrote past its end, or the block is freed twice.
  if (asked != size || canary != state_->canary || state_->class_at(block) != size_class) {
    std::abort();
  }
  ::explicit_bzero(trailer, kTrailer);
  state_->free[size_class].push_back(block);
}

std::size_t SecretArena::size_of(const void* block) const noexcept {
  const auto* at = static_cast<const std::uint8_t*>(block);
  const std::scoped_lock lock(state_->mutex);
  std::uint64_t asked = 0;
  ::memcpy(&asked, at + kClasses[state_->class_at(at)] - kTrailer, sizeof asked);
  return asked;
}

void SecretArena::reserve(std::size_t bytes) noexcept {
  const std::scoped_lock lock(state_->mutex);
  const auto room = static_cast<std::size_t>(state_->end - state_->begin);
  state_->open_until(state_->begin + std::min(bytes, room));
}

SecretArena::Statistics SecretArena::statistics() const noexcept {
  const std::scoped_lock lock(state_->mutex);
  return state_->statistics;
}

Status SecretArena::lock_status() const {
  if (statistics().unlocked == 0) return {};
  rlimit limit{};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  return Error(
      ErrorKind::configuration,
      "The memory of the keys cannot be locked, so that they might be written to swap: the "
      "limit of this process is " +
          size_text(limit.rlim_cur) +
          "; set LimitMEMLOCK=64M in the systemd unit, or run `ulimit -l 65536` in the "
          "shell that starts paravent.");
}

void SecretArena::wipe_everything() noexcept {
  const std::scoped_lock lock(state_->mutex);
  state_->wiped = true;
  ::explicit_bzero(state_->begin, static_cast<std::size_t>(state_->opened - state_->begin));
}

}  // namespace paravent::crypto
