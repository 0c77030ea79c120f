// Moving a backup that a gateway has written to where it was asked for, perhaps on another file
// system.

#pragma once

#include <filesystem>

#include "crypto/base/result.h"

namespace paravent::proxy::main {

// Never over another file, and `from` goes only once `to` is whole and on the disk. An error leaves
// `from` as it was and nothing of ours beside `to`; disk_full or data, with a sentence that says
// where the backup stays. On another file system `to` has ".partial" behind its name until it is
// whole; a file of that name is somebody's and left alone.
crypto::Status move_backup(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace paravent::proxy::main
