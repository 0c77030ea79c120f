// The old shred secret that cannot be erased: nothing that was destroyed is lost or back, it is
// said, no certificate is given, and a later attempt ends it; also when the first one came half
// way.
//
// A program of its own, because it stands in front of the system calls.

#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "crypto/vault/engine/keys/shred_files.h"
#include "crypto/vault/engine/upkeep/key_admin.h"
#include "tests/crypto/vault/engine/key_destroy_support.h"
#include "tests/crypto/vault/engine/subject_support.h"

namespace {

enum class Fault { none, unlink, rename, write };
Fault fault = Fault::none;

template <typename F>
F next(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

bool fails(Fault kind, std::string_view path) {
  if (fault != kind || !path.ends_with("/shred-secret")) return false;
  errno = EIO;
  return true;
}

}  // namespace

extern "C" {

int unlink(const char* path) noexcept {
  if (fails(Fault::unlink, path)) return -1;
  return next<int (*)(const char*)>("unlink")(path);
}

int rename(const char* from, const char* to) noexcept {
  if (fails(Fault::rename, to)) return -1;
  return next<int (*)(const char*, const char*)>("rename")(from, to);
}

// The overwriting of a secret is the one write of 70 bytes here.
ssize_t write(int fd, const void* bytes, size_t size) {
  if (fault == Fault::write && size == 70) {
    char name[256] = {};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    if (::readlink(link.c_str(), name, sizeof name - 1) > 0 && fails(Fault::write, name)) return -1;
  }
  return next<ssize_t (*)(int, const void*, size_t)>("write")(fd, bytes, size);
}

}  // extern "C"

namespace paravent::crypto::vault {
namespace {

class Erasure : public testing::TestWithParam<Fault> {
 protected:
  Erasure() {
    const std::array policies{atelier()};
    EXPECT_TRUE(disk_.vault->register_names(policies));
    const ContextSpec spec = email_tokens();
    token_ = mint(vault(), vault().bind("atelier", std::span(&spec, 1))->front(), "a@example.fr");
    route_.emplace(bound_route(vault()));
    person_ = ask(vault(), *route_, "anne@example.fr", "Anne");
    old_secret_ = test::whole_file(keys() / kShredSecretFile).substr(28, 32);
  }
  ~Erasure() override { fault = Fault::none; }

  Vault& vault() { return *disk_.vault; }
  KeyAdmin admin() { return KeyAdmin(vault()); }
  std::filesystem::path keys() const { return disk_.data_path / "keys"; }
  Id key_of(KeyClass key_class) {
    for (const KeyInfo& key : admin().list()) {
      // People's values lie under keys without an epoch.
      const bool monthly = key.record.epoch.length == EpochLength::month;
      if (key.record.key_class == key_class && key.primary &&
          monthly == (key_class == KeyClass::epoch)) {
        return key.record.id;
      }
    }
    ADD_FAILURE() << "no such key";
    return {};
  }
  bool old_secret_is_there() {
    for (const auto& entry : std::filesystem::directory_iterator(keys())) {
      if (test::whole_file(entry.path()).find(old_secret_) != std::string::npos) return true;
    }
    return std::filesystem::exists(keys() / "shred-secret.next");
  }
  void expect_unfinished() {
    EXPECT_TRUE(admin().erasure_is_due());
    EXPECT_TRUE(old_secret_is_there());
    // As long as the cause is there, trying changes nothing.
    EXPECT_FALSE(admin().finish_erasure());
    EXPECT_TRUE(admin().erasure_is_due());
  }
  void expect_finished() {
    EXPECT_FALSE(admin().erasure_is_due());
    EXPECT_FALSE(old_secret_is_there());
    ASSERT_TRUE(disk_.open());
    EXPECT_FALSE(admin().erasure_is_due());
  }

