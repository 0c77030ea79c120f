#include "crypto/audit/verifier.h"

#include <algorithm>
#include <map>
#include <set>

#include "crypto/audit/entry_walk.h"
#include "crypto/audit/journal_replay.h"
#include "crypto/audit/log_folder.h"

namespace paravent::crypto::audit {
namespace {

Fault fault_of(std::string file, std::string what) {
  return {std::move(file), std::nullopt, std::move(what)};
}

// A folder that holds, or held, tiles.
bool folder_belongs(const std::string& name) {
  if (name == "tile" || parse_tile_path(name + "/000")) return true;
  return name.ends_with(".p") && parse_tile_path(name + "/1");
}

std::optional<Fault> find_strangers(const FolderListing& listing) {
  for (const std::string& name : listing.strange) {
    return fault_of(name, "is neither a file nor a folder");
  }
  for (const std::string& name : listing.folders) {
    if (!folder_belongs(name)) return fault_of(name, "does not belong to an audit log");
  }
  for (const std::string& name : listing.files) {
    if (name == kCheckpointFile || name == kNextCheckpointFile || name == kPublicKeyFile) continue;
    if (!parse_tile_path(name)) return fault_of(name, "does not belong to an audit log");
  }
  return std::nullopt;
}

// Verifies one log and fills a report; each step returns the first fault it finds.
class LogVerification {
 public:
  LogVerification(const Snapshot& snapshot, const std::optional<JournalContent>& journal,
                  const VerifyOptions& options, const WitnessedLogs* known, WitnessedLogs* learned,
                  LogReport& report)
      : snapshot_(snapshot),
        journal_(journal),
        options_(options),
        known_(known),
        learned_(learned),
        report_(report) {}

  std::optional<Fault> run() {
    if (auto fault = find_strangers(snapshot_.listing())) return fault;
    if (auto fault = read_key()) return fault;
    if (auto fault = read_checkpoints()) return fault;
    return walk();
  }

 private:
  // A saved checkpoint of this log.
  struct Earlier {
    Checkpoint checkpoint;
    std::string from;
    std::string witnesses;  // ", co-signed by ..."
  };

  std::optional<Fault> read_key() {
    if (!snapshot_.has(kPublicKeyFile)) return fault_of(kPublicKeyFile, "is missing");
    const Result<Bytes> bytes = snapshot_.read(kPublicKeyFile);
    if (!bytes) return fault_of(kPublicKeyFile, bytes.error().sentence());
    const std::string_view text = as_text(*bytes);
    const Result<NoteKey> key = parse_note_key(text.substr(0, text.find('\n')));
    if (!key || key->text() + "\n" != text) {
      return fault_of(kPublicKeyFile, "is not one line with a verifier key");
    }
    key_ = *key;
    report_.origin = key_.name;
    report_.bytes += text.size();
    const auto trusted =
        std::find_if(options_.trusted_keys.begin(), options_.trusted_keys.end(),
                     [&](const NoteKey& candidate) { return candidate.name == key_.name; });
    if (trusted == options_.trusted_keys.end()) {
      report_.notes.emplace_back("the public key was taken from the log's own folder");
    } else if (*trusted != key_) {
      return fault_of(kPublicKeyFile, "is not the public key that was given");
    } else {
      report_.compared.emplace_back("its public key with the one that was given");
    }
    return read_witnessed();
  }

  // What the installation's log says about this one.
  std::optional<Fault> read_witnessed() {
    if (known_ == nullptr) return std::nullopt;
    const auto found = known_->find(key_.name);
    if (found == known_->end()) {
      report_.notes.emplace_back("the installation's log says nothing about this log");
      return std::nullopt;
    }
    witnessed_ = &found->second;
    if (witnessed_->key != key_) {
      return fault_of(kPublicKeyFile, "is not the public key that the installation's log records");
    }
    return std::nullopt;
  }

