// The loops of SQLite's I/O tests, literally: a store is put to work with its first system call
// that changes a file failing, then the second, the third, until one run comes to its end.
// Afterwards a new process opens what is left: whatever was acknowledged is there, the rest wholly
// or not at all.
//
// A program of its own, because it stands in front of the system calls, also of RocksDB's. Each run
// is a child; the parent never opens a store, so that no thread of RocksDB is forked. Many go
// side by side: after a fault RocksDB waits a while before it tries again.

#include <signal.h>
#include <sys/mman.h>

#include <array>
#include <atomic>

#include "crypto/vault/engine/keys/file_key_store.h"
#include "crypto/vault/engine/keys/key_wrap.h"
#include "crypto/vault/engine/rows/rocksdb_token_store.h"
#include "crypto/vault/engine/subjects/subject_store.h"
#include "tests/crypto/vault/engine/support.h"
#include "tests/crypto/vault/engine/vault/children.h"
#include "tests/crypto/vault/engine/vault/failing_calls.h"

namespace paravent::crypto::vault {
namespace {

// Shared with the child, one for each that goes beside others.
struct Seen {
  FaultSeen fault;
  std::atomic<int> acknowledged;  // bits
  std::atomic<bool> lost_a_known_row;

  void clear() {
    fault.hit = fault.hit_sync = fault.hit_write = lost_a_known_row = false;
    acknowledged = 0;
  }
};
Seen* seen = nullptr;

constexpr int kCommits = 2;
const Id kInstallation{7};

Id row_id(int n) { return Id{static_cast<std::uint8_t>(n + 1), 42}; }
IndexKey row_index(int n) { return IndexKey{static_cast<std::uint8_t>(n + 1), 43}; }

// A child's exit status for what went wrong in it.
enum Exit : int { good = 0, will_not_open = 10, lost = 11, half = 12 };

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

// What the subject store needs beside its folder; made once, before anything fails.
struct SubjectPlace {
  SecretBytes mac_key = SecretBytes::copy_of(Bytes(32, 4));
  TenantWrap wrap{Id{1}, Id{2}, child_wrapping_key(Bytes(32, 5))};
  Id store_id{8};
  Id purpose{3};

