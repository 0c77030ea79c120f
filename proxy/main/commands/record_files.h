// The small files that the offline commands about the record read: keys, checkpoints, and which
// folder holds which log.

#pragma once

#include <string>
#include <vector>

#include "crypto/audit/verifier.h"
#include "crypto/base/result.h"

namespace paravent::proxy::main {

// ErrorKind::usage: unreadable, or no public key of a log in it.
crypto::Result<std::vector<crypto::audit::NoteKey>> read_public_keys(const std::string& file);

// One or several checkpoints; `from` is what a sentence calls each of them.
crypto::Result<std::vector<crypto::audit::SavedCheckpoint>> read_checkpoints(
    const std::string& file, const std::string& from);

// A witness's key in text, or a file with one in its only line.
crypto::Result<crypto::audit::WitnessKey> read_witness_key(const std::string& text);

// The folder of one log in `folder`: a data directory, its audit folder, or the log's own. `log`:
// its id; empty where there is only one, or one tenant. ErrorKind::usage: not to be told; data:
// there is no such log.
crypto::Result<std::string> find_log(const std::string& folder, const std::string& log);

}  // namespace paravent::proxy::main
