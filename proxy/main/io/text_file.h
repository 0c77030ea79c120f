// Reading a whole file that a person gave on the command line.

#pragma once

#include <cstddef>
#include <string>

#include "crypto/base/result.h"

namespace paravent::proxy::main {

// ErrorKind::usage: missing, unreadable, not a regular file or pipe, or larger than `limit` bytes.
crypto::Result<std::string> read_text_file(const std::string& path, std::size_t limit);

}  // namespace paravent::proxy::main