  Result<Checkpoint> read_checkpoint(const char* name) {
    const Result<Bytes> bytes = snapshot_.read(name);
    if (!bytes) return bytes.error();
    report_.bytes += bytes->size();
    return open_own_checkpoint(as_text(*bytes), key_);
  }

  std::optional<Fault> read_checkpoints() {
    if (!snapshot_.has(kCheckpointFile)) return fault_of(kCheckpointFile, "is missing");
    const Result<Checkpoint> checkpoint = read_checkpoint(kCheckpointFile);
    if (!checkpoint) return fault_of(kCheckpointFile, checkpoint.error().sentence());
    report_.size = checkpoint->size;
    report_.root = checkpoint->root;
    report_.checkpoint = report_.in_files = as_text(*snapshot_.read(kCheckpointFile));
    report_.compared.emplace_back("the checkpoint's signature");
    if (auto fault = read_journal_checkpoint()) return fault;
    if (!snapshot_.has(kNextCheckpointFile)) return std::nullopt;
    const Result<Checkpoint> next = read_checkpoint(kNextCheckpointFile);
    if (!next) return fault_of(kNextCheckpointFile, next.error().sentence());
    if (next->size == report_.size ||
        (next->size > report_.size && next->size - report_.size > kMaxCommitEntries)) {
      return fault_of(kNextCheckpointFile, "does not announce the next commit");
    }
    if (next->size > report_.size) {
      next_ = *next;
    } else {
      // The one before, which has just been replaced: the log must continue it.
      earlier_.push_back({*next, kNextCheckpointFile, {}});
    }
    report_.notes.emplace_back(
        "a commit was interrupted; what it left is removed when the log is opened");
    return std::nullopt;
  }

  // What was acknowledged and is not in the log's own files yet.
  std::optional<Fault> read_journal_checkpoint() {
    if (!journal_) return std::nullopt;
    const Result<Checkpoint> checkpoint = open_own_checkpoint(journal_->checkpoint, key_);
    if (!checkpoint || checkpoint->size != journal_->size) {
      return fault_of(kCheckpointFile, "the journal of this log is another log's");
    }
    if (checkpoint->size > report_.size) {
      ahead_ = *checkpoint;
    } else if (checkpoint->size > 0) {
      // The files went on without it, or they are another story.
      earlier_.push_back({*checkpoint, "the journal", {}});
    }
    return std::nullopt;
  }

  // The journal goes on where the files end, and its roots join theirs.
  std::optional<Fault> walk_on() {
    if (!ahead_) return std::nullopt;
    std::set<std::uint64_t> sizes{report_.size};
    for (const Earlier& earlier : earlier_) sizes.insert(earlier.checkpoint.size);
    if (witnessed_ != nullptr) {
      for (const WitnessedCheckpoint& one : witnessed_->checkpoints) {
        sizes.insert(one.checkpoint.size);
      }
    }
    const Result<JournalWalk> walk = walk_journal(report_.folder, *journal_, sizes);
    if (!walk) return fault_of(kCheckpointFile, "the journal: " + walk.error().sentence());
    const auto here = walk->roots.find(report_.size);
    if (here == walk->roots.end() || here->second != report_.root || walk->root != ahead_->root) {
      return fault_of(kCheckpointFile, "the journal does not continue the log");
    }
    roots_ahead_ = walk->roots;
    report_.notes.push_back("the last " + std::to_string(ahead_->size - report_.size) +
                            " entries are in the journal, and follow into the log's files when "
                            "the gateway goes on or is started");
    report_.size = ahead_->size;
    report_.root = ahead_->root;
    report_.checkpoint = journal_->checkpoint;
    return std::nullopt;
  }

  std::optional<Hash> root_at(const EntryWalk& walk, std::uint64_t size) const {
    const auto ahead = roots_ahead_.find(size);
    return ahead != roots_ahead_.end() ? std::optional(ahead->second) : walk.root_at(size);
  }

