#include "crypto/vault/engine/base/data_directory.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "crypto/vault/engine/base/durable_file.h"
#include "tests/crypto/vault/engine/support.h"

namespace paravent::crypto::vault {
namespace {

mode_t mode_of(const std::filesystem::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
}

TEST(DataDirectory, CreatesPrivateFolders) {
  const TempDir temp;
  const auto path = temp.path() / "a" / "data";
  const auto data = DataDirectory::create(path);
  ASSERT_TRUE(data) << data.error().sentence();
  EXPECT_EQ(mode_of(path), 0700U);
  for (const auto& folder : {data->keys(), data->store(), data->operators(), data->audit()}) {
    EXPECT_EQ(mode_of(folder), 0700U) << folder;
  }
  EXPECT_FALSE(data->is_initialised());
}

TEST(DataDirectory, SecondHolderIsTurnedAway) {
  const TempDir temp;
  const auto path = temp.path() / "data";
  {
    const auto first = DataDirectory::create(path);
    ASSERT_TRUE(first);
    const auto second = DataDirectory::open(path);
    ASSERT_FALSE(second);
    expect_sentence(second.error(), ErrorKind::busy, path.string());
    const auto third = DataDirectory::create(path);
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().kind(), ErrorKind::busy);
  }
  EXPECT_TRUE(DataDirectory::open(path));  // the lock goes with its holder
}

TEST(DataDirectory, MovingKeepsTheLock) {
  const TempDir temp;
  const auto path = temp.path() / "data";
  auto first = DataDirectory::create(path);
  ASSERT_TRUE(first);
  const DataDirectory moved = std::move(*first);
  EXPECT_FALSE(DataDirectory::open(path));
}

TEST(DataDirectory, AFileIsNone) {
  const TempDir temp;
  const auto path = temp.path() / "data";
  write_text(path, "somebody's");
  for (const bool make : {false, true}) {
    const auto data = make ? DataDirectory::create(path) : DataDirectory::open(path);
    ASSERT_FALSE(data);
    expect_sentence(data.error(), ErrorKind::data, path.string() + " is a file");
  }
  EXPECT_EQ(test::whole_file(path), "somebody's");
}

TEST(DataDirectory, RefusesWhatOthersCanReach) {
  const TempDir temp;
  const auto path = temp.path() / "data";
  ASSERT_TRUE(DataDirectory::create(path));
  ::chmod(path.c_str(), 0750);
  const auto open = DataDirectory::open(path);
  ASSERT_FALSE(open);
  expect_sentence(open.error(), ErrorKind::data, "chmod 700");
  ::chmod(path.c_str(), 0700);
  ::chmod((path / "keys").c_str(), 0705);
  const auto inner = DataDirectory::open(path);
  ASSERT_FALSE(inner);
  expect_sentence(inner.error(), ErrorKind::data, "keys");
}

TEST(DataDirectory, MissingDirectoryIsAskedForByName) {
  const auto open = DataDirectory::open("/nonexistent/paravent-data");
  ASSERT_FALSE(open);
  expect_sentence(open.error(), ErrorKind::data, "check the name");
}

TEST(DataDirectory, InterruptedInitialisationCanBeRepeated) {
  const TempDir temp;
  auto data = DataDirectory::create(temp.path() / "data");
  ASSERT_TRUE(data);
  ASSERT_TRUE(data->begin_initialisation());
  write_text(data->keys() / "shred-secret", "half");
  EXPECT_FALSE(data->is_initialised());
  ASSERT_TRUE(data->begin_initialisation());
  EXPECT_FALSE(std::filesystem::exists(data->keys() / "shred-secret"));
  write_text(data->keys() / "keystore", "whole");
  ASSERT_TRUE(data->finish_initialisation());
  EXPECT_TRUE(data->is_initialised());
  EXPECT_FALSE(data->begin_initialisation());
  EXPECT_EQ(test::whole_file(data->keys() / "keystore"), "whole");
}

TEST(DurableFile, ReplacesWholeOrNotAtAll) {
  const TempDir temp;
  const auto path = temp.path() / "file";
  ASSERT_TRUE(write_file_durably(path, as_bytes(std::string_view("one"))));
  EXPECT_EQ(mode_of(path), 0600U);
  ASSERT_TRUE(write_file_durably(path, as_bytes(std::string_view("two"))));
  EXPECT_EQ(test::whole_file(path), "two");
  const auto refused =
      write_file_durably(path, as_bytes(std::string_view("three")), Existing::refuse);
  ASSERT_FALSE(refused);
  expect_sentence(refused.error(), ErrorKind::data, "not overwritten");
  EXPECT_EQ(test::whole_file(path), "two");
  EXPECT_FALSE(std::filesystem::exists(temp.path() / "file.tmp"));
}

TEST(DurableFile, FullDiskLeavesTheOldFile) {
  const TempDir temp;
  const auto path = temp.path() / "file";
  ASSERT_TRUE(write_file_durably(path, as_bytes(std::string_view("old"))));
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{4096, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &tight);
  const Bytes large(100000, 1);
  const auto status = write_file_durably(path, large);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(status);
  expect_sentence(status.error(), ErrorKind::disk_full, "disk is full");
  EXPECT_EQ(test::whole_file(path), "old");
  EXPECT_FALSE(std::filesystem::exists(temp.path() / "file.tmp"));
}

TEST(DurableFile, ReadHasALimitAndFollowsNoLink) {
  const TempDir temp;
  const auto path = temp.path() / "file";
  write_text(path, "12345");
  EXPECT_TRUE(read_file(path, 5));
  EXPECT_FALSE(read_file(path, 4));
  std::filesystem::create_symlink(path, temp.path() / "link");
  EXPECT_FALSE(read_file(temp.path() / "link", 100));
  EXPECT_FALSE(check_private(temp.path() / "link"));
}

}  // namespace
}  // namespace paravent::crypto::vault
