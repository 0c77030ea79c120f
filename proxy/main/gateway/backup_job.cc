#include "proxy/main/gateway/backup_job.h"

#include <sys/stat.h>

#include <boost/json.hpp>
#include <cerrno>

#include "crypto/vault/engine/base/durable_file.h"

namespace paravent::proxy::main {
namespace {

namespace json = boost::json;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Status;
using crypto::vault::BackupInfo;
using crypto::vault::BackupKind;

constexpr const char* kFolder = "backups";

Status make_folder(const std::filesystem::path& folder) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error(errno == ENOSPC ? ErrorKind::disk_full : ErrorKind::data,
                 "The folder " + folder.string() + " cannot be made.");
  }
  return crypto::vault::sync_folder(folder.parent_path());
}

json::object described(const BackupInfo& info) {
  json::object out;
  out["kind"] = info.kind == BackupKind::keys ? "keys" : "data";
  out["id"] = crypto::vault::id_hex(info.id);
  out["made"] = info.made.time_since_epoch().count();
  if (info.can_expire()) out["expires"] = info.expires.time_since_epoch().count();
  return out;
}

}  // namespace

BackupJob::~BackupJob() {
  if (thread_.joinable()) thread_.join();
}

std::string BackupJob::statistics() const {
  const auto counters = installation_.vault().counters();
  const auto store = installation_.vault().store_statistics();
  return json::serialize(json::object{{"rows", store.rows},
                                      {"bytes", store.bytes},
                                      {"fsyncs", store.fsyncs},
                                      {"known_hits", counters.known_hits},
                                      {"known_misses", counters.known_misses},
                                      {"pending_batches", counters.pending},
                                      {"minted", counters.minted},
                                      {"found", counters.found},
                                      {"commits", counters.commits},
                                      {"degraded", counters.degraded}});
}

Status BackupJob::begin_backup(BackupKind kind, std::uint32_t days, const admin::Operator& who) {
  const std::scoped_lock lock(mutex_);
  if (running_) return Error(ErrorKind::busy);
  if (thread_.joinable()) thread_.join();
  const BackupWish wish{kind, days == 0 ? kKeyBackupDays : days, who.name, who.role,
                        who.credential};
  const auto info = record_backup(installation_, wish, clock_);
  if (!info) return info.error();
  const std::string file = crypto::vault::id_hex(info->id) + ".pvbackup";
  json::object state = described(*info);
  state["state"] = "running";
  state_ = json::serialize(state);
  running_ = true;
  thread_ = std::thread([this, info = *info, file] { run(info, file); });
  return {};
}

void BackupJob::run(const BackupInfo& info, const std::string& file) {
  const std::filesystem::path folder = installation_.directory().path() / kFolder;
  json::object state = described(info);
  auto status = make_folder(folder);
  if (status) {
    const auto made = make_backup(installation_, info, folder / file);
    if (made) {
      state["records"] = made->records;
    } else {
      status = made.error();
    }
  }
  state["state"] = status ? "done" : "failed";
  if (status) {
    state["file"] = std::string(kFolder) + "/" + file;
  } else {
    state["error"] = status.error().sentence();
  }
  const std::scoped_lock lock(mutex_);
  state_ = json::serialize(state);
  running_ = false;
}

std::string BackupJob::backup_state() const {
  const std::scoped_lock lock(mutex_);
  return state_;
}

}  // namespace paravent::proxy::main
