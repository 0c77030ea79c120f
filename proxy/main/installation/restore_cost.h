// What it costs to restore a data backup with keys that are older than it: what was done to keys
// and settled about people in between is undone, and what was sealed under keys made in between
// never opens. Weighed before the restored folder gets its name; nobody pays it unasked.

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/backup/backup_archive.h"
#include "crypto/vault/engine/backup/backup_file.h"
#include "crypto/vault/engine/upkeep/key_facts.h"
#include "crypto/vault/engine/vault/vault.h"
#include "proxy/main/installation/undone_facts.h"

namespace paravent::proxy::main {

struct RestoreCost {
  crypto::WallTime keys_made;  // of the key backup
  bool older_keys = false;     // than the data
  // Whether the data backup says what was settled when it was made. One of an earlier version does
  // not, and then nobody can say what is undone of that.
  bool has_facts = false;
  // Undone.
  std::uint32_t renewals = 0;    // destructions, erasures, rotations of tenants and domains
  std::size_t keys_revived = 0;  // destroyed, and alive again
  std::size_t keys_enabled = 0;  // disabled or compromised, and in use again
  UndoneFacts facts;
  // Lost.
  std::size_t keys_lacking = 0;      // the key backup has never heard of them
  std::size_t contexts_lacking = 0;  // nor of these
  bool people_lacking = false;       // nor of people who came since
  std::uint64_t rows_lacking = 0;    // rows of the store that therefore never open
  // What holds from now on.
  crypto::vault::KeyFacts settled;

  bool undoes_keys() const { return renewals > 0 || keys_revived > 0 || keys_enabled > 0; }
  bool undoes() const { return undoes_keys() || !facts.clauses.empty(); }
  bool loses() const {
    return keys_lacking > 0 || contexts_lacking > 0 || people_lacking || rows_lacking > 0;
  }
};

// The order of the two backups, from their heads and manifests: which has the newer key store, and
// where they have the same, which was made later or knew of the other.
void order_of(const crypto::vault::BackupInfo& data, const crypto::vault::ArchiveSummary& in_data,
              const crypto::vault::BackupInfo& keys, const crypto::vault::ArchiveSummary& in_keys,
              RestoreCost& out);

// Compares the restored keys with what the data backup says of its own, in the unpacked `folder`.
// Everything but `rows_lacking`, which is known when the index is made. ErrorKind::data: what it
// says is damaged.
crypto::Status weigh(crypto::vault::Vault& vault, const std::filesystem::path& folder,
                     crypto::WallTime now, RestoreCost& out);
// Once the index is made: `rows_lacking`. What lies under a person's key that is not there was lost
// only where people's keys are lacking; where the newest one is there, so are all before it that
// were not destroyed.
void count_rows(const crypto::vault::IndexReport& report, RestoreCost& out);
// The files that weigh() reads, no longer wanted. Durable.
crypto::Status remove_what_was_weighed(const std::filesystem::path& folder);

struct CostAccepted {
  bool undoing = false;  // --undo-key-changes
  bool loss = false;     // --accept-loss
};
// ErrorKind::data, one sentence with everything that it would cost and is not accepted.
crypto::Status check_accepted(const RestoreCost& cost, const CostAccepted& accepted);

// "undoes 2 destructions, erasures or rotations; ...": for the record, whose fields are bounded;
// empty where it costs nothing.
std::string cost_remark(const RestoreCost& cost);

}  // namespace paravent::proxy::main
