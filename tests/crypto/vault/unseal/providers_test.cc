#include <gtest/gtest.h>
#include <sys/stat.h>

#include "crypto/vault/unseal/file_provider.h"
#include "tests/crypto/vault/unseal/unseal_testing.h"

namespace paravent::crypto::vault {
namespace {

class Credentials : public testing::Test {
 protected:
  ~Credentials() override { ::unsetenv("CREDENTIALS_DIRECTORY"); }
};

TEST(FileProvider, KeyFileRoundTripAndFaults) {
  const KeysFolder keys;
  const auto file = keys.folder / "somewhere" / "root.key";
  FileProvider provider(file);
  EXPECT_EQ(provider.method(), UnsealMethod::key_file);
  expect_sentence(provider.open(keys.check).error(), ErrorKind::data, "missing");
  ASSERT_TRUE(provider.establish(keys.root, keys.check.installation, RecordPlace::current));
  EXPECT_TRUE(opened(provider.open(keys.check), keys.root));
  EXPECT_FALSE(provider.establish(keys.root, keys.check.installation, RecordPlace::current));
  EXPECT_FALSE(provider.give(secret("x"), keys.check));
  const KeysFolder other;
  expect_sentence(provider.open(other.check).error(), ErrorKind::data, "not the one");
}

TEST_F(Credentials, SystemdHandsOneOverByName) {
  const KeysFolder keys;
  ::unsetenv("CREDENTIALS_DIRECTORY");
  expect_sentence(FileProvider::systemd_credential("paravent-root").error(), ErrorKind::data,
                  "without systemd credentials");
  ::setenv("CREDENTIALS_DIRECTORY", keys.folder.c_str(), 1);
  for (const char* bad : {"", ".", "..", "a/b", "../root"}) {
    EXPECT_FALSE(FileProvider::systemd_credential(bad)) << bad;
  }
  auto provider = FileProvider::systemd_credential("paravent-root");
  ASSERT_TRUE(provider);
  EXPECT_EQ((*provider)->method(), UnsealMethod::systemd_credential);
  expect_sentence((*provider)->open(keys.check).error(), ErrorKind::data, "LoadCredential");
  const SecretBytes text = keys.root.file_text();
  write_text(keys.folder / "paravent-root", as_text(text.bytes()));
  // systemd gives the file to root where the unit runs as another user, and guards the folder.
  ::chmod((keys.folder / "paravent-root").c_str(), 0440);
  EXPECT_TRUE(opened((*provider)->open(keys.check), keys.root));
  write_text(keys.folder / "paravent-root", "something else\n");
  expect_sentence((*provider)->open(keys.check).error(), ErrorKind::data, "no root key");
  const SecretBytes foreign = RootKey::ephemeral().file_text();
  write_text(keys.folder / "paravent-root", as_text(foreign.bytes()));
  expect_sentence((*provider)->open(keys.check).error(), ErrorKind::data, "not the root key");
  EXPECT_FALSE((*provider)->establish(keys.root, keys.check.installation, RecordPlace::current));
}

}  // namespace
}  // namespace paravent::crypto::vault
