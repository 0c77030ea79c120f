// A destroy batch and a change of the root key, interrupted before each system call that makes
// something durable, and in the middle of each write: what is left opens entirely as it was before,
// or entirely as it is afterwards.

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/vault/engine/subject_renewal.h"
#include "tests/crypto/vault/engine/key_destroy_support.h"

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

bool any_file_holds(const std::filesystem::path& folder, std::string_view bytes) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (read_text(entry.path()).find(bytes) != std::string::npos) return true;
  }
  return false;
}

TEST(KeyCrash, ADestroyBatchHappensEntirelyOrNotAtAll) {
  const TempDir temp;
  const auto start = temp.path() / "start";
  std::filesystem::create_directory(start);
  std::map<Id, std::string> before;
  auto after = before;
  Id epoch{};
  Id subject{};
  {
    KeysOnDisk keys(start);
    keys.make();
    before = after = keys.all();
    epoch = keys.epochs[0];
    subject = keys.part.ids()[0];
    after.erase(epoch);
    after.erase(subject);
  }
  ASSERT_EQ(before.size(), 6U);
  // The 32 bytes themselves: magic, installation and number stand before them.
  const std::string old_secret = read_text(start / kShredSecretFile).substr(28, 32);
  const std::string old_store = read_text(start / kKeyStoreFile);

  int undone = 0;
  int done = 0;
  for (int n = 0;; ++n) {
    const auto work = temp.path() / "work";
    copy_folder(start, work);
    const bool died = dies_at(n, [&] {
      KeysOnDisk keys(work);
      if (!keys.open()) return false;
      keys.part.goes = {subject};
      const std::vector<Id> ids{epoch};
      const std::vector<RenewalPart*> parts{&keys.part};
      return keys.catalogue->destroy(ids, parts, keys.now).has_value();
    });
    KeysOnDisk keys(work);
    const auto opened = keys.open();
    ASSERT_TRUE(opened) << n << ": " << opened.error().sentence();
    const auto all = keys.all();
    if (all == before) {
      ++undone;
    } else {
      ASSERT_EQ(all, after) << n;
      ++done;
      EXPECT_FALSE(any_file_holds(work, old_secret)) << n;
      // Whoever kept the old key store has nothing that opens it.
      write_text(work / kKeyStoreFile, old_store);
      EXPECT_FALSE(KeysOnDisk(work).open()) << n;
    }
    EXPECT_FALSE(std::filesystem::exists(work / "shred-secret.next")) << n;
    EXPECT_FALSE(std::filesystem::exists(work / "shred-secret.next.tmp")) << n;
    EXPECT_FALSE(std::filesystem::exists(work / "part.next")) << n;
    if (!died) break;
  }
  // Before and after the point that decides.
  EXPECT_GE(undone, 8);
  EXPECT_GE(done, 6);
}

