#include "policies/model/file_text.h"

#include <fstream>

namespace paravent::policies {

std::optional<std::string> read_file_text(const std::string& path, std::size_t limit) {
  std::ifstream in(path, std::ios::binary);
  std::string text(limit + 1, '\0');
  // Not through an iterator over the buffer: its errors come as exceptions, and a folder opens.
  if (in) in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in.is_open() || in.bad() || (in.fail() && !in.eof())) return std::nullopt;
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace paravent::policies
