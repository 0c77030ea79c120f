// Reading the files that people write: policies and gateway files.

#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace paravent::policies {

// The text of a file, or its first limit + 1 bytes: one that is too large is seen as such without
// reading it all. Nothing: it cannot be read to there, as a folder cannot.
std::optional<std::string> read_file_text(const std::string& path, std::size_t limit);

}  // namespace paravent::policies
