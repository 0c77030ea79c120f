// Encrypted files (docs/file-format.md) on the command line.

#pragma once

#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace paravent::proxy::main {

// The token that stands for the file's key. ErrorKind::usage: it cannot be read; data: it is no
// encrypted file.
crypto::Result<std::string> token_of_file(const std::string& path);

// Writes what the file holds to `out` (mode 0600), which must not exist: whole and checked to its
// end, or not at all. ErrorKind::data: it does not open with this key, was altered or cut off.
crypto::Status open_file(const std::string& path, std::string_view key, const std::string& out);

}  // namespace paravent::proxy::main
