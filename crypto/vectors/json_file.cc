#include "crypto/vectors/json_file.h"

#include <boost/json/parse.hpp>
#include <fstream>
#include <string>

namespace paravent::crypto {
namespace {

// 8 levels cover every published format; deeper input is not a vector file.
constexpr std::size_t kMaxDepth = 16;

Result<std::string> read_file(const std::filesystem::path& path) {
  std::error_code failure;
  const auto size = std::filesystem::file_size(path, failure);
  std::ifstream in(path, std::ios::binary);
  if (failure || !in) {
    return Error(ErrorKind::data, "The vector file " + path.string() + " cannot be read.");
  }
  if (size > kMaxVectorFile) {
    return Error(ErrorKind::data, "The vector file " + path.string() + " is larger than 64 MiB.");
  }
  std::string content(static_cast<std::size_t>(size), '\0');
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (in.gcount() != static_cast<std::streamsize>(content.size())) {
    return Error(ErrorKind::data, "The vector file " + path.string() + " cannot be read.");
  }
  return content;
}

}  // namespace

Result<boost::json::value> read_json_file(const std::filesystem::path& path) {
  auto content = read_file(path);
  if (!content) return content.error();
  boost::json::error_code failure;
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::json::value document = boost::json::parse(*content, failure, {}, options);
  if (failure) {
    return Error(ErrorKind::malformed, "The vector file " + path.string() + " is not JSON.");
  }
  return document;
}

}  // namespace paravent::crypto
