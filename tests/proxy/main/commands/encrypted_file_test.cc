// The clear file has its name when it is whole, and not before.

#include "proxy/main/commands/encrypted_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "crypto/base/encoding.h"
#include "crypto/tokens/file_encryptor.h"
#include "tests/support/whole_file.h"

namespace paravent::proxy::main {
namespace {

namespace fs = std::filesystem;

const std::string kKey(2 * crypto::kFileKeySize, 'a');

std::string encrypted(std::string_view content) {
  crypto::FileEncryptor file;
  std::string out;
  EXPECT_TRUE(file.begin(crypto::from_hex(kKey).value(), "pve_any-token-text", out));
  EXPECT_TRUE(file.feed(content, out));
  EXPECT_TRUE(file.end(out));
  return out;
}

class EncryptedFile : public testing::Test {
 protected:
  EncryptedFile() {
    std::string name = (fs::temp_directory_path() / "paravent-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
  }
  ~EncryptedFile() override { fs::remove_all(folder_); }

  std::string file(const std::string& name) const { return (folder_ / name).string(); }

  fs::path folder_;
};

TEST_F(EncryptedFile, IsNotThereWhenTheCommandIsKilled) {
  const std::string stored = encrypted(std::string(std::size_t{4} << 20U, 'x'));
  const std::string in = file("in");
  ASSERT_EQ(::mkfifo(in.c_str(), 0600), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::_exit(open_file(in, kKey, file("out")) ? 0 : 1);
  }
  ::signal(SIGPIPE, SIG_IGN);  // a child that ends by itself is a failure, and no end of the test
  const int pipe = ::open(in.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(pipe, 0);
  // It reads on only behind what it has written; a pipe holds less than the rest.
  for (std::size_t sent = 0; sent < std::size_t{3} << 20U;) {
    const ssize_t put = ::write(pipe, stored.data() + sent, (std::size_t{3} << 20U) - sent);
    ASSERT_GT(put, 0);
    sent += static_cast<std::size_t>(put);
  }
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  ::close(pipe);
  EXPECT_FALSE(fs::exists(file("out")));
}

TEST_F(EncryptedFile, IsWholeAndPrivateAndNeverOverAnother) {
  const std::string content(3'000'000, 'x');
  std::ofstream(file("in"), std::ios::binary) << encrypted(content);
  ASSERT_TRUE(open_file(file("in"), kKey, file("out")));
  EXPECT_TRUE(test::whole_file(file("out")) == content);
  struct stat info {};
  ASSERT_EQ(::stat(file("out").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_FALSE(open_file(file("in"), kKey, file("out")));
  // One that does not end leaves nothing behind.
  fs::resize_file(file("in"), fs::file_size(file("in")) - 1);
  EXPECT_FALSE(open_file(file("in"), kKey, file("other")));
  std::size_t names = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder_)) ++names;
  EXPECT_EQ(names, 2U);
}

}  // namespace
}  // namespace paravent::proxy::main
