// What to do with a journal that an interrupted process left, or that a running one holds.
//
// A journal is believed as far as a checkpoint signed by the log's key covers it, and only where it
// and the log's own files are one log: neither may fork from the other.

#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "crypto/audit/checkpoint.h"
#include "crypto/audit/journal.h"
#include "crypto/audit/log_folder.h"
#include "crypto/audit/recovery.h"

namespace paravent::crypto::audit {

// Opens a log as it was left: brings its files to what the journal says, if there is one
// (`journal` may be empty), reads the tail, then removes the journal. A journal that is older than
// the log is one that the log went on without. ErrorKind::data: journal and log are not one log, or
// the log does not match its checkpoint; disk_full. The journal stays then.
Result<RecoveredLog> recover_with_journal(LogFolder& folder, Disk& disk, const NoteKey& key,
                                          const std::string& journal);

// The same for a log that nobody is about to open, with nothing but the public key in its folder.
Status replay_left_journal(const std::string& log_folder, const std::string& journal);

// Where a journal leads, for a verifier. Changes nothing.
struct JournalWalk {
  std::map<std::uint64_t, Hash> roots;  // at those of `sizes` that it passes
  Hash root{};                          // at its end
};
// ErrorKind::data, malformed: its entries are not entries of the log in `log_folder`.
Result<JournalWalk> walk_journal(const std::string& log_folder, const JournalContent& journal,
                                 const std::set<std::uint64_t>& sizes);

}  // namespace paravent::crypto::audit