  Result<std::unique_ptr<SubjectStore>> open(const std::filesystem::path& folder) const {
    auto shred = ShredSecret::read(folder / "shred-secret", kInstallation);
    if (!shred) return shred.error();
    return SubjectStore::open(folder, kInstallation, store_id, mac_key, *shred);
  }
};

Id subject_id(int n) { return Id{static_cast<std::uint8_t>(n + 1), 44}; }

Status add_subject(SubjectStore& store, const SubjectPlace& place, int n) {
  const auto lock = store.lock_writers();
  const SubjectMade subject{subject_id(n), place.wrap.tenant,
                            SubjectReference{static_cast<std::uint8_t>(n + 1)}, true, 100};
  const SubjectKeyMade key = store.make_key(subject.id, place.purpose, place.wrap, {}, 100);
  const std::vector<SubjectChange> changes{subject, key};
  return store.commit(changes);
}

Status erase_subject(SubjectStore& store, int n) {
  const auto lock = store.lock_writers();
  const SubjectChange change = SubjectErased{subject_id(n)};
  return store.commit(std::span(&change, 1));
}

// How much there is of a person: nothing, a part, or all with a key that opens.
enum class Presence : std::uint8_t { none, half, whole };

Presence presence(const SubjectStore& store, const SubjectPlace& place, int n) {
  const auto keys = store.read([&](const SubjectTable& table) {
    std::optional<std::vector<SubjectKeyMade>> made;
    const Subject* subject = table.by_id(subject_id(n));
    if (subject == nullptr) return made;
    made.emplace();
    for (const SubjectKey* key : table.keys_of(*subject)) made->push_back(key->made);
    return made;
  });
  if (!keys) return Presence::none;
  std::array<std::uint8_t, kTreeKeySize> clear{};
  const bool opens = keys->size() == 1 && store.open_key(keys->front(), place.wrap, clear);
  return opens ? Presence::whole : Presence::half;
}

// So much history that whoever opens the file writes it anew. REQUIRES: subject 1 is there.
Status grow_history(SubjectStore& store) {
  const auto lock = store.lock_writers();
  const Id handle = store.read([](const SubjectTable& table) {
    return table.keys_of(*table.by_id(subject_id(1))).front()->made.handle;
  });
  std::vector<SubjectChange> changes;
  for (std::uint32_t day = 101; day < 20'101; ++day) {
    changes.emplace_back(SubjectContact{handle, day});
  }
  return store.commit(changes);
}

// People 0 and 1 were there before, with a long history; 0 is erased, the others are added.
int work_subjects(const std::filesystem::path& folder, const SubjectPlace& place) {
  auto store = place.open(folder);
  if (!store) return good;  // the rewriting failed
  for (int n = 2; n < 2 + kCommits; ++n) {
    if (add_subject(**store, place, n)) {
      seen->acknowledged |= 1 << n;
    } else if (presence(**store, place, n) != Presence::none) {
      return half;  // refused, and shown all the same
    }
    if (presence(**store, place, 1) != Presence::whole) seen->lost_a_known_row = true;
  }
  if (erase_subject(**store, 0)) seen->acknowledged |= 1;
  if (presence(**store, place, 1) != Presence::whole) seen->lost_a_known_row = true;
  return good;
}

int check_subjects(const std::filesystem::path& folder, const SubjectPlace& place) {
  auto store = place.open(folder);
  if (!store) return will_not_open;
  if (presence(**store, place, 1) != Presence::whole) return lost;
  for (int n = 2; n < 2 + kCommits; ++n) {
    const Presence there = presence(**store, place, n);
    if (there == Presence::half) return half;
    if ((seen->acknowledged & (1 << n)) != 0 && there != Presence::whole) return lost;
  }
  const Presence erased = presence(**store, place, 0);
  if (erased == Presence::half) return half;
  if ((seen->acknowledged & 1) != 0 && erased != Presence::none) return half;
  if (!add_subject(**store, place, 20)) return will_not_open;
  store = place.open(folder);
  return store && presence(**store, place, 20) == Presence::whole ? good : lost;
}

class FaultWalk : public testing::TestWithParam<FaultMode> {
 protected:
  FaultWalk() {
    all_seen_ =
        static_cast<Seen*>(::mmap(nullptr, kSideBySide * sizeof(Seen), PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  }

  std::filesystem::path folder_of(std::size_t place) const {
    return temp_.path() / ("work" + std::to_string(place));
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
        seen = &all_seen_[place];
        fail_call(static_cast<long>(runs + place), GetParam(), seen->fault);
        const int code = work(folder_of(place));
        stop_failing();
        return code;
      });
      const auto checked = side_by_side([&](std::size_t place) {
        seen = &all_seen_[place];
        return check(folder_of(place));
      });
      for (std::size_t place = 0; place < kSideBySide && !ended; ++place, ++runs) {
        judge(place, worked[place], checked[place], runs, may_assert, aborted);
        if (HasFatalFailure()) return;
        ended = !all_seen_[place].fault.hit;
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
    if (saw.fault.hit_sync) {
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
class SubjectStoreFaults : public FaultWalk {};

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

TEST_P(SubjectStoreFaults, EveryCallInTurn) {
  const auto start = temp_.path() / "start";
  std::filesystem::create_directory(start);
  const SubjectPlace place;
  {
    const auto shred = ShredSecret::create(start / "shred-secret", kInstallation).value();
    auto store =
        SubjectStore::create(start, kInstallation, place.store_id, place.mac_key, shred).value();
    ASSERT_TRUE(add_subject(*store, place, 0));
    ASSERT_TRUE(add_subject(*store, place, 1));
    ASSERT_TRUE(grow_history(*store));
  }
  const auto size = std::filesystem::file_size(start / kSubjectFile);
  walk(
      start, [&](const auto& folder) { return work_subjects(folder, place); },
      [&](const auto& folder) { return check_subjects(folder, place); });
  // What failed was the rewriting too: the last run, in which nothing failed, has done it.
  EXPECT_LT(std::filesystem::file_size(folder_of(0) / kSubjectFile), size / 2);
}

INSTANTIATE_TEST_SUITE_P(Modes, KeyStoreFaults,
                         testing::Values(FaultMode::error_once, FaultMode::torn_write,
                                         FaultMode::short_write, FaultMode::disk_full));
INSTANTIATE_TEST_SUITE_P(Modes, SubjectStoreFaults,
                         testing::Values(FaultMode::error_once, FaultMode::torn_write,
                                         FaultMode::short_write, FaultMode::disk_full));
// A disk that stays full has tests of its own (store_fault_test.cc, tests/e2e/cases/full_disk.py):
// RocksDB waits some seconds for room, too long for one run per system call.
INSTANTIATE_TEST_SUITE_P(Modes, TokenStoreFaults,
                         testing::Values(FaultMode::error_once, FaultMode::torn_write,
                                         FaultMode::short_write));

}  // namespace
}  // namespace paravent::crypto::vault