TEST(KeyCrash, ARecoveryMayBeInterruptedToo) {
  const TempDir temp;
  const auto start = temp.path() / "start";
  std::filesystem::create_directory(start);
  KeysOnDisk made(start);
  made.make();
  const auto before = made.all();
  auto after = before;
  const Id epoch = made.epochs[0];
  after.erase(epoch);
  for (int n = 0;; ++n) {
    const auto crashed = temp.path() / "crashed";
    copy_folder(start, crashed);
    const bool died = dies_at(n, [&] {
      KeysOnDisk keys(crashed);
      if (!keys.open()) return false;
      const std::vector<Id> ids{epoch};
      const std::vector<RenewalPart*> parts{&keys.part};
      return keys.catalogue->destroy(ids, parts, keys.now).has_value();
    });
    for (int m = 0;; ++m) {
      const auto work = temp.path() / "work";
      copy_folder(crashed, work);
      const bool died_again = dies_at(m, [&] { return KeysOnDisk(work).open().has_value(); });
      KeysOnDisk keys(work);
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
TEST(KeyCrash, ARotationOfAParentHappensEntirelyOrNotAtAll) {
  const TempDir temp;
  const auto start = temp.path() / "start";
  std::filesystem::create_directory(start);
  KeysOnDisk made(start);
  made.make();
  const auto before = made.all();
  const std::string old_secret = read_text(start / kShredSecretFile).substr(28, 32);
  const std::string old_store = read_text(start / kKeyStoreFile);
  for (const bool of_tenant : {true, false}) {
    const Id old = of_tenant ? made.tenant : made.domain;
    int undone = 0;
    int done = 0;
    for (int n = 0;; ++n) {
      const auto work = temp.path() / "work";
      copy_folder(start, work);
      const bool died = dies_at(n, [&] {
        KeysOnDisk keys(work);
        if (!keys.open()) return false;
        const std::vector<RenewalPart*> parts{&keys.part};
        return keys.catalogue->rotate_parent(old, parts, keys.now).has_value();
      });
      KeysOnDisk keys(work);
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
        EXPECT_FALSE(any_file_holds(work, old_secret)) << n;
        // A copy from before opens nothing, whoever has the old version's key.
        write_text(work / kKeyStoreFile, old_store);
        EXPECT_FALSE(KeysOnDisk(work).open()) << n;
      }
      if (!died) break;
    }
    EXPECT_GE(undone, 8);
    EXPECT_GE(done, 6);
  }
}

// A key store with the store of people's keys beside it, as a vault has them.
struct PeopleOnDisk {
  explicit PeopleOnDisk(std::filesystem::path where) : folder(std::move(where)) {}

  // REQUIRES: an empty folder. Four people, the last of whom is erased, which is not final yet.
  void make() {
    const RootKey root = RootKey::create(folder / KeysOnDisk::kRootKey).value();
    auto store =
        FileKeyStore::create(folder / kKeyStoreFile, KeysOnDisk::kInstallation, root).value();
    ShredSecret shred =
        ShredSecret::create(folder / kShredSecretFile, KeysOnDisk::kInstallation).value();
    KeyTree tree(root, shred);
    catalogue = Catalogue::load(std::move(store), std::move(tree), std::move(shred),
                                ShredFiles(folder, KeysOnDisk::kInstallation))
                    .value();
    tenant = catalogue->ensure_key({.key_class = KeyClass::tenant, .tenant = kTenant}, kNoId, now)
                 .value();
    const Id own =
        catalogue->ensure_key({.key_class = KeyClass::subject_store}, kNoId, now).value();
    ASSERT_TRUE(catalogue->commit());
    people = SubjectStore::create(folder, KeysOnDisk::kInstallation, own,
                                  *catalogue->keys().open(own), catalogue->shred())
                 .value();
    const auto lock = people->lock_writers();
    std::vector<SubjectChange> changes;
    for (std::uint8_t n = 1; n <= 4; ++n) {
      const SubjectMade person{Id{n, 77}, kTenant, SubjectReference{n}, true, 100};
      const SubjectKeyMade key = people->make_key(person.id, Id{3}, *wrap(tenant), now, 100);
      changes.emplace_back(person);
      changes.emplace_back(key);
      made.push_back(key);
    }
    ASSERT_TRUE(people->commit(changes));
    const SubjectChange gone = SubjectErased{made.back().subject};
    ASSERT_TRUE(people->commit(std::span(&gone, 1)));
  }

  // As a new process would.
  Status open() {
    people.reset();
    catalogue.reset();
    const RootKey root = RootKey::read(folder / KeysOnDisk::kRootKey).value();
    auto store = FileKeyStore::open(folder / kKeyStoreFile, root);
    if (!store) return store.error();
    ShredFiles files(folder, KeysOnDisk::kInstallation);
    auto shred = files.settle((*store)->shred_number());
    if (!shred) return shred.error();
    KeyTree tree(root, *shred);
    auto loaded = Catalogue::load(std::move(*store), std::move(tree), std::move(*shred), files);
    if (!loaded) return loaded.error();
    catalogue = std::move(*loaded);
    const Id own = *catalogue->keys().find({.key_class = KeyClass::subject_store});
    auto opened = SubjectStore::open(folder, KeysOnDisk::kInstallation, own,
                                     *catalogue->keys().open(own), catalogue->shred());
    if (!opened) return opened.error();
    people = std::move(*opened);
    return {};
  }

  Result<TenantWrap> wrap(const Id& parent) const {
    auto outer = catalogue->keys().wrapping_key_under(parent);
    if (!outer) return outer.error();
    return TenantWrap{kTenant, parent, std::move(*outer)};
  }
  // The bytes of a key as its record was; empty: it does not open.
  std::string open_key(const SubjectKeyMade& record) const {
    const auto outer = wrap(record.parent);
    SecretBytes key(kTreeKeySize);
    if (!outer || !people->open_key(record, *outer, key.mutable_bytes())) return {};
    return to_hex(key.bytes());
  }
  // Of everybody who is there, by what the file says of them now.
  std::map<Id, std::string> all() const {
    std::map<Id, SubjectKeyMade> records;
    people->read([&](const SubjectTable& table) {
      table.for_each([&](const Subject& subject) {
        for (const SubjectKey* key : table.keys_of(subject)) {
          records.emplace(subject.made.id, key->made);
        }
      });
    });
    std::map<Id, std::string> out;
    for (const auto& [id, record] : records) out.emplace(id, open_key(record));
    return out;
  }

  static constexpr Id kTenant{1};
  WallTime now{std::chrono::hours(500000)};
  std::filesystem::path folder;
  std::unique_ptr<Catalogue> catalogue;
  std::unique_ptr<SubjectStore> people;
  Id tenant{};
  std::vector<SubjectKeyMade> made;  // as they were at first
};

// With people, whose keys hang on the tenant's and are wrapped under the shred secret too: killed
// anywhere, everybody's key opens to what it was, the erased one's never again once it has
// happened.
TEST(KeyCrash, ARotationOrErasureWithPeopleHappensEntirelyOrNotAtAll) {
  const TempDir temp;
  const auto start = temp.path() / "start";
  std::filesystem::create_directory(start);
  PeopleOnDisk made(start);
  made.make();
  const auto before = made.all();
  ASSERT_EQ(before.size(), 3U);
  for (const auto& [id, key] : before) ASSERT_EQ(key.size(), 2 * kTreeKeySize);
  const SubjectKeyMade erased = made.made.back();
  ASSERT_FALSE(made.open_key(erased).empty()) << "an older copy of the record opens still";
  const std::string old_secret = read_text(start / kShredSecretFile).substr(28, 32);
  made.people.reset();
  for (const bool rotates : {true, false}) {
    int undone = 0;
    int done = 0;
    for (int n = 0;; ++n) {
      const auto work = temp.path() / "work";
      copy_folder(start, work);
      const auto run = [&] {
        PeopleOnDisk keys(work);
        if (!keys.open()) return false;
        SubjectRenewal renewal(*keys.people);
        const std::vector<RenewalPart*> parts{&renewal};
        return rotates ? keys.catalogue->rotate_parent(made.tenant, parts, keys.now).has_value()
                       : keys.catalogue->destroy({}, parts, keys.now).has_value();
      };
      const bool died = dies_at(n, run);
      {
        PeopleOnDisk keys(work);
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
          EXPECT_FALSE(any_file_holds(work, old_secret)) << n;
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
      EXPECT_FALSE(std::filesystem::exists(work / "shred-secret.next")) << n;
      if (!died) break;
    }
    EXPECT_GE(undone, 5) << rotates;
    EXPECT_GE(done, 5) << rotates;
  }
}

TEST(KeyCrash, AChangeOfTheRootKeyHappensEntirelyOrNotAtAll) {
  const TempDir temp;
  const auto start = temp.path() / "start";
  std::filesystem::create_directory(start);
  KeysOnDisk made(start);
  made.make();
  const auto before = made.all();
  const auto new_key = temp.path() / "new.key";
  ASSERT_TRUE(RootKey::create(new_key));
  int old_root = 0;
  int new_root = 0;
  for (int n = 0;; ++n) {
    const auto work = temp.path() / "work";
    copy_folder(start, work);
    const bool died = dies_at(n, [&] {
      KeysOnDisk keys(work);
      if (!keys.open()) return false;
      return keys.catalogue->replace_root(RootKey::read(new_key).value()).has_value();
    });
    KeysOnDisk keys(work);
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
