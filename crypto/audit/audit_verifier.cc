// The verifier's view of a whole audit folder: that its logs belong together, and none is missing.

#include <algorithm>
#include <filesystem>

#include "crypto/audit/log_folder.h"
#include "crypto/audit/verifier.h"
#include "crypto/base/encoding.h"

namespace paravent::crypto::audit {
namespace {

namespace fs = std::filesystem;

Fault fault_of(std::string file, std::string what) {
  return {std::move(file), std::nullopt, std::move(what)};
}

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

// No log that the installation's log knows is gone.
std::optional<Fault> check_complete(const fs::path& folder, const std::vector<LogReport>& logs,
                                    const WitnessedLogs& witnessed) {
  for (const auto& [origin, log] : witnessed) {
    const std::string name = origin.substr(origin.rfind('/') + 1);
    const bool there = std::any_of(logs.begin(), logs.end(), [&name](const LogReport& one) {
      return fs::path(one.folder).filename() == name;
    });
    if (there) continue;
    const WitnessedCheckpoint& last = log.checkpoints.back();
    return fault_of((folder / name).string(),
                    "is missing: the installation's log records it in its entry " +
                        std::to_string(last.entry) + ", with " +
                        std::to_string(last.checkpoint.size) + " entries");
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
  for (const SavedCheckpoint& saved : options.checkpoints) {
    const Result<SignedNote> note = parse_signed_note(saved.bytes);
    if (!note) return fault_of(saved.from, note.error().sentence());
    if (!known(std::string_view(note->text).substr(0, note->text.find('\n')))) {
      return fault_of(saved.from, "is of no log here");
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
  // The installation's log comes first, and says what the others must be.
  const bool whole = is_folder(folder / kInstallationLog);
  WitnessedLogs witnessed;
  for (const std::string& log : folders) {
    const bool first = fs::path(log).filename() == kInstallationLog;
    report.logs.push_back(verify_log_among(log, options, whole && !first ? &witnessed : nullptr,
                                           whole && first ? &witnessed : nullptr));
  }
  if (!report.fault && whole) report.fault = check_complete(folder, report.logs, witnessed);
  if (!report.fault && folders.size() > 1) report.fault = check_origins(report.logs);
  if (!report.fault) report.fault = check_used(report.logs, options);
  return report;
}

}  // namespace paravent::crypto::audit
