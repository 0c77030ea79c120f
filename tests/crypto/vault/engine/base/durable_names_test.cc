// A new key file, a new data directory: nothing that is acknowledged later may hang on a name that
// a power failure takes back. What a power failure leaves is what was synced: of each file its
// bytes before it gets its name, then the folder that holds the name, and the folders above that
// were made on the way.

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "crypto/vault/engine/base/data_directory.h"
#include "crypto/vault/engine/base/durable_file.h"
#include "crypto/vault/unseal/file_provider.h"
#include "tests/crypto/vault/engine/support.h"

namespace {

// "sync PATH", "name PATH", "mkdir PATH", in the order in which they happened.
std::vector<std::string>* events = nullptr;

void note(const char* what, const std::string& path) {
  if (events != nullptr) events->push_back(std::string(what) + " " + path);
}

std::string path_of(int fd) {
  std::array<char, 4096> out{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t n = ::readlink(link.c_str(), out.data(), out.size());
  return n > 0 ? std::string(out.data(), static_cast<std::size_t>(n)) : std::string();
}

template <typename F>
F next(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int fsync(int fd) {
  const int result = next<int (*)(int)>("fsync")(fd);
  if (result == 0) note("sync", path_of(fd));
  return result;
}

int rename(const char* from, const char* to) noexcept {
  const int result = next<int (*)(const char*, const char*)>("rename")(from, to);
  if (result == 0) note("name", to);
  return result;
}

int link(const char* from, const char* to) noexcept {
  const int result = next<int (*)(const char*, const char*)>("link")(from, to);
  if (result == 0) note("name", to);
  return result;
}

int mkdir(const char* path, mode_t mode) noexcept {
  const int result = next<int (*)(const char*, mode_t)>("mkdir")(path, mode);
  if (result == 0) note("mkdir", path);
  return result;
}

}  // extern "C"

namespace paravent::crypto::vault {
namespace {

class DurableNames : public testing::Test {
 protected:
  DurableNames() { events = &seen_; }
  ~DurableNames() override { events = nullptr; }

  static constexpr std::size_t kNever = static_cast<std::size_t>(-1);
  std::size_t last(const std::string& event) const {
    for (std::size_t i = seen_.size(); i-- > 0;) {
      if (seen_[i] == event) return i;
    }
    return kNever;
  }
  std::size_t first(const std::string& event) const {
    const auto it = std::find(seen_.begin(), seen_.end(), event);
    return it == seen_.end() ? kNever : static_cast<std::size_t>(it - seen_.begin());
  }
  // The bytes first, then the name, then the folder that holds the name.
  void expect_durable_file(const std::filesystem::path& file) const {
    const std::size_t bytes = first("sync " + temporary_of(file).string());
    const std::size_t name = first("name " + file.string());
    const std::size_t folder = last("sync " + file.parent_path().string());
    ASSERT_NE(bytes, kNever) << file;
    ASSERT_NE(name, kNever) << file;
    ASSERT_NE(folder, kNever) << file;
    EXPECT_LT(bytes, name) << file;
    EXPECT_LT(name, folder) << file;
  }
  void expect_durable_folder(const std::filesystem::path& folder) const {
    const std::size_t made = first("mkdir " + folder.string());
    const std::size_t above = last("sync " + folder.parent_path().string());
    ASSERT_NE(made, kNever) << folder;
    ASSERT_NE(above, kNever) << folder;
    EXPECT_LT(made, above) << folder;
  }

  TempDir temp_;
  std::vector<std::string> seen_;
};

TEST_F(DurableNames, OfANewKeyFileAndOfTheFolderMadeForIt) {
  const auto file = temp_.path() / "etc" / "root.key";
  ASSERT_TRUE(RootKey::create(file));
  expect_durable_folder(file.parent_path());
  expect_durable_file(file);
  EXPECT_LT(last("sync " + temp_.path().string()), first("name " + file.string()))
      << "the folder's own name before the key's";
}

// Cut off between making the folder and syncing its name: the next start finds it there.
TEST_F(DurableNames, OfAFolderThatSomebodyElseMadeAMomentAgo) {
  const auto file = temp_.path() / "etc" / "root.key";
  std::filesystem::create_directory(file.parent_path());
  seen_.clear();
  ASSERT_TRUE(RootKey::create(file));
  EXPECT_NE(first("sync " + temp_.path().string()), kNever);
  expect_durable_file(file);
}

TEST_F(DurableNames, OfTheKeyFileOfAnotherRootKey) {
  const auto file = temp_.path() / "media" / "next.key";
  FileProvider provider(file);
  ASSERT_TRUE(provider.establish(RootKey::ephemeral(), random_id(), RecordPlace::next));
  expect_durable_folder(file.parent_path());
  expect_durable_file(file);
}

TEST_F(DurableNames, OfADataDirectoryWithEverythingAboveIt) {
  const auto data = temp_.path() / "state" / "local" / "paravent";
  ASSERT_TRUE(DataDirectory::create(data));
  for (const auto& folder : {temp_.path() / "state", temp_.path() / "state" / "local", data,
                             data / "keys", data / "store", data / "operators", data / "audit"}) {
    expect_durable_folder(folder);
  }
  // Made, and cut off before any name was durable: made good by the next one.
  seen_.clear();
  ASSERT_TRUE(DataDirectory::create(data));
  EXPECT_NE(first("sync " + data.parent_path().string()), kNever);
  EXPECT_NE(first("sync " + data.string()), kNever);
}

}  // namespace
}  // namespace paravent::crypto::vault
