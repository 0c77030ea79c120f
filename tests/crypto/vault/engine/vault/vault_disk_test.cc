// What only a vault on disk can do: come back, and refuse to come back wrongly.

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

class VaultOnDisk : public testing::Test {
 protected:
  VaultOnDisk() {
    EXPECT_TRUE(disk_.vault->admit_names(std::vector{atelier()}));
    binding_ = bind();
    token_ = mint(*disk_.vault, binding_, "jeanne@example.org");
    EXPECT_EQ(token_.size(), 46U);
  }
  Binding bind() {
    auto bound = disk_.vault->bind("atelier", std::vector{email_tokens()});
    EXPECT_TRUE(bound) << bound.error().sentence();
    return std::move(bound->front());
  }
  void expect_refused(std::string_view part, ErrorKind kind = ErrorKind::data) {
    const auto opened = disk_.open();
    ASSERT_FALSE(opened) << part;
    expect_sentence(opened.error(), kind, part);
  }
  std::filesystem::path keys() const { return disk_.data_path / "keys"; }

  DiskVault disk_;
  Binding binding_;
  std::string token_;
};

TEST_F(VaultOnDisk, ARestartKeepsTokensRowsAndSeeds) {
  const SecretBytes seed = disk_.vault->audit_signing_seed(std::nullopt).value();
  const Id installation = disk_.vault->installation_id();
  ASSERT_TRUE(disk_.open());
  EXPECT_EQ(disk_.vault->installation_id(), installation);
  const Binding again = bind();
  EXPECT_EQ(again.key.key_id, binding_.key.key_id);
  EXPECT_EQ(again.seal_key_id, binding_.seal_key_id);
  EXPECT_EQ(mint(*disk_.vault, again, "jeanne@example.org"), token_);
  EXPECT_EQ(open_text(*disk_.vault, token_), "jeanne@example.org");
  EXPECT_TRUE(
      equal_constant_time(seed.bytes(), disk_.vault->audit_signing_seed(std::nullopt)->bytes()));
}

TEST_F(VaultOnDisk, DerivedKeysSurviveARestart) {
  const std::vector<ContextSpec> specs{
      {"crm", "contact", "phone", Kind::phone, Algorithm::derived, EpochLength::month}};
  const auto before = disk_.vault->bind("atelier", specs);
  ASSERT_TRUE(before);
  ASSERT_TRUE(disk_.open());
  const auto after = disk_.vault->bind("atelier", specs);
  ASSERT_TRUE(after);
  EXPECT_TRUE(equal_constant_time(before->front().key.key.bytes(), after->front().key.key.bytes()));
  EXPECT_EQ(before->front().key.ctx, after->front().key.ctx);
}

TEST_F(VaultOnDisk, NoClearValueLiesOnDisk) {
  disk_.close();
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(disk_.data_path)) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const std::string bytes = test::whole_file(entry.path());
    EXPECT_EQ(bytes.find("jeanne"), std::string::npos) << entry.path();
    EXPECT_EQ(bytes.find("example.org"), std::string::npos) << entry.path();
  }
  EXPECT_GE(files, 5U);
}

TEST_F(VaultOnDisk, InitialisingTwiceChangesNothing) {
  disk_.vault.reset();
  const std::string before = test::whole_file(keys() / "keystore");
  const auto again = Vault::initialise(*disk_.data, RootKey::ephemeral(), disk_.clock);
  ASSERT_FALSE(again);
  expect_sentence(again.error(), ErrorKind::data, "initialised already");
  EXPECT_EQ(test::whole_file(keys() / "keystore"), before);
  EXPECT_TRUE(disk_.open());
}

TEST_F(VaultOnDisk, RootKeyFaults) {
  disk_.close();
  const std::string good = test::whole_file(disk_.root_path);
  write_text(disk_.root_path, good.substr(0, 30));
  expect_refused("truncated");
  std::filesystem::remove(disk_.root_path);
  expect_refused("is missing");
  EXPECT_FALSE(std::filesystem::exists(disk_.root_path));
  ASSERT_TRUE(RootKey::create(disk_.root_path));
  expect_refused("root key is not the one");
  write_text(disk_.root_path, good);
  EXPECT_TRUE(disk_.open());
}

