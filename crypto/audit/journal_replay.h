// What to do with a journal that an interrupted process left: the log's files are brought to what
// it says. Done before anything else is read of the log.

#pragma once

#include "crypto/audit/checkpoint.h"
#include "crypto/audit/journal.h"
#include "crypto/audit/log_folder.h"

namespace paravent::crypto::audit {

// A journal that is older than the log says nothing any more: the log went on without it.
// ErrorKind:: data: it is not of this log, or its entries are not those that its signed checkpoint
// covers; disk_full. Nothing is removed then.
Status replay_journal(LogFolder& folder, const NoteKey& key, const JournalContent& journal);

}  // namespace paravent::crypto::audit
