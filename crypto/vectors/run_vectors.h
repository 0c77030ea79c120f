// Runs published test vector files (Wycheproof, NIST ACVP FF1, ipcrypt, HPKE, XAES-256-GCM,
// Bech32m, Merkle proofs) through the primitives that this program ships: what `paravent vectors`
// prints and the unit tests check.

#pragma once

#include <boost/json/value.hpp>
#include <filesystem>
#include <span>

#include "crypto/base/result.h"
#include "crypto/vectors/json_file.h"
#include "crypto/vectors/vector_report.h"
#include "crypto/vectors/vector_suite.h"

namespace paravent::crypto {

// The first suite that recognises the file runs it. A prompt or results file of ACVP is joined with
// its partner, sought among `given` (the other files of the same call) and beside it; the cases of
// a results file whose prompt is among `given` are not run a second time. ErrorKind::data: the file
// cannot be read or is above 64 MiB. ErrorKind::malformed: not JSON, of no known kind, or without a
// single case.
Result<VectorReport> run_vector_file(const std::filesystem::path& path,
                                     std::span<const VectorSuite> suites = vector_suites(),
                                     std::span<const std::filesystem::path> given = {});

// The same for a document that is already read, without a partner; the sentence of an error then
// lacks its beginning, the name of the file.
Result<VectorReport> run_vector_document(const boost::json::value& document,
                                         std::span<const VectorSuite> suites = vector_suites());

}  // namespace paravent::crypto
