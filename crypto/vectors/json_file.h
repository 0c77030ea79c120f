// Reads one JSON file of foreign vectors, bounded in size and depth.

#pragma once

#include <boost/json/value.hpp>
#include <filesystem>

#include "crypto/base/result.h"

namespace paravent::crypto {

inline constexpr std::size_t kMaxVectorFile = std::size_t{64} << 20U;

// ErrorKind::data: the file cannot be read or is above 64 MiB. ErrorKind::malformed: not JSON.
Result<boost::json::value> read_json_file(const std::filesystem::path& path);

}  // namespace paravent::crypto
