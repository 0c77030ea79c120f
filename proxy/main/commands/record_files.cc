#include "proxy/main/commands/record_files.h"

#include <filesystem>

#include "crypto/audit/log_folder.h"
#include "crypto/audit/log_proof.h"
#include "proxy/main/io/text_file.h"

namespace paravent::proxy::main {

namespace audit = crypto::audit;
namespace fs = std::filesystem;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

namespace {

constexpr std::size_t kMaxSmallFile = 64 * 1024;

bool is_log(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / audit::kCheckpointFile, ignored);
}

}  // namespace

Result<std::vector<audit::NoteKey>> read_public_keys(const std::string& file) {
  const auto text = read_text_file(file, kMaxSmallFile);
  if (!text) return text.error();
  auto keys = audit::parse_key_file(*text);
  if (!keys) return Error(ErrorKind::usage, "The file " + file + " holds no public key.");
  return keys;
}

Result<std::vector<audit::SavedCheckpoint>> read_checkpoints(const std::string& file,
                                                             const std::string& from) {
  const auto text = read_text_file(file, audit::kMaxCheckpointList);
  if (!text) return text.error();
  const auto notes = audit::split_checkpoints(*text);
  if (!notes) {
    return Error(ErrorKind::verification,
                 "The file " + file + " holds no checkpoint, or an altered one.");
  }
  std::vector<audit::SavedCheckpoint> saved;
  for (const std::string& note : *notes) saved.emplace_back(note, from);
  return saved;
}

Result<audit::WitnessKey> read_witness_key(const std::string& text) {
  auto key = audit::parse_witness_key(text);
  if (key) return key;
  auto file = read_text_file(text, kMaxSmallFile);
  if (file) {
    while (file->ends_with('\n')) file->pop_back();
    key = audit::parse_witness_key(*file);
    if (key) return key;
  }
  return Error(ErrorKind::usage,
               "A witness's key is NAME+ID+KEY (Ed25519 co-signatures), or a file with one.");
}

Result<std::string> find_log(const std::string& folder, const std::string& log) {
  fs::path path = fs::path(folder).lexically_normal();
  if (path.filename().empty() && path.has_parent_path()) path = path.parent_path();
  std::error_code ignored;
  if (fs::is_directory(path / "audit", ignored)) path /= "audit";
  if (is_log(path)) {
    if (log.empty() || path.filename() == log) return path.string();
    return Error(ErrorKind::data, folder + " is the log of somebody else than " + log + ".");
  }
  if (!log.empty()) {
    if (log.find('/') == std::string::npos && is_log(path / log)) return (path / log).string();
    return Error(ErrorKind::data, "There is no log " + log + " in " + folder + ".");
  }
  std::vector<std::string> found;
  for (fs::directory_iterator at(path, ignored), end; at != end; at.increment(ignored)) {
    if (is_log(at->path()) && at->path().filename() != audit::kInstallationLog) {
      found.push_back(at->path().string());
    }
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return Error(ErrorKind::data,
                 folder + " is neither a data directory nor an audit folder with a tenant's log.");
  }
  return Error(ErrorKind::usage, "There are several logs in " + folder + "; choose with --log.");
}

}  // namespace paravent::proxy::main
