// All bytes of a file; none where it cannot be read. At once: under the sanitizers a file takes
// minutes byte by byte.

#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace paravent::test {

inline std::string whole_file(const std::filesystem::path& path) {
  const std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

}  // namespace paravent::test