  std::optional<Fault> walk() {
    EntryWalk walk(snapshot_, report_.size, next_ ? next_->size : report_.size);
    if (auto fault = watch_earlier(walk)) return fault;
    if (options_.progress) {
      walk.tell(
          [this](std::uint64_t done) { options_.progress(report_.folder, done, report_.size); });
    }
    if (learned_ != nullptr) {
      walk.listen([this](const DecodedEntry& entry) {
        return take_witnessed(key_.name, entry, *learned_);
      });
    }
    if (auto fault = walk.run()) return fault;
    report_.bytes += walk.bytes();
    if (walk.root_at(report_.size) != report_.root) {
      return fault_of(kCheckpointFile, "the entries give another root");
    }
    report_.compared.emplace_back("the root with every entry and every tile");
    if (next_ && walk.walked() == next_->size && walk.root_at(next_->size) != next_->root) {
      return fault_of(kNextCheckpointFile, "the entries give another root");
    }
    if (walk.superseded() != 0) {
      report_.notes.emplace_back("partial files of an earlier size are still there");
    }
    if (auto fault = walk_on()) return fault;
    return compare_earlier(walk);
  }

  std::optional<Fault> compare_earlier(const EntryWalk& walk) {
    for (const Earlier& earlier : earlier_) {
      const std::string what = earlier.from + " of size " + std::to_string(earlier.checkpoint.size);
      if (root_at(walk, earlier.checkpoint.size) != earlier.checkpoint.root) {
        return fault_of(kCheckpointFile, "the log does not continue " + what);
      }
      report_.compared.push_back(what + earlier.witnesses);
    }
    if (witnessed_ == nullptr) return std::nullopt;
    for (const WitnessedCheckpoint& one : witnessed_->checkpoints) {
      if (root_at(walk, one.checkpoint.size) != one.checkpoint.root) {
        return fault_of(kCheckpointFile, "the log does not continue " + sentence_of(one));
      }
    }
    report_.compared.push_back(sentence_of(witnessed_->checkpoints.back()));
    return std::nullopt;
  }

  static std::string sentence_of(const WitnessedCheckpoint& one) {
    return "the checkpoint of size " + std::to_string(one.checkpoint.size) +
           " that the installation's log records in its entry " + std::to_string(one.entry);
  }

  // Everything that this log must continue, and its roots on the way.
  std::optional<Fault> watch_earlier(EntryWalk& walk) {
    for (const Earlier& replaced : earlier_) walk.watch(replaced.checkpoint.size);
    for (const SavedCheckpoint& saved : options_.checkpoints) {
      const Result<SignedNote> note = parse_signed_note(saved.bytes);
      if (!note || !note->text.starts_with(key_.name + "\n")) continue;
      const Result<Checkpoint> checkpoint = open_checkpoint(saved.bytes, key_);
      if (!checkpoint) return fault_of(saved.from, checkpoint.error().sentence());
      Earlier earlier{*checkpoint, saved.from, {}};
      if (auto fault = count_witnesses(*note, earlier)) return fault;
      if (auto fault = watch(walk, checkpoint->size, saved.from + " of size ")) return fault;
      earlier_.push_back(std::move(earlier));
    }
    if (options_.quorum != 0 && most_witnesses_ < options_.quorum) {
      return fault_of(kCheckpointFile, "no saved checkpoint of this log is co-signed by " +
                                           std::to_string(options_.quorum) + " of the witnesses");
    }
    if (witnessed_ == nullptr) return std::nullopt;
    for (const WitnessedCheckpoint& one : witnessed_->checkpoints) {
      if (auto fault = watch(walk, one.checkpoint.size, "what the installation's log records: ")) {
        return fault;
      }
    }
    return std::nullopt;
  }

