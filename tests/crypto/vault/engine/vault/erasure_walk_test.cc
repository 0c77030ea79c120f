// A person is erased, and the process is killed in front of the first system call that changes a
// file, then of the second, and so on until one run comes to its end; and the same with calls that
// fail. A new process opens what is left: the person is there with every value, or nothing of
// theirs opens, and once the keepers have gone on where the erasure was broken off no row is left.
// Everybody else is there.
//
// Each run is a child (failing_calls.h).

#include <signal.h>

#include <array>
#include <fstream>

#include "crypto/vault/engine/upkeep/key_admin.h"
#include "crypto/vault/engine/upkeep/subject_keeper.h"
#include "tests/crypto/vault/engine/subject_support.h"
#include "tests/crypto/vault/engine/vault/children.h"
#include "tests/crypto/vault/engine/vault/failing_calls.h"

namespace paravent::crypto::vault {
namespace {

// Shared with the child.
struct Seen {
  FaultSeen fault;
  std::atomic<bool> erased;  // the call said so
  std::atomic<bool> whole;   // the person is there afterwards, before anybody goes on
};

enum Exit : int {
  good = 0,
  will_not_open = 10,
  half = 11,        // some values of the person open, others do not
  back = 12,        // an erasure was answered, and the person is there
  lost = 13,        // somebody else's values
  rows_left = 14,   // of somebody who is erased
  not_erased = 15,  // asked again, when nothing fails any more
};

class NoEntries final : public SubjectJournal {
 public:
  Status record(KeyOperation, std::span<const DueSubject>) override { return {}; }
};

// A folder with a vault, as a process of its own finds it.
struct Place {
  std::filesystem::path folder;
  TestClock clock;
  std::unique_ptr<DataDirectory> data;
  std::unique_ptr<Vault> vault;

