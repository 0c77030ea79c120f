// DataDirectory: DATA of CONTRACTS.md, held by this process alone for as long as the object lives.
//
//   DATA (0700)   lock          flock, exclusive
//                 initialising  there only while the first initialisation runs
//                 keys/         keystore, shred-secret
//                 store/        the token store
//                 operators/    credentials' hashes (admin room)
//                 audit/        installation/ and TENANT_ID/ (audit room)
//                 audit-journal/  there only while logs are open, and after a kill (audit room)
//
// Every folder is 0700 and belongs to this user; anything wider is refused with the command that
// mends it. Movable, owned by one thread. ErrorKind::busy: another process holds the directory.

#pragma once

#include <filesystem>

#include "crypto/base/result.h"

namespace paravent::crypto::vault {

class DataDirectory {
 public:
  // Opens DATA, which must exist, and locks it. ErrorKind::data: missing or not private.
  static Result<DataDirectory> open(const std::filesystem::path& path);
  // The same, making what does not exist yet; leaves what exists as it is.
  static Result<DataDirectory> create(const std::filesystem::path& path);

  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&& other) noexcept;
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;
  ~DataDirectory();

  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path keys() const { return path_ / "keys"; }
  std::filesystem::path store() const { return path_ / "store"; }
  std::filesystem::path operators() const { return path_ / "operators"; }
  std::filesystem::path audit() const { return path_ / "audit"; }

  // Whether a vault has been initialised here and acknowledged. Also true when only traces of one
  // are left (its key store was lost): then opening fails with its own sentence, and initialising
  // is refused.
  bool is_initialised() const;

  // Brackets the first initialisation. begin: refused (ErrorKind::data) when is_initialised();
  // clears what an interrupted initialisation left behind, which nobody can rely on yet. finish:
  // durable.
  Status begin_initialisation();
  Status finish_initialisation();

 private:
  DataDirectory(std::filesystem::path path, int lock) noexcept;
  std::filesystem::path marker() const { return path_ / "initialising"; }

  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace paravent::crypto::vault
