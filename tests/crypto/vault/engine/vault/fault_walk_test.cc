// The loops of SQLite's I/O tests, literally: a store is put to work with its first system call
// that changes a file failing, then the second, the third, until one run comes to its end.
// Afterwards a new process opens what is left: whatever was acknowledged is there, the rest wholly
// or not at all.
//
// A program of its own, because it stands in front of the system calls, also of RocksDB's. Each run
// is a child; the parent never opens a store, so that no thread of RocksDB is forked. Two go side
// by side: after a fault RocksDB waits a while before it tries again.

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>

#include "crypto/vault/engine/keys/file_key_store.h"
#include "crypto/vault/engine/rows/rocksdb_token_store.h"
#include "tests/crypto/vault/engine/support.h"

namespace {

enum class Mode : int {
  error_once,   // EIO, and all is well again
  short_write,  // half of the bytes, then a full disk, for that one call
  disk_full,    // from then on nothing can be written, made or grown; what is there can be read
};

enum class Call : int { other, sync, write };

// Shared with the child, one for each that goes beside others.
struct Seen {
  std::atomic<bool> hit;
  std::atomic<bool> hit_sync;
  std::atomic<int> acknowledged;  // bits
  std::atomic<bool> lost_a_known_row;

  void clear() {
    hit = hit_sync = lost_a_known_row = false;
    acknowledged = 0;
  }
};
Seen* seen = nullptr;

std::atomic<long> left{-1};  // calls until the one that fails; below zero: passing through
std::atomic<bool> full{false};
Mode mode = Mode::error_once;

// Whether this call is to fail; then errno is set.
bool fails(Call call) {
  if (full && call != Call::sync) {
    errno = ENOSPC;
    return true;
  }
  if (left.load() < 0 || left.fetch_sub(1) != 0) return false;
  seen->hit = true;
  if (call == Call::sync) {
    seen->hit_sync = true;
    errno = EIO;
    return true;
  }
  if (mode == Mode::disk_full) full = true;
  errno = mode == Mode::error_once ? EIO : ENOSPC;
  return true;
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
  if (!fails(Call::write)) return next(fd, bytes, size);
  const int error = errno;
  if (mode == Mode::short_write && !full) (void)next(fd, bytes, size / 2);
  errno = error;
  return -1;
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  if (fails(Call::write)) return -1;
  return real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite")(fd, bytes, size, at);
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

int mkdir(const char* path, mode_t bits) noexcept {
  if (fails(Call::other)) return -1;
  return real<int (*)(const char*, mode_t)>("mkdir")(path, bits);
}

}  // extern "C"

namespace paravent::crypto::vault {
namespace {

constexpr int kCommits = 2;
const Id kInstallation{7};

Id row_id(int n) { return Id{static_cast<std::uint8_t>(n + 1), 42}; }
IndexKey row_index(int n) { return IndexKey{static_cast<std::uint8_t>(n + 1), 43}; }

// A child's exit status for what went wrong in it.
enum Exit : int { good = 0, will_not_open = 10, lost = 11, half = 12 };

template <typename Work>
pid_t start_child(Work work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  return child;
}

int end_of(pid_t child) {
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

template <typename Work>
int in_child(Work work) {
  return end_of(start_child(work));
}

bool readable(TokenStore& store, int n) {
  std::array<std::optional<FoundFacts>, 1> found;
  const IndexKey index = row_index(n);
  return store.find(std::span(&index, 1), found) && found[0] && found[0]->facts == "row";
}

// Rows 0 and 1 were there before; 0 is removed, the others are added one by one.
int work_tokens(const std::filesystem::path& folder) {
  auto store = RocksdbTokenStore::open(folder, kInstallation);
  if (!store) return good;  // one sentence, and nothing was acknowledged
  for (int n = 2; n < 2 + kCommits; ++n) {
    std::vector<NewRow> row{{row_index(n), row_id(n), "row", {}}};
    if ((*store)->commit(row, {}, {})) seen->acknowledged |= 1 << n;
    if (!readable(**store, 1)) seen->lost_a_known_row = true;
  }
  const std::vector<Id> gone{row_id(0)};
  if ((*store)->expire(gone)) seen->acknowledged |= 1;
  if (!readable(**store, 1)) seen->lost_a_known_row = true;
  return good;
}

int check_tokens(const std::filesystem::path& folder) {
  auto store = RocksdbTokenStore::open(folder, kInstallation);
  if (!store) return will_not_open;
  if (!readable(**store, 1)) return lost;
  for (int n = 2; n < 2 + kCommits; ++n) {
    if ((seen->acknowledged & (1 << n)) != 0 && !readable(**store, n)) return lost;
    // Index and row come together.
    std::array<std::optional<std::string>, 1> row;
    const Id id = row_id(n);
    if (!(*store)->resolve(std::span(&id, 1), row)) return will_not_open;
    if (row[0].has_value() != readable(**store, n)) return half;
  }
  if ((seen->acknowledged & 1) != 0 && readable(**store, 0)) return half;
  std::vector<NewRow> more{{row_index(20), row_id(20), "row", {}}};
  return (*store)->commit(more, {}, {}) && readable(**store, 20) ? good : will_not_open;
}

RecordRef key_ref(int n) { return {RecordType::name, Id{static_cast<std::uint8_t>(n + 1)}}; }

int work_keys(const std::filesystem::path& folder, const RootKey& root) {
  auto store = FileKeyStore::open(folder / kKeyStoreFile, root);
  if (!store) return good;
  for (int n = 2; n < 2 + kCommits; ++n) {
    const std::vector<StoredRecord> record{{key_ref(n), Bytes(40, std::uint8_t{5})}};
    if ((*store)->put_if_generation((*store)->generation(), record)) {
      seen->acknowledged |= 1 << n;
    } else if ((*store)->get(key_ref(n))) {
      return half;  // refused, and shown all the same
    }
    if (!(*store)->get(key_ref(1))) seen->lost_a_known_row = true;
  }
  return good;
}

int check_keys(const std::filesystem::path& folder, const RootKey& root) {
  auto store = FileKeyStore::open(folder / kKeyStoreFile, root);
  if (!store) return will_not_open;
  if (!(*store)->get(key_ref(1))) return lost;
  for (int n = 2; n < 2 + kCommits; ++n) {
    const auto record = (*store)->get(key_ref(n));
    if ((seen->acknowledged & (1 << n)) != 0 && !record) return lost;
    if (record && *record != Bytes(40, std::uint8_t{5})) return half;
  }
  return good;
}

class FaultWalk : public testing::TestWithParam<Mode> {
 protected:
  // Each takes some 17 MB of a memory file system, which has 64 in many a container.
  static constexpr std::size_t kSideBySide = 2;

  FaultWalk() {
    all_seen_ =
        static_cast<Seen*>(::mmap(nullptr, kSideBySide * sizeof(Seen), PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  }

  std::filesystem::path folder_of(std::size_t place) const {
    return temp_.path() / ("work" + std::to_string(place));
  }

  // The exit statuses of as many children, each with its place.
  template <typename Work>
  std::array<int, kSideBySide> side_by_side(Work work) {
    std::array<pid_t, kSideBySide> children{};
    for (std::size_t place = 0; place < kSideBySide; ++place) {
      children[place] = start_child([&] {
        seen = &all_seen_[place];
        return work(place);
      });
    }
    std::array<int, kSideBySide> statuses{};
    std::transform(children.begin(), children.end(), statuses.begin(), end_of);
    return statuses;
  }

  template <typename Work, typename Check>
  void walk(const std::filesystem::path& start, Work work, Check check, bool may_assert = false) {
    std::size_t runs = 0;
    int aborted = 0;
    for (bool ended = false; !ended;) {
      ASSERT_LT(runs, 2000U) << "no run comes to its end";
      for (std::size_t place = 0; place < kSideBySide; ++place) {
        std::filesystem::remove_all(folder_of(place));
        std::filesystem::copy(start, folder_of(place), std::filesystem::copy_options::recursive);
        all_seen_[place].clear();
      }
      const auto worked = side_by_side([&](std::size_t place) {
        mode = GetParam();
        left = static_cast<long>(runs + place);
        const int code = work(folder_of(place));
        left = -1;
        full = false;
        return code;
      });
      const auto checked = side_by_side([&](std::size_t place) { return check(folder_of(place)); });
      for (std::size_t place = 0; place < kSideBySide && !ended; ++place, ++runs) {
        judge(place, worked[place], checked[place], runs, may_assert, aborted);
        if (HasFatalFailure()) return;
        ended = !all_seen_[place].hit;
      }
    }
    EXPECT_GT(runs, 5U);
    EXPECT_GT(aborted, 0);
    RecordProperty("runs", static_cast<int>(runs));
  }

  void judge(std::size_t place, int worked, int checked, std::size_t run, bool may_assert,
             int& aborted) {
    const Seen& saw = all_seen_[place];
    const bool gave_up = WIFSIGNALED(worked) && WTERMSIG(worked) == SIGABRT;
    if (saw.hit_sync) {
      // A failed fsync proves nothing any more: the process has to end, there and then.
      ASSERT_TRUE(gave_up) << run << ": " << worked;
    } else if (!gave_up || !may_assert) {
      ASSERT_TRUE(WIFEXITED(worked) && WEXITSTATUS(worked) == good) << run << ": " << worked;
      ASSERT_FALSE(saw.lost_a_known_row) << run;
    }
    aborted += gave_up ? 1 : 0;
    ASSERT_TRUE(WIFEXITED(checked) && WEXITSTATUS(checked) == good)
        << run << ": " << WEXITSTATUS(checked);
  }

  Seen* all_seen_ = nullptr;
  TempDir temp_;
};

class TokenStoreFaults : public FaultWalk {};
class KeyStoreFaults : public FaultWalk {};

TEST_P(TokenStoreFaults, EveryCallInTurn) {
  const auto start = temp_.path() / "start";
  ASSERT_EQ(in_child([&] {
              auto store = RocksdbTokenStore::create(start, kInstallation).value();
              std::vector<NewRow> rows{{row_index(0), row_id(0), "row", SubjectReference{1}},
                                       {row_index(1), row_id(1), "row", {}}};
              return store->commit(rows, {}, {}) ? good : lost;
            }),
            0);
  // Debian builds RocksDB with its assertions, one of which ends the process after some torn
  // writes.
  walk(start, work_tokens, check_tokens, true);
}

TEST_P(KeyStoreFaults, EveryCallInTurn) {
  const auto start = temp_.path() / "start";
  std::filesystem::create_directory(start);
  const RootKey root = RootKey::ephemeral();
  {
    auto store = FileKeyStore::create(start / kKeyStoreFile, kInstallation, root).value();
    const std::vector<StoredRecord> record{{key_ref(1), Bytes(40)}};
    ASSERT_TRUE(store->put_if_generation(store->generation(), record));
  }
  walk(
      start, [&](const auto& folder) { return work_keys(folder, root); },
      [&](const auto& folder) { return check_keys(folder, root); });
}

INSTANTIATE_TEST_SUITE_P(Modes, KeyStoreFaults,
                         testing::Values(Mode::error_once, Mode::short_write, Mode::disk_full));
// A disk that stays full has tests of its own (store_fault_test.cc, tests/e2e/cases/full_disk.py):
// RocksDB waits some seconds for room, too long for one run per system call.
INSTANTIATE_TEST_SUITE_P(Modes, TokenStoreFaults, testing::Values(Mode::error_once));

}  // namespace
}  // namespace paravent::crypto::vault
