#include "proxy/main/keepers/row_job.h"

#include <boost/json.hpp>
#include <chrono>
#include <string>
#include <tuple>

namespace paravent::proxy::main {
namespace {

using crypto::vault::RowKeeper;
using crypto::vault::RowReport;
using crypto::vault::RowWork;

constexpr std::chrono::hours kLook{1};

std::string names_of(const RowWork& work) {
  std::string out;
  const auto add = [&](bool there, const char* name) {
    if (there) out += (out.empty() ? "" : ", ") + std::string(name);
  };
  add(work.purge, "purge");
  add(work.reseal, "re-seal");
  add(work.reindex, "re-index");
  return out;
}

std::string text_of(const RowReport& report) {
  return std::to_string(report.rows) + " rows seen, " + std::to_string(report.removed) +
         " removed, " + std::to_string(report.resealed) + " re-sealed, " +
         std::to_string(report.moved) + " re-indexed, " + std::to_string(report.waiting) +
         " waiting";
}

}  // namespace

RowJob::RowJob(crypto::vault::Vault& vault, admin::AuditLogs& logs)
    : vault_(vault), logs_(logs), thread_([this] { loop(); }) {}

RowJob::~RowJob() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wakes_.notify_one();
  thread_.join();
}

void RowJob::wake() {
  {
    const std::scoped_lock lock(mutex_);
    woken_ = true;
  }
  wakes_.notify_one();
}

bool RowJob::stopping() const {
  const std::scoped_lock lock(mutex_);
  return stopping_;
}

crypto::Status RowJob::record(const std::string& remark) {
  crypto::audit::AuditEntry entry;
  entry.event = crypto::audit::EventKind::key_operation;
  entry.detail.operator_name = "row keeper";
  entry.detail.object = "token rows";
  entry.detail.remark = remark;
  auto receipt = logs_.installation().append(entry);
  if (!receipt) return receipt.error();
  return {};
}

bool RowJob::run(const RowWork& work) {
  if (!record("begins: " + names_of(work))) return false;
  // On record before it counts as done, so that a kill in between leaves no walk without its end.
  const auto done = RowKeeper(vault_).run(
      [this] { return stopping(); },
      [&](const RowReport& report) { return record(names_of(work) + ": " + text_of(report)); });
  if (!done) {
    std::ignore = record("failed and will be tried again: " + names_of(work));
    return false;
  }
  // Stopped: the next start goes on with it.
  if (!*done) return true;
  const std::scoped_lock lock(mutex_);
  last_ = **done;
  return true;
}

void RowJob::loop() {
  for (;;) {
    const RowWork work = RowKeeper::wanted(vault_);
    if (work.any()) {
      {
        const std::scoped_lock lock(mutex_);
        running_ = true;
      }
      const bool good = run(work);
      const std::scoped_lock lock(mutex_);
      running_ = false;
      failed_ = !good;
    }
    std::unique_lock lock(mutex_);
    wakes_.wait_for(lock, kLook, [this] { return stopping_ || woken_; });
    if (stopping_) return;
    woken_ = false;
  }
}

std::string RowJob::state() const {
  namespace json = boost::json;
  const RowWork work = RowKeeper::wanted(vault_);
  json::array wanted;
  if (work.purge) wanted.emplace_back("purge");
  if (work.reseal) wanted.emplace_back("reseal");
  if (work.reindex) wanted.emplace_back("reindex");
  const std::scoped_lock lock(mutex_);
  json::object out{{"state", running_ ? "running" : (failed_ ? "failed" : "idle")},
                   {"wanted", std::move(wanted)}};
  if (last_) {
    out["last"] = json::object{{"rows", last_->rows},
                               {"removed", last_->removed},
                               {"resealed", last_->resealed},
                               {"reindexed", last_->moved},
                               {"waiting", last_->waiting}};
  }
  return json::serialize(out);
}

}  // namespace paravent::proxy::main
