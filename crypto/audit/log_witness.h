// What the installation's log says about the other logs: each is recorded there when it begins, and
// its checkpoint again and again. So a tenant's log that was deleted, rolled back, forked or made
// anew does not fit any more, and whoever verifies needs no key to see it.
//
// The entry is an event log_checkpoint whose object is the log's verifier key and whose remark is
// its signed checkpoint; its detail is public (entry_sealer.h). Pure functions; any thread.

#pragma once

#include <map>
#include <string>
#include <vector>

#include "crypto/audit/audit_log.h"
#include "crypto/audit/checkpoint.h"
#include "crypto/audit/leaf.h"

namespace paravent::crypto::audit {

// The entry of the installation's log about `key`'s log. `checkpoint`: the bytes of its file.
AuditEntry log_checkpoint_entry(const NoteKey& key, std::string_view checkpoint);

struct WitnessedCheckpoint {
  std::uint64_t entry = 0;  // of the installation's log
  Checkpoint checkpoint;
};

// One log as the installation's log knows it.
struct WitnessedLog {
  NoteKey key;
  std::vector<WitnessedCheckpoint> checkpoints;  // in the order of their entries; never empty
};

// By origin.
using WitnessedLogs = std::map<std::string, WitnessedLog>;

// Takes one entry of the installation's log into account; entries of other kinds change nothing.
// ErrorKind::malformed with a sentence: it is no key and checkpoint, or contradicts an earlier one.
Status take_witnessed(std::string_view origin, const DecodedEntry& entry, WitnessedLogs& logs);

}  // namespace paravent::crypto::audit
