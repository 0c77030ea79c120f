// A destroy batch and a change of the root key, interrupted before each system call that makes
// something durable, and in the middle of each write: what is left opens entirely as it was before,
// or entirely as it is afterwards.

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/vault/engine/subjects/subject_renewal.h"
#include "tests/crypto/vault/engine/key_destroy_support.h"
#include "tests/crypto/vault/engine/people_on_disk.h"

namespace {

// The child that is to die counts its calls; everybody else passes through.
int left = -1;  // -1: not counting

constexpr int kDied = 86;

// Dies instead of the call whose turn it is.
void step() {
  if (left < 0) return;
  if (left-- == 0) ::_exit(kDied);
}

template <typename F>
F next(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int fsync(int fd) {
  step();
  return next<int (*)(int)>("fsync")(fd);
}

int fdatasync(int fd) {
  step();
  return next<int (*)(int)>("fdatasync")(fd);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  const auto real = next<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  if (left == 0) {
    const ssize_t half = real(fd, bytes, size / 2, at);
    ::_exit(half >= 0 ? kDied : 1);
  }
  step();
  return real(fd, bytes, size, at);
}

int rename(const char* from, const char* to) noexcept {
  step();
  return next<int (*)(const char*, const char*)>("rename")(from, to);
}

int unlink(const char* path) noexcept {
  step();
  return next<int (*)(const char*)>("unlink")(path);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
  if (left == 0) {
    const ssize_t half = real(fd, bytes, size / 2);
    ::_exit(half >= 0 ? kDied : 1);
  }
  step();
  return real(fd, bytes, size);
}

}  // extern "C"

namespace paravent::crypto::vault {
namespace {

// Runs `work` in a child that dies at its n-th durable step. False when it came to its end.
template <typename Work>
bool dies_at(int n, Work work) {
  const pid_t child = ::fork();
  if (child == 0) {
    left = n;
    const bool good = work();
    left = -1;
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_TRUE(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == kDied) << n;
  return WIFEXITED(status) && WEXITSTATUS(status) == kDied;
}

// What a change begins with is made in start_; it happens to a copy of that, in work_.
class KeyCrash : public testing::Test {
 protected:
  KeyCrash() { std::filesystem::create_directory(start_); }

  template <typename Change>
  bool dies_at_step(int n, Change change) const {
    copy_folder(start_, work_);
    return dies_at(n, change);
  }

  const TempDir temp_;
  const std::filesystem::path start_ = temp_.path() / "start";
  const std::filesystem::path work_ = temp_.path() / "work";
};

TEST_F(KeyCrash, ADestroyBatchHappensEntirelyOrNotAtAll) {
  std::map<Id, std::string> before;
  auto after = before;
  Id epoch{};
  Id subject{};
  {
    KeysOnDisk keys(start_);
    keys.make();
    before = after = keys.all();
    epoch = keys.epochs[0];
    subject = keys.part.ids()[0];
    after.erase(epoch);
    after.erase(subject);
  }
  ASSERT_EQ(before.size(), 6U);
  const std::string old_secret = secret_in(start_);
  const std::string old_store = test::whole_file(start_ / kKeyStoreFile);

  int undone = 0;
  int done = 0;
  for (int n = 0;; ++n) {
    const bool died = dies_at_step(n, [&] {
      KeysOnDisk keys(work_);
      if (!keys.open()) return false;
      keys.part.goes = {subject};
      const std::vector<Id> ids{epoch};
      const std::vector<RenewalPart*> parts{&keys.part};
      return keys.catalogue->destroy(ids, parts, keys.now).has_value();
    });
    KeysOnDisk keys(work_);
    const auto opened = keys.open();
    ASSERT_TRUE(opened) << n << ": " << opened.error().sentence();
    const auto all = keys.all();
    if (all == before) {
      ++undone;
    } else {
      ASSERT_EQ(all, after) << n;
      ++done;
      EXPECT_FALSE(any_file_holds(work_, old_secret)) << n;
      // Whoever kept the old key store has nothing that opens it.
      write_text(work_ / kKeyStoreFile, old_store);
      EXPECT_FALSE(KeysOnDisk(work_).open()) << n;
    }
    EXPECT_FALSE(std::filesystem::exists(work_ / "shred-secret.next")) << n;
    EXPECT_FALSE(std::filesystem::exists(work_ / "shred-secret.next.tmp")) << n;
    EXPECT_FALSE(std::filesystem::exists(work_ / "part.next")) << n;
    if (!died) break;
  }
  // Before and after the point that decides.
  EXPECT_GE(undone, 8);
  EXPECT_GE(done, 6);
}

TEST_F(KeyCrash, ARecoveryMayBeInterruptedToo) {
  KeysOnDisk made(start_);
  made.make();
  const auto before = made.all();
  auto after = before;
  const Id epoch = made.epochs[0];
  after.erase(epoch);
  for (int n = 0;; ++n) {
    const auto crashed = temp_.path() / "crashed";
    copy_folder(start_, crashed);
    const bool died = dies_at(n, [&] {
      KeysOnDisk keys(crashed);
      if (!keys.open()) return false;
      const std::vector<Id> ids{epoch};
      const std::vector<RenewalPart*> parts{&keys.part};
      return keys.catalogue->destroy(ids, parts, keys.now).has_value();
    });
    for (int m = 0;; ++m) {
      copy_folder(crashed, work_);
      const bool died_again = dies_at(m, [&] { return KeysOnDisk(work_).open().has_value(); });
      KeysOnDisk keys(work_);
      const auto opened = keys.open();
      ASSERT_TRUE(opened) << n << "," << m << ": " << opened.error().sentence();
      const auto all = keys.all();
      ASSERT_TRUE(all == before || all == after) << n << "," << m;
      if (!died_again) break;
    }
    if (!died) break;
  }
}

// Of a tenant and of a domain: either everything hangs on the old version, or on the new one.
TEST_F(KeyCrash, ARotationOfAParentHappensEntirelyOrNotAtAll) {
  KeysOnDisk made(start_);
  made.make();
  const auto before = made.all();
  const std::string old_secret = secret_in(start_);
  const std::string old_store = test::whole_file(start_ / kKeyStoreFile);
  for (const bool of_tenant : {true, false}) {
    const Id old = of_tenant ? made.tenant : made.domain;
    int undone = 0;
    int done = 0;
    for (int n = 0;; ++n) {
      const bool died = dies_at_step(n, [&] {
        KeysOnDisk keys(work_);
        if (!keys.open()) return false;
        const std::vector<RenewalPart*> parts{&keys.part};
        return keys.catalogue->rotate_parent(old, parts, keys.now).has_value();
      });
      KeysOnDisk keys(work_);
      const auto opened = keys.open();
      ASSERT_TRUE(opened) << n << ": " << opened.error().sentence();
      auto all = keys.all();
      if (all.size() == before.size()) {
        ASSERT_EQ(all, before) << n;
        ++undone;
      } else {
        // One key more, and the same keys otherwise: what hung on the old one hangs on that.
        const Id fresh =
            *keys.catalogue->keys().find(place_of(*keys.catalogue->keys().record(old)));
        ASSERT_NE(fresh, old);
        all.erase(fresh);
        ASSERT_EQ(all, before) << n;
        for (const auto& [id, record] : keys.catalogue->keys().records()) {
          EXPECT_NE(record.parent, old) << n;
        }
        EXPECT_EQ(keys.catalogue->index_version(Id{2}).before, of_tenant ? 0U : 1U);
        ++done;
        EXPECT_FALSE(any_file_holds(work_, old_secret)) << n;
        // A copy from before opens nothing, whoever has the old version's key.
        write_text(work_ / kKeyStoreFile, old_store);
        EXPECT_FALSE(KeysOnDisk(work_).open()) << n;
      }
      if (!died) break;
    }
    EXPECT_GE(undone, 8);
    EXPECT_GE(done, 6);
  }
}

// With people, whose keys hang on the tenant's and are wrapped under the shred secret too: killed
// anywhere, everybody's key opens to what it was, the erased one's never again once it has
// happened.
TEST_F(KeyCrash, ARotationOrErasureWithPeopleHappensEntirelyOrNotAtAll) {
  PeopleOnDisk made(start_);
  made.make();
  const auto before = made.all();
  ASSERT_EQ(before.size(), 3U);
  for (const auto& [id, key] : before) ASSERT_EQ(key.size(), 2 * kTreeKeySize);
  const SubjectKeyMade erased = made.made.back();
  ASSERT_FALSE(made.open_key(erased).empty()) << "an older copy of the record opens still";
  const std::string old_secret = secret_in(start_);
  made.people.reset();
  for (const bool rotates : {true, false}) {
    int undone = 0;
    int done = 0;
    for (int n = 0;; ++n) {
      const auto run = [&] {
        PeopleOnDisk keys(work_);
        if (!keys.open()) return false;
        SubjectRenewal renewal(*keys.people);
        const std::vector<RenewalPart*> parts{&renewal};
        return rotates ? keys.catalogue->rotate_parent(made.tenant, parts, keys.now).has_value()
                       : keys.catalogue->destroy({}, parts, keys.now).has_value();
      };
      const bool died = dies_at_step(n, run);
      {
        PeopleOnDisk keys(work_);
        const auto opened = keys.open();
        ASSERT_TRUE(opened) << n << ": " << opened.error().sentence();
        ASSERT_EQ(keys.all(), before) << n;
        if (keys.catalogue->shred().number() == 1) {
          ++undone;
          EXPECT_TRUE(keys.people->owes_renewal()) << n;
        } else {
          ++done;
          EXPECT_FALSE(keys.people->owes_renewal()) << n;
          EXPECT_TRUE(keys.open_key(erased).empty()) << n;
          EXPECT_FALSE(any_file_holds(work_, old_secret)) << n;
        }
        for (const SubjectKeyMade& one : made.made) {
          // Nobody's key hangs on the old version once there is another.
          const auto parent = keys.people->read([&](const SubjectTable& table) {
            const SubjectKey* key = table.by_handle(one.handle);
            return key == nullptr ? kNoId : key->made.parent;
          });
          if (one.handle == erased.handle) {
            EXPECT_EQ(parent, kNoId) << n;
          } else {
            const auto newest = keys.catalogue->keys().find(
                {.key_class = KeyClass::tenant, .tenant = PeopleOnDisk::kTenant});
            EXPECT_EQ(parent, *newest) << n;
          }
        }
      }
      EXPECT_FALSE(std::filesystem::exists(work_ / "shred-secret.next")) << n;
      if (!died) break;
    }
    EXPECT_GE(undone, 5) << rotates;
    EXPECT_GE(done, 5) << rotates;
  }
}

TEST_F(KeyCrash, AChangeOfTheRootKeyHappensEntirelyOrNotAtAll) {
  KeysOnDisk made(start_);
  made.make();
  const auto before = made.all();
  const auto new_key = temp_.path() / "new.key";
  ASSERT_TRUE(RootKey::create(new_key));
  int old_root = 0;
  int new_root = 0;
  for (int n = 0;; ++n) {
    const bool died = dies_at_step(n, [&] {
      KeysOnDisk keys(work_);
      if (!keys.open()) return false;
      return keys.catalogue->replace_root(RootKey::read(new_key).value()).has_value();
    });
    KeysOnDisk keys(work_);
    const bool old_opens = keys.open().has_value();
    if (old_opens) {
      EXPECT_EQ(keys.all(), before) << n;
      ++old_root;
    }
    const bool new_opens = keys.open(new_key).has_value();
    if (new_opens) {
      EXPECT_EQ(keys.all(), before) << n;
      ++new_root;
    }
    EXPECT_NE(old_opens, new_opens) << n;
    if (!died) break;
  }
  EXPECT_GE(old_root, 2);
  EXPECT_GE(new_root, 1);
}

}  // namespace
}  // namespace paravent::crypto::vault
