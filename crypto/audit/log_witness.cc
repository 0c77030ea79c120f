#include "crypto/audit/log_witness.h"

#include "crypto/audit/entry_sealer.h"

namespace paravent::crypto::audit {

AuditEntry log_checkpoint_entry(const NoteKey& key, std::string_view checkpoint) {
  AuditEntry entry;
  entry.event = EventKind::log_checkpoint;
  entry.detail.object = key.text();
  entry.detail.remark = checkpoint;
  return entry;
}

Status take_witnessed(std::string_view origin, const DecodedEntry& entry, WitnessedLogs& logs) {
  if (!has_public_detail(entry.leaf.open.event)) return {};
  const auto fault = [](const char* what) { return Error(ErrorKind::malformed, what); };
  const Result<AuditDetail> detail = open_public_detail(origin, entry);
  if (!detail) return fault("the public detail of an entry cannot be read");
  const Result<NoteKey> key = parse_note_key(detail->object);
  if (!key) return fault("an entry about another log names no key");
  const Result<Checkpoint> checkpoint = open_own_checkpoint(detail->remark, *key);
  if (!checkpoint) return fault("an entry about another log holds no checkpoint of that log");
  WitnessedLog& log = logs.try_emplace(key->name, WitnessedLog{*key, {}}).first->second;
  if (log.key != *key) return fault("an entry gives another log a second key");
  if (!log.checkpoints.empty() && log.checkpoints.back().checkpoint.size > checkpoint->size) {
    return fault("an entry about another log says that it became shorter");
  }
  log.checkpoints.push_back({entry.leaf.open.sequence, *checkpoint});
  return {};
}

}  // namespace paravent::crypto::audit
