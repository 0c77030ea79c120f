// A backup moves whole or not at all, on one file system and to another, and over nothing.

#include "proxy/main/installation/move_backup.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/whole_file.h"

namespace paravent::proxy::main {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  explicit Folder(const fs::path& below) {
    std::string name = (below / "paravent-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

std::string text_of(const fs::path& file) { return test::whole_file(file); }

void write(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

class MoveBackup : public testing::Test {
 protected:
  MoveBackup() : near_(fs::temp_directory_path()), far_("/dev/shm") {
    // More than one piece, and no whole number of them.
    for (int i = 0; i < 400'000; ++i) whole_ += std::to_string(i);
    write(from(), whole_);
  }

  // Whether /dev/shm is there, and another file system than where the backup is.
  bool is_far() const {
    struct stat near {};
    struct stat far {};
    return !far_.path().empty() && ::stat(near_.path().c_str(), &near) == 0 &&
           ::stat(far_.path().c_str(), &far) == 0 && near.st_dev != far.st_dev;
  }
  fs::path from() const { return near_.path() / "made"; }
  fs::path to() const { return far_.path() / "out"; }
  fs::path partial() const { return far_.path() / "out.partial"; }

  void expect_refused(const fs::path& target, std::string_view named) {
    const auto moved = move_backup(from(), target);
    ASSERT_FALSE(moved);
    EXPECT_EQ(moved.error().kind(), crypto::ErrorKind::data);
    EXPECT_NE(moved.error().sentence().find(named), std::string_view::npos)
        << moved.error().sentence();
    EXPECT_NE(moved.error().sentence().find(from().string()), std::string_view::npos);
    EXPECT_EQ(text_of(from()), whole_);
  }

  Folder near_;
  Folder far_;
  std::string whole_;
};

TEST_F(MoveBackup, OnOneFileSystem) {
  const fs::path to = near_.path() / "out";
  write(to, "mine");
  expect_refused(to, to.string());
  EXPECT_EQ(text_of(to), "mine");
  expect_refused(near_.path() / "no" / "folder", "cannot be written");
  fs::remove(to);
  ASSERT_TRUE(move_backup(from(), to));
  EXPECT_EQ(text_of(to), whole_);
  EXPECT_FALSE(fs::exists(from()));
}

TEST_F(MoveBackup, ToAnother) {
  if (!is_far()) GTEST_SKIP() << "/dev/shm is no other file system here";
  ASSERT_TRUE(move_backup(from(), to()));
  EXPECT_EQ(text_of(to()), whole_);
  EXPECT_EQ(fs::status(to()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_FALSE(fs::exists(from()));
  EXPECT_FALSE(fs::exists(partial()));
}

TEST_F(MoveBackup, ToAnotherWhereTheNameIsTaken) {
  if (!is_far()) GTEST_SKIP() << "/dev/shm is no other file system here";
  write(to(), "mine");
  expect_refused(to(), to().string());
  EXPECT_EQ(text_of(to()), "mine");
  EXPECT_FALSE(fs::exists(partial()));
}

TEST_F(MoveBackup, ToAnotherWhereSomebodysPartialFileLies) {
  if (!is_far()) GTEST_SKIP() << "/dev/shm is no other file system here";
  write(partial(), "mine");
  expect_refused(to(), partial().string());
  EXPECT_EQ(text_of(partial()), "mine");
  EXPECT_FALSE(fs::exists(to()));
  // Nor is it written to where a link of that name points.
  fs::remove(partial());
  write(far_.path() / "elsewhere", "mine");
  fs::create_symlink(far_.path() / "elsewhere", partial());
  expect_refused(to(), partial().string());
  EXPECT_EQ(text_of(far_.path() / "elsewhere"), "mine");
  EXPECT_FALSE(fs::exists(to()));
}

}  // namespace
}  // namespace paravent::proxy::main
