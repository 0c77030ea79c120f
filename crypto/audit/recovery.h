// Opening a log that exists: what its checkpoint says, and a tail that matches it.
//
// Reads the partial tiles and the last bundle only, whose hashes give the whole root; older tiles
// are the verifier's business. What an interrupted commit left is removed, after everything else
// was found right.

#pragma once

#include <string>

#include "crypto/audit/checkpoint.h"
#include "crypto/audit/log_folder.h"
#include "crypto/audit/tail.h"

namespace paravent::crypto::audit {

struct RecoveredLog {
  Tail tail;
  std::string checkpoint;  // the bytes of its file
};

// ErrorKind::data with the file that does not match.
Result<RecoveredLog> recover_log(LogFolder& folder, const NoteKey& key);

}  // namespace paravent::crypto::audit
