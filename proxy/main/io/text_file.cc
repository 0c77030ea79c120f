#include "proxy/main/io/text_file.h"

#include <array>
#include <filesystem>
#include <fstream>

namespace paravent::proxy::main {

using crypto::Error;
using crypto::ErrorKind;

crypto::Result<std::string> read_text_file(const std::string& path, std::size_t limit) {
  std::error_code ignored;
  std::ifstream in(path, std::ios::binary);
  if (!in || std::filesystem::is_directory(path, ignored)) {
    return Error(ErrorKind::usage, "The file " + path + " cannot be read.");
  }
  std::string text;
  std::array<char, 65536> piece;
  while (in.read(piece.data(), piece.size()) || in.gcount() > 0) {
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > limit) {
      return Error(ErrorKind::usage,
                   "The file " + path + " is larger than " + std::to_string(limit) + " bytes.");
    }
  }
  if (in.bad()) return Error(ErrorKind::usage, "The file " + path + " cannot be read to its end.");
  return text;
}

}  // namespace paravent::proxy::main
