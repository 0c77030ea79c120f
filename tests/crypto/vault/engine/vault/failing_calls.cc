#include "tests/crypto/vault/engine/vault/failing_calls.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

namespace {

using paravent::crypto::vault::Counted;
using paravent::crypto::vault::FaultMode;
using paravent::crypto::vault::FaultSeen;

enum class Call : std::uint8_t { other, shrink, sync, write };

std::atomic<long> left{-1};  // calls until the one that fails; below zero: passing through
std::atomic<bool> full{false};
std::atomic<bool> cut_short{false};  // the rest is still to fail
FaultMode mode = FaultMode::error_once;
Counted counted = Counted::every_call;
FaultSeen* seen = nullptr;

// Whether this call is to fail; then errno is set.
bool fails(Call call) {
  if (full && call != Call::sync && call != Call::shrink) {
    errno = ENOSPC;
    return true;
  }
  if (counted == Counted::writes && call != Call::write) return false;
  if (left.load() < 0 || left.fetch_sub(1) != 0) return false;
  seen->hit = true;
  seen->hit_write = call == Call::write;
  if (mode == FaultMode::killed) (void)::raise(SIGKILL);
  if (call == Call::sync) {
    seen->hit_sync = true;
    errno = EIO;
    return true;
  }
  if (mode == FaultMode::disk_full) full = true;
  errno = mode == FaultMode::disk_full ? ENOSPC : EIO;
  return true;
}

// A write that may be the one; `next` writes so many of its first bytes.
template <typename Next>
ssize_t write_or_fail(size_t size, Next next) {
  if (cut_short.exchange(false)) {
    errno = EIO;
    return -1;
  }
  if (!fails(Call::write)) return next(size);
  const int error = errno;
  ssize_t written = -1;
  if (mode == FaultMode::torn_write || mode == FaultMode::short_write) written = next(size / 2);
  if (mode == FaultMode::short_write && written > 0) {
    cut_short = true;
    return written;
  }
  errno = error;
  return -1;
}

template <typename F>
F real(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

bool changes(int flags) { return (flags & (O_CREAT | O_TRUNC)) != 0; }

int open_mode(int flags, va_list arguments) {
  return (flags & O_CREAT) != 0 ? va_arg(arguments, int) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int bits = open_mode(flags, arguments);
  va_end(arguments);
  if (changes(flags) && fails(Call::other)) return -1;
  return real<int (*)(const char*, int, ...)>("open")(path, flags, bits);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int bits = open_mode(flags, arguments);
  va_end(arguments);
  if (changes(flags) && fails(Call::other)) return -1;
  return real<int (*)(const char*, int, ...)>("open64")(path, flags, bits);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  const auto next = real<ssize_t (*)(int, const void*, size_t)>("write");
  return write_or_fail(size, [&](size_t some) { return next(fd, bytes, some); });
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  const auto next = real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  return write_or_fail(size, [&](size_t some) { return next(fd, bytes, some, at); });
}

int ftruncate(int fd, off_t size) noexcept {
  if (fails(Call::shrink)) return -1;
  return real<int (*)(int, off_t)>("ftruncate")(fd, size);
}

int fsync(int fd) {
  if (fails(Call::sync)) return -1;
  return real<int (*)(int)>("fsync")(fd);
}

int fdatasync(int fd) {
  if (fails(Call::sync)) return -1;
  return real<int (*)(int)>("fdatasync")(fd);
}

int rename(const char* from, const char* to) noexcept {
  if (fails(Call::other)) return -1;
  return real<int (*)(const char*, const char*)>("rename")(from, to);
}

int link(const char* from, const char* to) noexcept {
  if (fails(Call::other)) return -1;
  return real<int (*)(const char*, const char*)>("link")(from, to);
}

int unlink(const char* path) noexcept {
  if (fails(Call::other)) return -1;
  return real<int (*)(const char*)>("unlink")(path);
}

int mkdir(const char* path, mode_t bits) noexcept {
  if (fails(Call::other)) return -1;
  return real<int (*)(const char*, mode_t)>("mkdir")(path, bits);
}

// Nothing is reserved ahead, which is a wish only: so a store takes a few hundred kilobytes, and
// many fit the 64 MB of memory that a container's file system may have.
int fallocate(int, int, off_t, off_t) {
  errno = EOPNOTSUPP;
  return -1;
}

int posix_fallocate(int, off_t, off_t) { return EOPNOTSUPP; }

}  // extern "C"

namespace paravent::crypto::vault {

void fail_call(long number, FaultMode wanted, FaultSeen& told, Counted which) {
  mode = wanted;
  counted = which;
  seen = &told;
  left = number;
}

void stop_failing() {
  left = -1;
  full = cut_short = false;
}

}  // namespace paravent::crypto::vault
