// The offline verifier: re-reads every byte of one log, or of all logs of a data directory, with
// public keys only, and says what it compared or where the first fault lies.
//
// Every entry is decoded and hashed, every tile compared with the hashes recomputed, the root with
// the signed checkpoint. A file that the log does not consist of is a fault. Two leftovers of a
// killed process are none, and are checked in every byte all the same: a narrower partial file, and
// a commit that is announced by a signed checkpoint.new. A running log may be verified. Any thread;
// changes nothing.

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "crypto/audit/checkpoint.h"
#include "crypto/audit/cosignature.h"
#include "crypto/audit/log_witness.h"

namespace paravent::crypto::audit {

// A checkpoint that was kept elsewhere.
struct SavedCheckpoint {
  // `bytes`: its file; `from`: what to call it in a sentence.
  // NOLINTNEXTLINE(google-explicit-constructor): bytes alone say everything but the name.
  SavedCheckpoint(std::string its_bytes, std::string where = "the earlier checkpoint")
      : bytes(std::move(its_bytes)), from(std::move(where)) {}

  std::string bytes;
  std::string from;
};

struct VerifyOptions {
  // Keys known from elsewhere; a log whose origin one of them names must have that key.
  std::vector<NoteKey> trusted_keys;
  // Each must be a beginning of a log that is verified.
  std::vector<SavedCheckpoint> checkpoints;
  // Of each log one saved checkpoint must be co-signed by `quorum` of these witnesses.
  std::vector<WitnessKey> witnesses;
  std::size_t quorum = 0;
  // Told now and then how far the verification is: the log's folder, entries checked, entries in
  // all. May be empty.
  std::function<void(const std::string& folder, std::uint64_t done, std::uint64_t all)> progress{};
};

struct Fault {
  std::string file;
  std::optional<std::uint64_t> position;  // bytes from its beginning
  std::string what;

  // "FILE, byte N: WHAT"
  std::string sentence() const;
};

struct LogReport {
  std::string folder;
  std::string origin;
  std::uint64_t size = 0;
  Hash root{};
  std::uint64_t bytes = 0;            // of all files compared
  std::vector<std::string> compared;  // sentences, for people
  std::vector<std::string> notes;     // what is unusual and no fault
  std::string checkpoint;             // the latest, verified: of its file or of the journal
  std::string in_files;               // that of its file; what the journal says may not be synced
  std::optional<Fault> fault;
};

struct AuditReport {
  std::vector<LogReport> logs;
  std::optional<Fault> fault;  // of the directory, or of a key or checkpoint that no log answers to

  bool verified() const noexcept;
  // The first fault. REQUIRES: !verified().
  const Fault& first_fault() const noexcept;
};

// One line per key, each a verifier key. ErrorKind::malformed.
Result<std::vector<NoteKey>> parse_key_file(std::string_view text);

// One log's folder.
LogReport verify_log(const std::string& folder, const VerifyOptions& options);
// The same among others. `known`: what the installation's log says about this one; `learned`: takes
// what this log, the installation's, says about others. Each may be null.
LogReport verify_log_among(const std::string& folder, const VerifyOptions& options,
                           const WitnessedLogs* known, WitnessedLogs* learned);

// `path` is a data directory, its audit folder, or one log's folder. ErrorKind::data: none of
// these.
Result<AuditReport> verify_audit(const std::string& path, const VerifyOptions& options);

}  // namespace paravent::crypto::audit
