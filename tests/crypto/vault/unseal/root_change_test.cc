// A change of the way to unseal: from each to each; interrupted before each system call that makes
// something durable and in the middle of each write; and with an error from each call that opens,
// reads or changes a file. What is left unseals by the old way or by the new one: never by neither,
// never by both. With SoftHSM2, which the test initialises
// itself; the module is loaded in children only, each of which begins with a fresh one.

#include "crypto/vault/unseal/root_change.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdlib>

#include "crypto/base/encoding.h"
#include "crypto/vault/engine/catalogue/catalogue.h"
#include "crypto/vault/unseal/file_provider.h"
#include "crypto/vault/unseal/passphrase_provider.h"
#include "crypto/vault/unseal/pkcs11_provider.h"
#include "crypto/vault/unseal/share_provider.h"
#include "tests/crypto/vault/unseal/unseal_testing.h"

namespace {

// What the child that is to suffer does with its calls that change or read a file; everybody else
// passes through.
enum class Fault { none, die, fail };
Fault fault = Fault::none;
int left = 0;  // calls until it happens

constexpr int kDied = 86;

// Whether this call fails; dies instead of it where that is wanted.
bool step() {
  if (fault == Fault::none || left-- != 0) return false;
  if (fault == Fault::die) ::_exit(kDied);
  fault = Fault::none;
  return true;
}

template <typename F>
F next(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

int failed(int with) {
  errno = with;
  return -1;
}

int open_flags_mode(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, int) : 0;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int mode = open_flags_mode(flags, arguments);
  va_end(arguments);
  if (fault == Fault::fail && step()) return failed(EMFILE);
  return next<int (*)(const char*, int, ...)>("open")(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const int mode = open_flags_mode(flags, arguments);
  va_end(arguments);
  if (fault == Fault::fail && step()) return failed(EMFILE);
  return next<int (*)(const char*, int, ...)>("open64")(path, flags, mode);
}

ssize_t read(int fd, void* bytes, size_t size) {
  if (fault == Fault::fail && step()) return failed(EIO);
  return next<ssize_t (*)(int, void*, size_t)>("read")(fd, bytes, size);
}

int fsync(int fd) {
  if (step()) return failed(EIO);
  return next<int (*)(int)>("fsync")(fd);
}

int rename(const char* from, const char* to) noexcept {
  if (step()) return failed(EIO);
  return next<int (*)(const char*, const char*)>("rename")(from, to);
}

int link(const char* from, const char* to) noexcept {
  if (step()) return failed(EIO);
  return next<int (*)(const char*, const char*)>("link")(from, to);
}

int unlink(const char* path) noexcept {
  if (step()) return failed(EIO);
  return next<int (*)(const char*)>("unlink")(path);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  const auto real = next<ssize_t (*)(int, const void*, size_t)>("write");
  if (fault == Fault::die && left == 0) {
    const ssize_t half = real(fd, bytes, size / 2);
    ::_exit(half >= 0 ? kDied : 1);
  }
  if (step()) return failed(ENOSPC);
  return real(fd, bytes, size);
}

}  // extern "C"

namespace paravent::crypto::vault {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModule = "/usr/lib/softhsm/libsofthsm2.so";
constexpr const char* kPin = "483921";

// Runs `work` in a child and answers its exit code; -1: it was ended by a signal.
template <typename Work>
int in_child(Work work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// One way to unseal a store in `folder`, and the secret that a person has for it.
struct Way {
  std::string name;
  std::string secret;  // pass-phrase or PIN; of shares, what was handed out lies in `handed`
  std::function<std::unique_ptr<UnsealProvider>(const fs::path& folder, SecretSource source)> make;

  fs::path handed(const fs::path& folder) const { return folder / ("handed-" + name); }
  std::unique_ptr<UnsealProvider> maker(const fs::path& folder) const {
    return make(folder,
                [text = secret]() -> Result<SecretBytes> { return SecretBytes::copy_of(text); });
  }
  // The root key, as people and files make it; nullopt: they do not.
  std::optional<RootKey> open(const fs::path& folder) const {
    const auto check = read_root_check(folder);
    if (!check) return std::nullopt;
    const auto opener = make(folder, nullptr);
    auto root = opener->open(*check);
    if (root && !*root && !secret.empty())
      root = opener->give(SecretBytes::copy_of(secret), *check);
    if (root && !*root && fs::exists(handed(folder))) {
      const std::string all = test::whole_file(handed(folder));
      for (std::size_t at = 0; at + 77 < all.size() && root && !*root; at += 78) {
        root = opener->give(SecretBytes::copy_of(all.substr(at, 77)), *check);
      }
    }
    if (!root || !*root) return std::nullopt;
    return std::move(**root);
  }
};

Way key_file(const std::string& name) {
  return {name, {}, [name](const fs::path& folder, SecretSource) {
            return std::make_unique<FileProvider>(folder / (name + ".key"));
          }};
}

Way passphrase(const std::string& name, const std::string& text) {
  return {name, text, [](const fs::path& folder, SecretSource source) {
            return std::make_unique<PassphraseProvider>(folder, std::move(source),
                                                        Argon2Cost{3, 64 * 1024});
          }};
}

Way shares(const std::string& name, unsigned threshold) {
  return {name, {}, [threshold](const fs::path& folder, SecretSource) {
            return std::make_unique<ShareProvider>(folder, threshold, 3);
          }};
}

Way token(const std::string& name) {
  return {name, kPin, [](const fs::path& folder, SecretSource source) {
            return std::make_unique<Pkcs11Provider>(
                folder, Pkcs11Location{kModule, "change", "root"}, std::move(source));
          }};
}

Result<std::unique_ptr<Catalogue>> load(const fs::path& folder, const RootKey& root) {
  auto store = FileKeyStore::open(folder / kKeyStoreFile, root);
  if (!store) return store.error();
  ShredFiles files(folder, (*store)->installation());
  auto shred = files.settle((*store)->shred_number());
  if (!shred) return shred.error();
  KeyTree tree(root, *shred);
  return Catalogue::load(std::move(*store), std::move(tree), std::move(*shred), std::move(files));
}

// What the tenant key is: the same before and after.
std::string content(const fs::path& folder, const RootKey& root) {
  const auto catalogue = load(folder, root);
  if (!catalogue) return {};
  const auto key = (*catalogue)->keys().find({.key_class = KeyClass::tenant, .tenant = Id{1}});
  if (!key) return {};
  const auto opened = (*catalogue)->keys().open(*key);
  return opened ? to_hex(opened->bytes()) : std::string();
}

void make_store(const fs::path& folder) {
  fs::create_directory(folder);
  const Id installation = random_id();
  const auto root = RootKey::create(folder / "begin.key");
  ASSERT_TRUE(root);
  auto shred = ShredSecret::create(folder / kShredSecretFile, installation);
  ASSERT_TRUE(shred);
  auto store = FileKeyStore::create(folder / kKeyStoreFile, installation, *root);
  ASSERT_TRUE(store);
  KeyTree tree(*root, *shred);
  auto catalogue = Catalogue::load(std::move(*store), std::move(tree), std::move(*shred),
                                   ShredFiles(folder, installation));
  ASSERT_TRUE(catalogue);
  ASSERT_TRUE((*catalogue)
                  ->ensure_key({.key_class = KeyClass::tenant, .tenant = Id{1}}, kNoId,
                               WallTime(std::chrono::days(20'000))));
  ASSERT_TRUE((*catalogue)->commit());
}

void copy_folder(const fs::path& from, const fs::path& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
}

// What people get, kept for Way::open(); nothing where a way hands nothing out.
bool hand_out(const RootChange& change, const Way& way, const fs::path& folder) {
  if (change.handouts().empty()) return true;
  std::string all;
  for (const SecretBytes& share : change.handouts()) {
    all.append(as_text(share.bytes())).append("\n");
  }
  return write_file_durably(way.handed(folder), as_bytes(all)).has_value();
}

// The whole change, as a command does it. 0: done.
int change(const fs::path& folder, const Way& from, const Way& to, int at,
           Fault kind = Fault::die) {
  const auto root = from.open(folder);
  if (!root) return 2;
  const auto catalogue = load(folder, *root);
  const auto present = read_root_check(folder);
  if (!catalogue || !present) return 3;
  left = at;
  fault = at < 0 ? Fault::none : kind;
  const auto opener = to.make(folder, nullptr);
  auto made = RootChange::prepare(folder, *present, *to.maker(folder), *opener,
                                  SecretBytes::copy_of(to.secret));
  if (!made) return 4;
  if (!hand_out(*made, to, folder)) return 5;
  const auto done =
      made->decide([&](const RootKey& next_root) { return (*catalogue)->replace_root(next_root); });
  const bool came = fault == Fault::none;
  fault = Fault::none;
  if (!came && kind == Fault::fail && at >= 0) return done ? 7 : 8;  // past the last call
  return done ? 0 : 6;
}

// Which of the two unseals what is in the folder, and opens the same keys: 1 the old way, 2 the new
// one, 3 both, 0 neither.
int who_opens(const fs::path& folder, const Way& from, const Way& to, const std::string& keys) {
  int out = 0;
  const auto old_root = from.open(folder);
  if (old_root && content(folder, *old_root) == keys) out |= 1;
  const auto new_root = to.open(folder);
  if (new_root && content(folder, *new_root) == keys) out |= 2;
  return out;
}

class RootChangeTest : public testing::Test {
 protected:
  void SetUp() override {
    start_ = temp_.path() / "start";
    make_store(start_);
    keys_ = content(start_, *begin_.open(start_));
    ASSERT_EQ(keys_.size(), 64U);
  }

  // For the cases with a token. False: skipped.
  bool make_token() {
    if (!fs::exists(kModule)) return false;
    const auto tokens = temp_.path() / "tokens";
    fs::create_directory(tokens);
    write_text(temp_.path() / "softhsm2.conf",
               "directories.tokendir = " + tokens.string() + "\nobjectstore.backend = file\n");
    ::setenv("SOFTHSM2_CONF", (temp_.path() / "softhsm2.conf").c_str(), 1);
    return std::system(
               "softhsm2-util --init-token --free --label change --so-pin 12345678 "
               "--pin 483921 > /dev/null") == 0;
  }

  // A copy of the store that unseals by `way`.
  fs::path store_of(const Way& way) {
    const auto folder = temp_.path() / ("by-" + way.name);
    if (fs::exists(folder)) return folder;
    copy_folder(start_, folder);
    if (way.name != begin_.name) {
      EXPECT_EQ(in_child([&] { return change(folder, begin_, way, -1); }), 0) << way.name;
    }
    return folder;
  }

  // Kills the change at its n-th step, for every n.
  void kill_at_each_step(const Way& from, const Way& to) {
    const auto before = store_of(from);
    int undone = 0;
    int done = 0;
    for (int n = 0; n < 200; ++n) {
      const auto work = temp_.path() / "work";
      copy_folder(before, work);
      const int code = in_child([&] { return change(work, from, to, n); });
      ASSERT_TRUE(code == 0 || code == kDied)
          << from.name << " " << to.name << " " << n << ": " << code;
      const int opens = in_child([&] { return who_opens(work, from, to, keys_); });
      ASSERT_TRUE(opens == 1 || opens == 2)
          << from.name << " to " << to.name << ", step " << n << ": opened by " << opens;
      (opens == 1 ? undone : done) += 1;
      // Whoever goes on from there ends with the new way, and with nothing beside it.
      if (n % 4 == 1) {
        const Way& now = opens == 1 ? from : to;
        const Way last = shares("last", 2);
        ASSERT_EQ(in_child([&] { return change(work, now, last, -1); }), 0) << n;
        EXPECT_EQ(in_child([&] { return who_opens(work, now, last, keys_); }), 2) << n;
        EXPECT_FALSE(fs::exists(work / "unseal.next"));
      }
      // The next unsealing takes away what was left of the other way.
      const auto check = read_root_check(work);
      ASSERT_TRUE(check);
      const bool kept = (opens == 1 && n % 4 != 1 ? from : to).make(work, nullptr)->method() !=
                        UnsealMethod::key_file;
      if (n % 4 != 1) {
        ASSERT_TRUE(settle_unseal_records(work, *check));
        EXPECT_FALSE(fs::exists(work / "unseal.next"));
        EXPECT_EQ(fs::exists(work / "unseal"), kept) << from.name << " to " << to.name << " " << n;
        EXPECT_EQ(in_child([&] { return who_opens(work, from, to, keys_); }), opens);
      }
      if (code == 0) {
        EXPECT_EQ(opens, 2);
        break;
      }
    }
    EXPECT_GE(undone, 3) << from.name << " to " << to.name;
    EXPECT_GE(done, 2) << from.name << " to " << to.name;
  }

  // An error from its n-th call, for every n. A failed fsync ends the process.
  void fail_at_each_call(const Way& from, const Way& to) {
    const auto before = store_of(from);
    int refused = 0;
    int done = 0;
    for (int n = 0; n < 400; ++n) {
      const auto work = temp_.path() / "work";
      copy_folder(before, work);
      const int code = in_child([&] { return change(work, from, to, n, Fault::fail); });
      const int opens = in_child([&] { return who_opens(work, from, to, keys_); });
      ASSERT_TRUE(opens == 1 || opens == 2) << from.name << " to " << to.name << ", call " << n
                                            << ", answer " << code << ": opened by " << opens;
      if (code == 7) {
        EXPECT_EQ(opens, 2);
        EXPECT_GE(refused, 5);
        EXPECT_GE(done, 1);
        return;
      }
      if (code == 0) {
        EXPECT_EQ(opens, 2) << "call " << n << " of " << to.name;
      }
      // An error that is told means that nothing has changed.
      if (code > 0) {
        EXPECT_EQ(opens, 1) << "call " << n << " of " << to.name << ", answer " << code;
      }
      (code == 0 ? done : refused) += 1;
    }
    FAIL() << "it never came to its end";
  }

  TempDir temp_;
  fs::path start_;
  std::string keys_;
  const Way begin_ = key_file("begin");
};

TEST_F(RootChangeTest, FromEachWayToEach) {
  if (!make_token()) GTEST_SKIP() << "SoftHSM2 is not installed";
  const std::vector<Way> ways{begin_, passphrase("words", "Correct-horse7battery"),
                              shares("two", 2), token("hsm")};
  const std::vector<Way> others{key_file("other"), passphrase("more", "Another-horse8battery"),
                                shares("three", 3), token("again")};
  for (const Way& from : ways) {
    for (const Way& to : others) {
      const auto work = temp_.path() / "work";
      copy_folder(store_of(from), work);
      ASSERT_EQ(in_child([&] { return change(work, from, to, -1); }), 0)
          << from.name << " to " << to.name;
      // A token's PIN opens the record in force, whichever change made it.
      const bool same = from.name == "hsm" && to.name == "again";
      EXPECT_EQ(in_child([&] { return who_opens(work, from, to, keys_); }), same ? 3 : 2)
          << from.name << " to " << to.name;
      EXPECT_EQ(fs::exists(work / "unseal"), to.name != "other") << from.name << " to " << to.name;
      EXPECT_FALSE(fs::exists(work / "unseal.next"));
    }
  }
}

TEST_F(RootChangeTest, KilledAtEachStepFileToPassphrase) {
  kill_at_each_step(begin_, passphrase("words", "Correct-horse7battery"));
}

TEST_F(RootChangeTest, KilledAtEachStepFileToFile) { kill_at_each_step(begin_, key_file("other")); }

TEST_F(RootChangeTest, KilledAtEachStepSharesToTokenToFile) {
  if (!make_token()) GTEST_SKIP() << "SoftHSM2 is not installed";
  store_of(token("hsm"));  // the token has its key; SoftHSM's own files are not at stake here
  kill_at_each_step(shares("two", 2), token("hsm"));
  kill_at_each_step(token("hsm"), key_file("other"));
  kill_at_each_step(token("hsm"), shares("two", 2));
}

TEST_F(RootChangeTest, KilledAtEachStepSharesToShares) {
  kill_at_each_step(shares("two", 2), shares("three", 3));
}

TEST_F(RootChangeTest, AnErrorOfEachCallLeavesOneWay) {
  fail_at_each_call(begin_, shares("two", 2));
  fail_at_each_call(shares("two", 2), shares("three", 3));
  fail_at_each_call(shares("two", 2), key_file("other"));
  fail_at_each_call(begin_, key_file("other"));
}

TEST_F(RootChangeTest, WhatTheKeyStoreSaysDecidesWhateverElseWentWrong) {
  const auto check = read_root_check(start_);
  ASSERT_TRUE(check);
  const Way two = shares("two", 2);
  const auto opener = two.make(start_, nullptr);
  auto made = RootChange::prepare(start_, *check, *two.maker(start_), *opener, {});
  ASSERT_TRUE(made);
  ASSERT_TRUE(hand_out(*made, two, start_));
  const auto catalogue = load(start_, *begin_.open(start_));
  ASSERT_TRUE(catalogue);
  // The key store is written, and then something fails.
  const auto done = made->decide([&](const RootKey& next_root) -> Status {
    EXPECT_TRUE((*catalogue)->replace_root(next_root));
    return Error(ErrorKind::data, "The key store cannot be read.");
  });
  EXPECT_TRUE(done);
  EXPECT_EQ(who_opens(start_, begin_, two, keys_), 2);
  EXPECT_FALSE(fs::exists(start_ / "unseal.next"));
}

// The record in force is still called unseal.next, and cannot be read for the moment: no other
// change may take its place.
TEST_F(RootChangeTest, ARecordThatCannotBeReadIsNotReplaced) {
  const auto check = read_root_check(start_);
  ASSERT_TRUE(check);
  const Way two = shares("two", 2);
  {
    const auto opener = two.make(start_, nullptr);
    auto made = RootChange::prepare(start_, *check, *two.maker(start_), *opener, {});
    ASSERT_TRUE(made);
    ASSERT_TRUE(hand_out(*made, two, start_));
    const auto catalogue = load(start_, *begin_.open(start_));
    ASSERT_TRUE(catalogue);
    ASSERT_TRUE(made->decide(
        [&](const RootKey& next_root) -> Status { return (*catalogue)->replace_root(next_root); }));
  }
  fs::rename(start_ / "unseal", start_ / "unseal.next");
  fs::permissions(start_ / "unseal.next", fs::perms(0644));
  const auto now = read_root_check(start_);
  ASSERT_TRUE(now);
  for (const Way& way : {shares("three", 3), key_file("other")}) {
    const auto opener = way.make(start_, nullptr);
    const auto refused = RootChange::prepare(start_, *now, *way.maker(start_), *opener, {});
    EXPECT_FALSE(refused) << way.name;
  }
  fs::permissions(start_ / "unseal.next", fs::perms(0600));
  EXPECT_TRUE(two.open(start_));
}

TEST_F(RootChangeTest, WhatIsNotDecidedLeavesNothingInForce) {
  const auto check = read_root_check(start_);
  ASSERT_TRUE(check);
  const Way two = shares("two", 2);
  {
    const auto opener = two.make(start_, nullptr);
    const auto made = RootChange::prepare(start_, *check, *two.maker(start_), *opener, {});
    ASSERT_TRUE(made) << made.error().sentence();
    EXPECT_EQ(made->handouts().size(), 3U);
    EXPECT_TRUE(fs::exists(start_ / "unseal.next"));
  }
  EXPECT_FALSE(fs::exists(start_ / "unseal.next"));
  EXPECT_TRUE(begin_.open(start_));
  // The key store cannot be written: the old way stays.
  const auto opener = two.make(start_, nullptr);
  auto made = RootChange::prepare(start_, *check, *two.maker(start_), *opener, {});
  ASSERT_TRUE(made);
  EXPECT_FALSE(made->decide([](const RootKey&) -> Status { return Error(ErrorKind::disk_full); }));
  EXPECT_TRUE(begin_.open(start_));
}

TEST_F(RootChangeTest, ANewWayThatDoesNotWorkIsNotTaken) {
  const auto check = read_root_check(start_);
  ASSERT_TRUE(check);
  // A pass-phrase that is not what was kept, one that is too easy, and the key that is there.
  const Way words = passphrase("words", "Correct-horse7battery");
  const auto opener = words.make(start_, nullptr);
  const auto mistyped = RootChange::prepare(start_, *check, *words.maker(start_), *opener,
                                            SecretBytes::copy_of("Correct-horse7batterz"));
  ASSERT_FALSE(mistyped);
  EXPECT_EQ(mistyped.error().kind(), ErrorKind::refused);
  const Way easy = passphrase("easy", "password");
  const auto weak = RootChange::prepare(start_, *check, *easy.maker(start_), *opener,
                                        SecretBytes::copy_of("password"));
  ASSERT_FALSE(weak);
  EXPECT_EQ(weak.error().kind(), ErrorKind::usage);
  const auto file = begin_.make(start_, nullptr);
  const auto same = RootChange::prepare(start_, *check, *begin_.maker(start_), *file, {});
  ASSERT_FALSE(same);
  expect_sentence(same.error(), ErrorKind::usage, "already");
  EXPECT_FALSE(fs::exists(start_ / "unseal.next"));
  EXPECT_FALSE(fs::exists(start_ / "unseal"));
  EXPECT_TRUE(begin_.open(start_));
}

}  // namespace
}  // namespace paravent::crypto::vault
