#include "crypto/vault/engine/keys/root_key.h"

#include <sys/stat.h>

#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

const Id kInstallation{1, 2, 3};

TEST(RootKey, RoundTrip) {
  const TempDir temp;
  const auto path = temp.path() / "folder" / "root.key";
  const auto made = RootKey::create(path);
  ASSERT_TRUE(made) << made.error().sentence();
  const auto read = RootKey::read(path);
  ASSERT_TRUE(read) << read.error().sentence();
  EXPECT_EQ(made->check_value(kInstallation), read->check_value(kInstallation));
  EXPECT_NE(made->check_value(kInstallation), made->check_value(Id{9}));
  const std::string text = test::whole_file(path);
  EXPECT_EQ(text.size(), 70U);
  EXPECT_TRUE(text.starts_with("paravent-root-key-v1 "));
}

TEST(RootKey, NeverOverwritesAFile) {
  const TempDir temp;
  const auto path = temp.path() / "root.key";
  ASSERT_TRUE(RootKey::create(path));
  const std::string before = test::whole_file(path);
  const auto again = RootKey::create(path);
  ASSERT_FALSE(again);
  expect_sentence(again.error(), ErrorKind::data, "not overwritten");
  EXPECT_EQ(test::whole_file(path), before);
}

TEST(RootKey, MissingKeyIsNotRegeneratedOverData) {
  const TempDir temp;
  const auto path = temp.path() / "root.key";
  const auto missing = RootKey::obtain(path, true);
  ASSERT_FALSE(missing);
  expect_sentence(missing.error(), ErrorKind::data, "is missing");
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_TRUE(RootKey::obtain(path, false));
  EXPECT_TRUE(RootKey::obtain(path, true));
}

TEST(RootKey, RefusesFilesThatOthersCanRead) {
  const TempDir temp;
  const auto path = temp.path() / "root.key";
  ASSERT_TRUE(RootKey::create(path));
  for (const mode_t mode : {0640U, 0604U, 0620U}) {
    ::chmod(path.c_str(), mode);
    const auto read = RootKey::read(path);
    ASSERT_FALSE(read);
    expect_sentence(read.error(), ErrorKind::data, "chmod 600");
  }
  ::chmod(path.c_str(), 0400);
  EXPECT_TRUE(RootKey::read(path));
}

TEST(RootKey, EveryTruncationIsSaidToBeOne) {
  const TempDir temp;
  const auto path = temp.path() / "root.key";
  ASSERT_TRUE(RootKey::create(path));
  const std::string text = test::whole_file(path);
  for (std::size_t size = 0; size < text.size(); ++size) {
    write_text(path, text.substr(0, size));
    const auto read = RootKey::read(path);
    ASSERT_FALSE(read) << size;
    expect_sentence(read.error(), ErrorKind::data, "truncated");
  }
}

TEST(RootKey, EveryAlteredByteIsRefused) {
  const auto root = RootKey::ephemeral();
  const SecretBytes text = root.file_text();
  std::string altered(as_text(text.bytes()));
  ASSERT_TRUE(RootKey::parse(altered));
  for (std::size_t i = 0; i < altered.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string copy = altered;
      copy[i] = static_cast<char>(copy[i] ^ (1 << bit));
      EXPECT_FALSE(RootKey::parse(copy)) << i << ' ' << bit;
    }
  }
  EXPECT_FALSE(RootKey::parse(altered + "\n"));
  EXPECT_FALSE(RootKey::parse(" " + altered));
}

TEST(RootKey, ItsKeysDiffer) {
  const auto root = RootKey::ephemeral();
  EXPECT_FALSE(equal_constant_time(root.wrapping_key().bytes(), root.key_store_mac_key().bytes()));
}

}  // namespace
}  // namespace paravent::crypto::vault
