// A destroy batch, a rotation and a change of the root key, in which each call that changes a file
// fails in turn: with an error, in the middle of a write, with a disk that stays full. Whoever
// asked is told; what is there, in the same process and in the next, is everything of before or
// everything of after; and of what was answered as done no old secret is left.
//
// key_crash_test.cc kills the process there. Each run is a child (failing_calls.h).

#include <signal.h>

#include <array>
#include <atomic>

#include "crypto/vault/engine/subjects/subject_renewal.h"
#include "tests/crypto/vault/engine/key_destroy_support.h"
#include "tests/crypto/vault/engine/people_on_disk.h"
#include "tests/crypto/vault/engine/vault/children.h"
#include "tests/crypto/vault/engine/vault/failing_calls.h"

namespace paravent::crypto::vault {
namespace {

// Shared with the child, one for each that goes beside others.
struct Seen {
  FaultSeen fault;
  long number;  // of the call that fails
  FaultMode mode;
  std::atomic<bool> done;      // the change said so
  std::atomic<bool> happened;  // found by the process after it

  // The change begins.
  void arm() { fail_call(number, mode, fault); }
  void clear() { fault.hit = fault.hit_sync = fault.hit_write = done = happened = false; }
};

enum Exit : int {
  good = 0,
  will_not_open = 10,
  half = 11,        // neither of before nor of after
  taken_back = 12,  // said to be done, and everything is as it was
  secret_left = 13,
  not_mended = 14,  // asked again, when nothing fails any more
};

using Keys = std::map<Id, std::string>;

// What is done to a folder, and how it is told whether it was.
class Change {
 public:
  virtual ~Change() = default;
  virtual void make(const std::filesystem::path& folder) = 0;
  // In a child. `done` at once when the call has answered.
  virtual int work(const std::filesystem::path& folder, Seen& seen) const = 0;
  virtual int look(const std::filesystem::path& folder, Seen& seen) const = 0;
};

// One epoch of two, and one of two keys of the part beside the tree.
class DestroyBatch final : public Change {
 public:
  void make(const std::filesystem::path& folder) override {
    KeysOnDisk keys(folder);
    keys.make();
    before_ = after_ = keys.all();
    epoch_ = keys.epochs[0];
    subject_ = keys.part.ids()[0];
    after_.erase(epoch_);
    after_.erase(subject_);
    old_secret_ = secret_in(folder);
    ASSERT_EQ(before_.size(), 6U);
  }
  int work(const std::filesystem::path& folder, Seen& seen) const override {
    KeysOnDisk keys(folder);
    if (!keys.open()) return will_not_open;
    seen.arm();
    seen.done = destroy(keys);
    stop_failing();
    const Keys all = keys.all();
    if (seen.done && any_file_holds(folder, old_secret_)) return secret_left;
    if (seen.done) return all == after_ ? good : taken_back;
    return all == before_ || all == after_ ? good : half;
  }
  int look(const std::filesystem::path& folder, Seen& seen) const override {
    KeysOnDisk keys(folder);
    if (!keys.open()) return will_not_open;
    Keys all = keys.all();
    seen.happened = all == after_;
    if (all != before_ && all != after_) return half;
    if (seen.done && !seen.happened) return taken_back;
    if (!seen.happened && !destroy(keys)) return not_mended;
    all = keys.all();
    if (all != after_) return not_mended;
    return any_file_holds(folder, old_secret_) ? secret_left : good;
  }

 private:
  bool destroy(KeysOnDisk& keys) const {
    keys.part.goes = {subject_};
    const std::vector<RenewalPart*> parts{&keys.part};
    return keys.catalogue->destroy(std::span(&epoch_, 1), parts, keys.now).has_value();
  }
  Keys before_;
  Keys after_;
  Id epoch_{};
  Id subject_{};
  std::string old_secret_;
};

// A tenant's key that people's keys hang on, one of whom was erased before.
class RotateTenant final : public Change {
 public:
  void make(const std::filesystem::path& folder) override {
    PeopleOnDisk made(folder);
    made.make();
    before_ = made.all();
    erased_ = made.made.back();
    tenant_ = made.tenant;
    old_secret_ = secret_in(folder);
    ASSERT_EQ(before_.size(), 3U);
    ASSERT_FALSE(made.open_key(erased_).empty()) << "an older copy of the record opens still";
  }
  int work(const std::filesystem::path& folder, Seen& seen) const override {
    PeopleOnDisk keys(folder);
    if (!keys.open()) return will_not_open;
    seen.arm();
    seen.done = rotate(keys);
    stop_failing();
    if (seen.done && any_file_holds(folder, old_secret_)) return secret_left;
    return keys.all() == before_ ? good : half;
  }
  int look(const std::filesystem::path& folder, Seen& seen) const override {
    PeopleOnDisk keys(folder);
    if (!keys.open()) return will_not_open;
    if (keys.all() != before_) return half;
    seen.happened = keys.catalogue->shred().number() != 1;
    if (seen.done && !seen.happened) return taken_back;
    if (!seen.happened && !rotate(keys)) return not_mended;
    if (keys.all() != before_) return not_mended;
    if (!keys.open_key(erased_).empty()) return secret_left;
    return any_file_holds(folder, old_secret_) ? secret_left : good;
  }