  std::optional<Fault> watch(EntryWalk& walk, std::uint64_t size, const std::string& what) const {
    if (size > (ahead_ ? ahead_->size : report_.size)) {
      return fault_of(kCheckpointFile,
                      "is older than " + what + std::to_string(size) +
                          (journal_ ? ""
                                    : " (what a killed gateway had acknowledged may be in its "
                                      "journal, which does not lie beside this folder)"));
    }
    if (size <= report_.size) walk.watch(size);
    return std::nullopt;
  }

  // A wrong co-signature is a fault; a missing one only counts.
  std::optional<Fault> count_witnesses(const SignedNote& note, Earlier& earlier) {
    std::size_t count = 0;
    for (const WitnessKey& witness : options_.witnesses) {
      const NoteKeyId id = witness.id();
      const bool claimed = std::any_of(
          note.signatures.begin(), note.signatures.end(),
          [&](const NoteSignature& one) { return one.name == witness.name && one.key_id == id; });
      if (!claimed) continue;
      const Result<std::uint64_t> time = verify_cosignature(note, witness);
      if (!time) return fault_of(earlier.from, time.error().sentence());
      earlier.witnesses += ", co-signed by " + witness.name + " at " + std::to_string(*time);
      ++count;
    }
    most_witnesses_ = std::max(most_witnesses_, count);
    return std::nullopt;
  }

  const Snapshot& snapshot_;
  const std::optional<JournalContent>& journal_;
  const VerifyOptions& options_;
  const WitnessedLogs* known_;
  WitnessedLogs* learned_;
  LogReport& report_;
  NoteKey key_;
  std::optional<Checkpoint> next_;
  std::optional<Checkpoint> ahead_;  // of the journal
  std::map<std::uint64_t, Hash> roots_ahead_;
  std::vector<Earlier> earlier_;
  std::size_t most_witnesses_ = 0;
  const WitnessedLog* witnessed_ = nullptr;
};

}  // namespace

std::string Fault::sentence() const {
  std::string text = file;
  if (position) text.append(", byte ").append(std::to_string(*position));
  return text.append(": ").append(what);
}

bool AuditReport::verified() const noexcept {
  return !fault && std::none_of(logs.begin(), logs.end(),
                                [](const LogReport& log) { return log.fault.has_value(); });
}

const Fault& AuditReport::first_fault() const noexcept {
  for (const LogReport& log : logs) {
    if (log.fault) return *log.fault;
  }
  return *fault;
}

Result<std::vector<NoteKey>> parse_key_file(std::string_view text) {
  std::vector<NoteKey> keys;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const Result<NoteKey> key = parse_note_key(text.substr(0, end));
    if (!key) return key.error();
    keys.push_back(*key);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  if (keys.empty()) return Error(ErrorKind::malformed, "The public key file is empty.");
  return keys;
}

LogReport verify_log(const std::string& folder, const VerifyOptions& options) {
  return verify_log_among(folder, options, nullptr, nullptr);
}

LogReport verify_log_among(const std::string& folder, const VerifyOptions& options,
                           const WitnessedLogs* known, WitnessedLogs* learned) {
  LogReport report;
  report.folder = folder;
  // Before the files, which only ever grow towards it.
  const Result<std::optional<JournalContent>> journal = read_journal(journal_beside(folder));
  if (!journal) {
    report.fault = fault_of(folder, journal.error().sentence());
    return report;
  }
  const Result<Snapshot> snapshot = Snapshot::take(folder);
  if (!snapshot) {
    report.fault = fault_of(folder, snapshot.error().sentence());
    return report;
  }
  report.fault = LogVerification(*snapshot, *journal, options, known, learned, report).run();
  if (report.fault) report.fault->file.insert(0, folder + "/");
  if (report.fault && *journal) {
    report.fault->what +=
        " (there is a journal: what a power failure tore, the gateway mends when it is started; "
        "start it and verify again before anything is restored from a backup)";
  }
  return report;
}

}  // namespace paravent::crypto::audit
