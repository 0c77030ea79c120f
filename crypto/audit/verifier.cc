#include "crypto/audit/verifier.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "crypto/audit/audit_log.h"
#include "crypto/audit/entry_walk.h"
#include "crypto/audit/log_folder.h"
#include "crypto/base/encoding.h"

namespace paravent::crypto::audit {
namespace {

namespace fs = std::filesystem;

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
  LogVerification(const Snapshot& snapshot, const VerifyOptions& options, LogReport& report)
      : snapshot_(snapshot), options_(options), report_(report) {}

  std::optional<Fault> run() {
    if (auto fault = find_strangers(snapshot_.listing())) return fault;
    if (auto fault = read_key()) return fault;
    if (auto fault = read_checkpoints()) return fault;
    return walk();
  }

 private:
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
    report_.compared.emplace_back("the checkpoint's signature");
    if (!snapshot_.has(kNextCheckpointFile)) return std::nullopt;
    const Result<Checkpoint> next = read_checkpoint(kNextCheckpointFile);
    if (!next) return fault_of(kNextCheckpointFile, next.error().sentence());
    if (next->size <= report_.size || next->size - report_.size > kMaxCommitEntries) {
      return fault_of(kNextCheckpointFile, "does not announce the next commit");
    }
    next_ = *next;
    report_.notes.emplace_back(
        "a commit was interrupted; what it left is removed when the log is opened");
    return std::nullopt;
  }

  std::optional<Fault> walk() {
    EntryWalk walk(snapshot_, report_.size, next_ ? next_->size : report_.size);
    if (auto fault = watch_earlier(walk)) return fault;
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
    for (const Checkpoint& earlier : earlier_) {
      if (walk.root_at(earlier.size) != earlier.root) {
        return fault_of(kCheckpointFile,
                        "the log does not continue the earlier checkpoint of size " +
                            std::to_string(earlier.size));
      }
      report_.compared.push_back("the earlier checkpoint of size " + std::to_string(earlier.size));
    }
    return std::nullopt;
  }

  std::optional<Fault> watch_earlier(EntryWalk& walk) {
    for (const std::string& bytes : options_.checkpoints) {
      const Result<SignedNote> note = parse_signed_note(bytes);
      if (!note || !note->text.starts_with(key_.name + "\n")) continue;
      const Result<Checkpoint> checkpoint = open_checkpoint(bytes, key_);
      if (!checkpoint) return fault_of("the earlier checkpoint", checkpoint.error().sentence());
      if (checkpoint->size > report_.size) {
        return fault_of(kCheckpointFile, "is older than the earlier checkpoint of size " +
                                             std::to_string(checkpoint->size));
      }
      walk.watch(checkpoint->size);
      earlier_.push_back(*checkpoint);
    }
    return std::nullopt;
  }

  const Snapshot& snapshot_;
  const VerifyOptions& options_;
  LogReport& report_;
  NoteKey key_;
  std::optional<Checkpoint> next_;
  std::vector<Checkpoint> earlier_;
};

bool is_log_id(const std::string& name) {
  if (name == kInstallationLog) return true;
  return name.size() == 32 && from_hex(name).has_value();
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// Every log stands in the folder of its own name, and all belong to one installation.
std::optional<Fault> check_origins(const std::vector<LogReport>& logs) {
  std::string installation;
  for (const LogReport& log : logs) {
    if (log.fault) continue;  // has its own fault, and perhaps no origin
    const std::string name = fs::path(log.folder).filename().string();
    if (!log.origin.ends_with("/" + name)) {
      return fault_of(log.folder, "holds the log of another tenant (" + log.origin + ")");
    }
    const std::string stem = log.origin.substr(0, log.origin.size() - name.size());
    if (installation.empty()) installation = stem;
    if (stem != installation) return fault_of(log.folder, "is the log of another installation");
  }
  return std::nullopt;
}

std::optional<Fault> check_used(const std::vector<LogReport>& logs, const VerifyOptions& options) {
  const auto known = [&](std::string_view origin) {
    return std::any_of(logs.begin(), logs.end(),
                       [&](const LogReport& log) { return log.origin == origin; });
  };
  for (const NoteKey& key : options.trusted_keys) {
    if (!known(key.name)) return fault_of("the public key given", "is of no log here");
  }
  for (const std::string& bytes : options.checkpoints) {
    const Result<SignedNote> note = parse_signed_note(bytes);
    if (!note) return fault_of("the earlier checkpoint", note.error().sentence());
    if (!known(std::string_view(note->text).substr(0, note->text.find('\n')))) {
      return fault_of("the earlier checkpoint", "is of no log here");
    }
  }
  return std::nullopt;
}

Result<std::vector<std::string>> log_folders(const std::string& path, std::optional<Fault>& fault) {
  std::vector<std::string> folders;
  std::error_code error;
  for (fs::directory_iterator at(path, error); !error && at != fs::directory_iterator();
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (is_log_id(name) && at->symlink_status(error).type() == fs::file_type::directory) {
      folders.push_back(at->path().string());
    } else if (!fault) {
      fault = fault_of(at->path().string(), "does not belong to an audit folder");
    }
  }
  if (error) return Error(ErrorKind::data, "Cannot list " + path + ": " + error.message() + ".");
  // "installation" stands behind all hexadecimal names in this order, and is read first.
  std::sort(folders.rbegin(), folders.rend());
  return folders;
}

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
  LogReport report;
  report.folder = folder;
  const Result<Snapshot> snapshot = Snapshot::take(folder);
  if (!snapshot) {
    report.fault = fault_of(folder, snapshot.error().sentence());
    return report;
  }
  report.fault = LogVerification(*snapshot, options, report).run();
  if (report.fault) report.fault->file.insert(0, folder + "/");
  return report;
}

Result<AuditReport> verify_audit(const std::string& path, const VerifyOptions& options) {
  fs::path folder = fs::path(path).lexically_normal();
  if (folder.filename().empty() && folder.has_parent_path()) folder = folder.parent_path();
  if (is_folder(folder / "audit")) folder /= "audit";
  AuditReport report;
  std::vector<std::string> folders;
  std::error_code ignored;
  if (is_folder(folder / kInstallationLog)) {
    Result<std::vector<std::string>> found = log_folders(folder.string(), report.fault);
    if (!found) return found.error();
    folders = std::move(*found);
  } else if (is_folder(folder / "tile") || fs::exists(folder / kCheckpointFile, ignored)) {
    folders.push_back(folder.string());
  } else {
    return Error(ErrorKind::data, path + " is neither a data directory nor an audit folder.");
  }
  for (const std::string& log : folders) report.logs.push_back(verify_log(log, options));
  if (!report.fault && folders.size() > 1) report.fault = check_origins(report.logs);
  if (!report.fault) report.fault = check_used(report.logs, options);
  return report;
}

}  // namespace paravent::crypto::audit