TEST_F(VaultOnDisk, LostPartsAreNamed) {
  disk_.close();
  for (const char* name : {"keystore", "shred-secret"}) {
    std::filesystem::rename(keys() / name, disk_.folder.path() / "aside");
    expect_refused(name);
    disk_.close();
    const auto data = DataDirectory::open(disk_.data_path);
    ASSERT_TRUE(data);
    EXPECT_TRUE(data->is_initialised()) << "or serve would initialise over it";
    std::filesystem::rename(disk_.folder.path() / "aside", keys() / name);
  }
  std::filesystem::rename(disk_.data_path / "store", disk_.folder.path() / "aside");
  expect_refused("token store");
  std::filesystem::remove_all(disk_.data_path / "store");
  std::filesystem::rename(disk_.folder.path() / "aside", disk_.data_path / "store");
  EXPECT_TRUE(disk_.open());
}

TEST_F(VaultOnDisk, AForeignStoreIsRefused) {
  DiskVault other;
  other.close();
  disk_.close();
  const auto store = disk_.data_path / "store";
  std::filesystem::remove_all(store);
  std::filesystem::copy(other.data_path / "store", store, std::filesystem::copy_options::recursive);
  ::chmod(store.c_str(), 0700);
  expect_refused("another installation");
}

TEST_F(VaultOnDisk, ASecondOpenerIsTurnedAway) {
  const auto second = DataDirectory::open(disk_.data_path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind(), ErrorKind::busy);
}

// A file-size limit is a disk that is full, without a file system of its own.
class FullDisk {
 public:
  FullDisk() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit none{1, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_F(VaultOnDisk, AFullDiskStopsNewTokensOnly) {
  const std::string keystore = test::whole_file(keys() / "keystore");
  {
    const FullDisk full;
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(run(*disk_.vault, batch_of({"new@example.org"}, binding_, Kind::email)),
                ResolveStatus::store_unavailable);
      EXPECT_EQ(mint(*disk_.vault, binding_, "jeanne@example.org"), token_);
    }
    EXPECT_TRUE(disk_.vault->counters().degraded);
    // A known token whose day has come is answered, though its clock cannot be written.
    disk_.clock.advance(std::chrono::hours(24));
    EXPECT_EQ(mint(*disk_.vault, binding_, "jeanne@example.org"), token_);
    const auto bound = disk_.vault->bind("atelier", std::vector{email_tokens("billing")});
    ASSERT_FALSE(bound);
    expect_sentence(bound.error(), ErrorKind::disk_full, "disk is full");
    EXPECT_EQ(test::whole_file(keys() / "keystore"), keystore);
  }
  std::string late;
  EXPECT_TRUE(eventually([&] {
    late = mint(*disk_.vault, binding_, "new@example.org");
    return late.size() == 46;
  }));
  EXPECT_FALSE(disk_.vault->counters().degraded);
  EXPECT_TRUE(disk_.vault->bind("atelier", std::vector{email_tokens("billing")}));
  ASSERT_TRUE(disk_.open());
  const Binding again = bind();
  EXPECT_EQ(mint(*disk_.vault, again, "jeanne@example.org"), token_);
  EXPECT_EQ(mint(*disk_.vault, again, "new@example.org"), late);
}

TEST(VaultInitialise, OnAFullDiskCanBeRepeated) {
  const TempDir temp;
  TestClock clock;
  auto data = DataDirectory::create(temp.path() / "data");
  ASSERT_TRUE(data);
  auto root = RootKey::obtain(temp.path() / "root.key", false);
  ASSERT_TRUE(root);
  {
    const FullDisk full;
    const auto made = Vault::initialise(*data, std::move(*root), clock);
    ASSERT_FALSE(made);
    expect_sentence(made.error(), ErrorKind::disk_full, "disk is full");
  }
  EXPECT_FALSE(data->is_initialised());
  root = RootKey::obtain(temp.path() / "root.key", data->is_initialised());
  ASSERT_TRUE(root);
  const auto again = Vault::initialise(*data, std::move(*root), clock);
  EXPECT_TRUE(again) << again.error().sentence();
}

}  // namespace
}  // namespace paravent::crypto::vault