  DiskVault disk_;
  std::string token_;
  std::optional<BoundRoute> route_;
  Answer person_;
  std::string old_secret_;
};

TEST_P(Erasure, OfADestructionIsTriedAgain) {
  const Id epoch = key_of(KeyClass::epoch);
  ASSERT_EQ(open_text(vault(), token_), "a@example.fr");
  fault = GetParam();
  const auto destroyed = admin().destroy(std::span(&epoch, 1));
  ASSERT_FALSE(destroyed);
  expect_sentence(destroyed.error(), ErrorKind::data, "could not be erased yet");
  // It has happened all the same, and is not final.
  EXPECT_EQ(open_text(vault(), token_), "(unavailable)");
  EXPECT_EQ(admin().find(epoch)->record.condition.state, KeyState::destroyed);
  expect_unfinished();
  const auto certified = admin().destruction_of(epoch);
  ASSERT_FALSE(certified);
  expect_sentence(certified.error(), ErrorKind::data, "could not be erased yet");
  // Nothing further begins meanwhile, and nothing is lost by asking.
  const Id tenant = key_of(KeyClass::tenant);
  EXPECT_FALSE(admin().rotate(tenant));
  EXPECT_EQ(open_text(vault(), person_.tokens[1]), "Anne");
  fault = Fault::none;
  EXPECT_TRUE(admin().finish_erasure());
  EXPECT_TRUE(admin().destruction_of(epoch));
  expect_finished();
  EXPECT_EQ(open_text(vault(), token_), "(unavailable)");
  EXPECT_EQ(open_text(vault(), person_.tokens[1]), "Anne");
}

TEST_P(Erasure, OfARotationIsTriedAgain) {
  const Id old = key_of(KeyClass::tenant);
  fault = GetParam();
  const auto rotated = admin().rotate(old);
  ASSERT_FALSE(rotated);
  expect_sentence(rotated.error(), ErrorKind::data, "could not be erased yet");
  EXPECT_NE(key_of(KeyClass::tenant), old);
  expect_unfinished();
  fault = Fault::none;
  EXPECT_TRUE(admin().finish_erasure());
  expect_finished();
  EXPECT_EQ(open_text(vault(), token_), "a@example.fr");
  EXPECT_EQ(open_text(vault(), person_.tokens[1]), "Anne");
}

// Whoever had a compromised key may have had what is below it: that gets new versions also when
// the old secret is in the way.
TEST_P(Erasure, OfACompromisedKeyDoesNotKeepItsEpochs) {
  const Id domain = key_of(KeyClass::domain);
  const Id epoch = key_of(KeyClass::epoch);
  ASSERT_TRUE(admin().apply(domain, KeyOperation::compromise));
  fault = GetParam();
  ASSERT_FALSE(admin().rotate(domain));
  EXPECT_EQ(admin().find(epoch)->record.condition.state, KeyState::deactivated);
  EXPECT_NE(key_of(KeyClass::epoch), epoch);
  fault = Fault::none;
  EXPECT_TRUE(admin().finish_erasure());
  expect_finished();
}

TEST_P(Erasure, OfAPersonIsTriedAgain) {
  SubjectAdmin people(vault());
  const Id anne =
      people.find(*vault().tenant_id("atelier"), Kind::email, "anne@example.fr").value();
  fault = GetParam();
  const auto erased = people.erase(std::span(&anne, 1));
  ASSERT_TRUE(erased);
  EXPECT_FALSE(erased->is_final);
  // Whoever asks for somebody else meanwhile is told the same of theirs.
  EXPECT_FALSE(people.erase({})->is_final);
  EXPECT_EQ(open_text(vault(), person_.tokens[1]), "(unavailable)");
  expect_unfinished();
  fault = Fault::none;
  EXPECT_TRUE(admin().finish_erasure());
  expect_finished();
  EXPECT_EQ(open_text(vault(), person_.encrypted), "(unavailable)");
  EXPECT_EQ(open_text(vault(), token_), "a@example.fr");
}

TEST_P(Erasure, IsFinishedByTheNextStart) {
  const Id epoch = key_of(KeyClass::epoch);
  fault = GetParam();
  ASSERT_FALSE(admin().destroy(std::span(&epoch, 1)));
  // A start that cannot do it either says so, and loses nothing.
  const auto opened = disk_.open();
  ASSERT_FALSE(opened);
  expect_sentence(opened.error(), ErrorKind::data, "shred-secret");
  fault = Fault::none;
  ASSERT_TRUE(disk_.open());
  expect_finished();
  EXPECT_TRUE(admin().destruction_of(epoch));
  EXPECT_EQ(open_text(vault(), person_.tokens[1]), "Anne");
}

INSTANTIATE_TEST_SUITE_P(Faults, Erasure,
                         testing::Values(Fault::unlink, Fault::rename, Fault::write),
                         [](const auto& instance) {
                           return instance.param == Fault::unlink   ? "Unlink"
                                  : instance.param == Fault::rename ? "Rename"
                                                                    : "Write";
                         });

}  // namespace
}  // namespace paravent::crypto::vault
