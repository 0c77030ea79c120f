// Runs published test vector files (Wycheproof JSON, XAES-256-GCM) through the primitives that this
// program ships: what `paravent vectors` prints and the unit tests check.

#pragma once

#include <filesystem>
#include <span>

#include "crypto/base/result.h"
#include "crypto/vectors/vector_report.h"
#include "crypto/vectors/vector_suite.h"

namespace paravent::crypto {

inline constexpr std::size_t kMaxVectorFile = std::size_t{64} << 20U;

// The first suite that recognises the file runs it. ErrorKind::data: the file cannot be read or is
// above 64 MiB. ErrorKind::malformed: not JSON, of no known kind, or without a single case.
Result<VectorReport> run_vector_file(const std::filesystem::path& path,
                                     std::span<const VectorSuite> suites = vector_suites());

}  // namespace paravent::crypto