  bool open() {
    auto directory = DataDirectory::open(folder / "data");
    if (!directory) return false;
    data = std::make_unique<DataDirectory>(std::move(*directory));
    auto root = RootKey::obtain(folder / "root.key", true);
    if (!root) return false;
    auto opened = Vault::open(*data, std::move(*root), clock);
    if (!opened) return false;
    vault = std::move(*opened);
    return true;
  }
  Result<Id> find(const std::string& person) const {
    return SubjectAdmin(*vault).find(*vault->tenant_id("atelier"), Kind::email, person);
  }
};

void keep(const std::filesystem::path& file, const Answer& answer) {
  std::ofstream out(file);
  for (const std::string& token : answer.tokens) out << token << "\n";
  out << answer.encrypted << "\n";
}

// How many of the values that were kept open.
std::size_t count_open(Vault& vault, const std::filesystem::path& file) {
  std::ifstream in(file);
  std::size_t count = 0;
  for (std::string text; std::getline(in, text);)
    count += static_cast<std::size_t>(open_text(vault, text)[0] != '(');
  return count;
}
constexpr std::size_t kValues = 3;

int make(const std::filesystem::path& folder) {
  Place place{folder, {}, {}, {}};
  place.data = std::make_unique<DataDirectory>(DataDirectory::create(folder / "data").value());
  place.vault = Vault::initialise(*place.data, RootKey::obtain(folder / "root.key", false).value(),
                                  place.clock)
                    .value();
  const std::vector<PolicyNames> policies{atelier()};
  if (!place.vault->admit_names(policies)) return lost;
  const BoundRoute route = bound_route(*place.vault);
  keep(folder / "anne", ask(*place.vault, route, "anne@example.fr", "Anne"));
  keep(folder / "paul", ask(*place.vault, route, "paul@example.fr", "Paul"));
  const bool whole = count_open(*place.vault, folder / "anne") == kValues &&
                     count_open(*place.vault, folder / "paul") == kValues;
  return whole ? good : lost;
}

int erase_anne(const std::filesystem::path& folder, Seen& seen) {
  Place place{folder, {}, {}, {}};
  if (!place.open()) return good;  // one sentence, and nothing happened
  const auto anne = place.find("anne@example.fr");
  if (!anne) return lost;
  seen.erased = SubjectAdmin(*place.vault).erase(std::span(&*anne, 1)).has_value();
  return good;
}

// What the keepers of a gateway do at its start and every hour.
bool go_on(Vault& vault) {
  KeyAdmin keys(vault);
  NoEntries entries;
  if (keys.erasure_is_due() && !keys.finish_erasure()) return false;
  return SubjectKeeper(vault, entries).tick().has_value();
}

int look(const std::filesystem::path& folder, Seen& seen) {
  Place place{folder, {}, {}, {}};
  if (!place.open()) return will_not_open;
  Vault& vault = *place.vault;
  std::ignore = bound_route(vault);
  for (const bool kept : {false, true}) {
    if (kept && !go_on(vault)) return will_not_open;
    if (count_open(vault, folder / "paul") != kValues) return lost;
    const std::size_t open = count_open(vault, folder / "anne");
    if (open != 0 && open != kValues) return half;
    const auto anne = place.find("anne@example.fr");
    if (anne.has_value() != (open == kValues)) return half;
    if (seen.erased && anne) return back;
    if (!kept) seen.whole = anne.has_value();
  }
  if (const auto anne = place.find("anne@example.fr")) {
    if (!SubjectAdmin(vault).erase(std::span(&*anne, 1))) return not_erased;
    if (count_open(vault, folder / "anne") != 0) return not_erased;
  }
  const auto rows = vault.rebuild_index();
  return rows && rows->rows == 2 ? good : rows_left;  // Paul's
}

bool went_well(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == good; }

class ErasureWalk : public testing::TestWithParam<FaultMode> {
 protected:
  std::filesystem::path folder_of(std::size_t place) const { return place_in(temp_.path(), place); }
  // What is no write fails in a torn or a short one's run as with an error: those runs are
  // error_once's.
  static Counted counted() {
    const bool torn = GetParam() == FaultMode::torn_write || GetParam() == FaultMode::short_write;
    return torn ? Counted::writes : Counted::every_call;
  }
  TempDir temp_;
  std::array<Seen, kSideBySide>& seen_ = shared_with_children<Seen>();
};

TEST_P(ErasureWalk, HappensEntirelyOrNotAtAll) {
  const auto start = temp_.path() / "start";
  std::filesystem::create_directory(start);
  ASSERT_EQ(in_child([&] { return make(start); }), 0);
  std::size_t runs = 0;
  std::size_t there = 0;  // of runs that were broken off
  std::size_t gone = 0;
  for (bool ended = false; !ended;) {
    ASSERT_LT(runs, 2000U) << "no run comes to its end";
    for (std::size_t place = 0; place < kSideBySide; ++place) {
      std::filesystem::remove_all(folder_of(place));
      std::filesystem::copy(start, folder_of(place), std::filesystem::copy_options::recursive);
      Seen& saw = seen_[place];
      saw.fault.hit = saw.fault.hit_sync = saw.fault.hit_write = saw.erased = saw.whole = false;
    }
    const auto worked = side_by_side([&](std::size_t place) {
      Seen& saw = seen_[place];
      fail_call(static_cast<long>(runs + place), GetParam(), saw.fault, counted());
      const int code = erase_anne(folder_of(place), saw);
      stop_failing();
      return code;
    });
    const auto looked =
        side_by_side([&](std::size_t place) { return look(folder_of(place), seen_[place]); });
    for (std::size_t place = 0; place < kSideBySide && !ended; ++place, ++runs) {
      const Seen& saw = seen_[place];
      const int ended_by = WIFSIGNALED(worked[place]) ? WTERMSIG(worked[place]) : 0;
      if (GetParam() == FaultMode::killed) {
        ASSERT_EQ(ended_by, saw.fault.hit ? SIGKILL : 0) << runs;
      } else if (saw.fault.hit_sync) {
        ASSERT_EQ(ended_by, SIGABRT) << runs;
      } else if (ended_by != 0) {
        // Where a batch has happened, its files have to take their places.
        ASSERT_TRUE(ended_by == SIGABRT && saw.fault.hit && !saw.fault.hit_write) << runs;
      }
      ASSERT_TRUE(ended_by != 0 || went_well(worked[place])) << runs << ": " << worked[place];
      ASSERT_TRUE(went_well(looked[place])) << runs << ": " << WEXITSTATUS(looked[place]);
      if (saw.fault.hit && !saw.erased) ++(saw.whole ? there : gone);
      ended = !saw.fault.hit;
    }
  }
  EXPECT_GT(runs, 20U);
  EXPECT_GT(there, 5U);
  if (GetParam() == FaultMode::killed) {
    EXPECT_GT(gone, 5U);
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, ErasureWalk,
                         testing::Values(FaultMode::killed, FaultMode::error_once,
                                         FaultMode::torn_write, FaultMode::short_write));

}  // namespace
}  // namespace paravent::crypto::vault
