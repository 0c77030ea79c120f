#include "crypto/vault/engine/base/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

#include "crypto/vault/engine/base/durable_file.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::array<const char*, 4> kFolders{"keys", "store", "operators", "audit"};

// Before its rights are judged: nobody should open up a file that was never meant.
Status check_folder(const std::filesystem::path& path) {
  std::error_code error;
  const bool is_file =
      std::filesystem::exists(path, error) && !std::filesystem::is_directory(path, error);
  if (!is_file) return {};
  return Error(ErrorKind::data, path.string() + " is a file, not a folder; name another one.");
}

Status make_folder(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.parent_path();
  if (::mkdir(path.c_str(), 0700) == 0) {
    // The process's umask may have taken the owner's own bits.
    ::chmod(path.c_str(), 0700);
    return sync_folder(parent.empty() ? "." : parent);
  }
  if (errno == EEXIST) {
    if (auto s = check_folder(path); !s) return s;
    if (auto s = check_private(path); !s) return s;
    // Whoever made it may have been cut off before its name was durable. One above it that cannot
    // even be opened was made by somebody else.
    std::ignore = sync_folder(parent.empty() ? "." : parent);
    return {};
  }
  const bool full = errno == ENOSPC || errno == EDQUOT;
  return Error(full ? ErrorKind::disk_full : ErrorKind::data,
               "The folder " + path.string() + " cannot be made" +
                   (full ? " because the disk is full." : "; check the folder above it."));
}

Result<int> lock_directory(const std::filesystem::path& path) {
  const std::filesystem::path file = path / "lock";
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) {
    return Error(errno == ENOSPC ? ErrorKind::disk_full : ErrorKind::data,
                 "The lock file " + file.string() + " cannot be opened" +
                     (errno == ENOSPC ? " because the disk is full." : "; check its owner."));
  }
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  ::close(fd);
  return Error(ErrorKind::busy, "Another paravent process uses the data directory " +
                                    path.string() +
                                    "; stop it first, or give this one its own --data.");
}

bool holds_anything(const std::filesystem::path& folder) {
  std::error_code error;
  const std::filesystem::directory_iterator begin(folder, error);
  return !error && begin != std::filesystem::directory_iterator();
}

}  // namespace

DataDirectory::DataDirectory(std::filesystem::path path, int lock) noexcept
    : path_(std::move(path)), lock_(lock) {}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataDirectory& DataDirectory::operator=(DataDirectory&& other) noexcept {
  if (this != &other) {
    if (lock_ >= 0) ::close(lock_);
    path_ = std::move(other.path_);
    lock_ = std::exchange(other.lock_, -1);
  }
  return *this;
}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

Result<DataDirectory> DataDirectory::open(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return Error(ErrorKind::data, "The data directory " + path.string() +
                                      " does not exist; check the name, or give --config or "
                                      "--data.");
  }
  if (auto s = check_folder(path); !s) return s.error();
  if (auto s = check_private(path); !s) return s.error();
  for (const char* folder : kFolders) {
    if (std::filesystem::exists(path / folder, error)) {
      if (auto s = check_private(path / folder); !s) return s.error();
    }
  }
  auto lock = lock_directory(path);
  if (!lock) return lock.error();
  return DataDirectory(path, *lock);
}

Result<DataDirectory> DataDirectory::create(const std::filesystem::path& path) {
  // Nothing that is acknowledged later may hang on a name that a power failure takes back.
  if (auto s = make_folders_durably(path.parent_path()); !s) return s.error();
  if (auto s = make_folder(path); !s) return s.error();
  auto lock = lock_directory(path);
  if (!lock) return lock.error();
  DataDirectory data(path, *lock);
  for (const char* folder : kFolders) {
    if (auto s = make_folder(path / folder); !s) return s.error();
  }
  return data;
}

bool DataDirectory::is_initialised() const {
  std::error_code error;
  if (std::filesystem::exists(marker(), error)) return false;
  return holds_anything(keys()) || holds_anything(store());
}

Status DataDirectory::begin_initialisation() {
  if (is_initialised()) {
    return Error(ErrorKind::data, "The data directory " + path_.string() +
                                      " is initialised already; nothing was changed.");
  }
  if (auto s = write_file_durably(marker(), {}); !s) return s;
  for (const auto& folder : {keys(), store()}) {
    std::error_code error;
    std::filesystem::remove_all(folder, error);
    if (auto s = make_folder(folder); !s) return s;
  }
  return sync_folder(path_);
}

Status DataDirectory::finish_initialisation() { return remove_file_durably(marker()); }

}  // namespace paravent::crypto::vault