 private:
  bool rotate(PeopleOnDisk& keys) const {
    SubjectRenewal renewal(*keys.people);
    const std::vector<RenewalPart*> parts{&renewal};
    return keys.catalogue->rotate_parent(tenant_, parts, keys.now).has_value();
  }
  Keys before_;
  SubjectKeyMade erased_;
  Id tenant_{};
  std::string old_secret_;
};

class ReplaceRoot final : public Change {
 public:
  void make(const std::filesystem::path& folder) override {
    KeysOnDisk keys(folder);
    keys.make();
    before_ = keys.all();
    ASSERT_TRUE(RootKey::create(folder / "new.key"));
  }
  int work(const std::filesystem::path& folder, Seen& seen) const override {
    auto next = RootKey::read(folder / "new.key");
    KeysOnDisk keys(folder);
    if (!next || !keys.open()) return will_not_open;
    seen.arm();
    seen.done = keys.catalogue->replace_root(std::move(*next)).has_value();
    stop_failing();
    return keys.all() == before_ ? good : half;
  }
  int look(const std::filesystem::path& folder, Seen& seen) const override {
    KeysOnDisk keys(folder);
    seen.happened = keys.open(folder / "new.key").has_value();
    if (seen.happened != !KeysOnDisk(folder).open().has_value()) return half;
    if (seen.done && !seen.happened) return taken_back;
    if (!seen.happened) {
      if (!keys.open()) return will_not_open;
      if (!keys.catalogue->replace_root(RootKey::read(folder / "new.key").value())) {
        return not_mended;
      }
    }
    return keys.all() == before_ ? good : half;
  }

 private:
  Keys before_;
};

class DestroyFaults : public testing::TestWithParam<FaultMode> {
 protected:
  void walk(Change& change, std::size_t least_undone, std::size_t least_happened) {
    const auto start = temp_.path() / "start";
    std::filesystem::create_directory(start);
    change.make(start);
    if (HasFatalFailure()) return;
    std::size_t runs = 0;
    std::size_t undone = 0;
    std::size_t happened = 0;
    for (bool ended = false; !ended;) {
      ASSERT_LT(runs, 500U) << "no run comes to its end";
      for (std::size_t place = 0; place < kSideBySide; ++place) {
        copy_folder(start, folder_of(place));
        seen_[place].clear();
      }
      const auto worked = side_by_side([&](std::size_t place) {
        Seen& saw = seen_[place];
        saw.number = static_cast<long>(runs + place);
        saw.mode = GetParam();
        return change.work(folder_of(place), saw);
      });
      const auto looked = side_by_side(
          [&](std::size_t place) { return change.look(folder_of(place), seen_[place]); });
      for (std::size_t place = 0; place < kSideBySide && !ended; ++place, ++runs) {
        const Seen& saw = seen_[place];
        const bool gave_up = WIFSIGNALED(worked[place]) && WTERMSIG(worked[place]) == SIGABRT;
        ASSERT_TRUE(gave_up ? saw.fault.hit.load() : WIFEXITED(worked[place])) << runs;
        // A failed fsync ends the process. So do names that cannot be given once a batch has
        // happened: its files have to take their places.
        ASSERT_TRUE(gave_up || !saw.fault.hit_sync) << runs;
        ASSERT_FALSE(gave_up && saw.fault.hit_write) << runs;
        ASSERT_TRUE(gave_up || WEXITSTATUS(worked[place]) == good) << runs << ": " << worked[place];
        ASSERT_TRUE(WIFEXITED(looked[place])) << runs;
        ASSERT_EQ(WEXITSTATUS(looked[place]), good) << runs;
        ended = !saw.fault.hit;
        if (!ended) ++(saw.happened ? happened : undone);
      }
    }
    EXPECT_GE(undone, least_undone);
    EXPECT_GE(happened, least_happened);
  }

  std::filesystem::path folder_of(std::size_t place) const { return place_in(temp_.path(), place); }

  TempDir temp_;
  std::array<Seen, kSideBySide>& seen_ = shared_with_children<Seen>();
};

TEST_P(DestroyFaults, OfABatch) {
  DestroyBatch change;
  walk(change, 8, 6);
}

TEST_P(DestroyFaults, OfARotationWithPeople) {
  RotateTenant change;
  walk(change, 5, 5);
}

TEST_P(DestroyFaults, OfAChangeOfTheRootKey) {
  ReplaceRoot change;
  walk(change, 3, 1);
}

INSTANTIATE_TEST_SUITE_P(Modes, DestroyFaults,
                         testing::Values(FaultMode::error_once, FaultMode::torn_write,
                                         FaultMode::short_write, FaultMode::disk_full));

}  // namespace
}  // namespace paravent::crypto::vault
