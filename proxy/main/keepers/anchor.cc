#include "proxy/main/keepers/anchor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "crypto/audit/log_proof.h"
#include "proxy/main/io/http_client.h"

namespace paravent::proxy::main {
namespace {

namespace audit = crypto::audit;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::Status;

constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::seconds kLastPatience{5};  // of the last turn
constexpr std::size_t kMostAnswer = 64 * 1024;

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return path.ends_with('/') || std::filesystem::is_directory(path, ignored);
}

}  // namespace

Status write_elsewhere(const std::string& path, std::string_view text) {
  const Error failed(ErrorKind::data, "The anchor " + path + " cannot be written.");
  const std::string next = path + ".new";
  const int file = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return failed;
  bool good = true;
  for (std::string_view rest = text; good && !rest.empty();) {
    const ssize_t written = ::write(file, rest.data(), rest.size());
    good = written > 0;
    if (good) rest.remove_prefix(static_cast<std::size_t>(written));
  }
  good = ::fsync(file) == 0 && good;
  good = ::close(file) == 0 && good;
  if (!good || std::rename(next.c_str(), path.c_str()) != 0) {
    ::unlink(next.c_str());
    return failed;
  }
  return {};
}

Anchor::Anchor(const config::AnchorConfig& config, admin::AuditLogs& logs)
    : config_(config), logs_(logs) {
  for (const config::WitnessConfig& witness : config.witnesses) {
    auto key = audit::parse_witness_key(witness.key);
    if (key) witnesses_.push_back({witness.url, std::move(*key), {}});
  }
}

Result<HttpAnswer> Anchor::send(const std::string& url, const std::string& below,
                                std::string_view text) const {
  auto [base, path] = split_url(url);
  if (!below.empty()) {
    while (path.ends_with('/')) path.pop_back();
    path += below;
  }
  HttpQuestion question;
  question.url = std::move(base);
  question.path = std::move(path);
  question.ca = config_.ca;
  question.post = true;
  question.content_type = "text/plain; charset=utf-8";
  question.body = text;
  question.patience = hurried_ ? kLastPatience : kPatience;
  question.most = kMostAnswer;
  return http_exchange(question);
}

std::string Anchor::ask(Witness& witness, const audit::AuditLog& log, const std::string& checkpoint,
                        Status& status) const {
  const auto parsed = audit::open_checkpoint(checkpoint, log.key());
  if (!parsed) return {};
  std::uint64_t& known = witness.sizes[parsed->origin];
  // Twice at most: its answer 409 says what it knows.
  for (int turn = 0; turn < 2; ++turn) {
    if (known > parsed->size) {
      status = Error(ErrorKind::verification, "The witness " + witness.key.name +
                                                  " has co-signed a longer log than there is: it "
                                                  "was rolled back.");
      return {};
    }
    auto hashes = log.prove_consistency(known, parsed->size);
    if (!hashes) return {};
    const auto answer =
        send(witness.url, "/add-checkpoint",
             audit::consistency_proof_text({known, std::move(*hashes), checkpoint}));
    if (answer && answer->status == 200) {
      const std::string lines = audit::take_cosignatures(checkpoint, answer->body, {witness.key});
      if (!lines.empty()) {
        known = parsed->size;
        return lines;
      }
    }
    std::uint64_t size = 0;
    if (answer && answer->status == 409) {
      const char* const end = answer->body.data() + answer->body.size();
      const auto read = std::from_chars(answer->body.data(), end, size);
      if (read.ec == std::errc() && size != known) {
        known = size;
        continue;
      }
    }
    break;
  }
  status =
      Error(ErrorKind::unreachable, "The witness " + witness.key.name + " gives no co-signature.");
  return {};
}

Status Anchor::write_file(const std::map<std::string, std::string>& by_log) const {
  if (!is_folder(config_.file)) {
    std::string list;
    for (const auto& [log, note] : by_log) list += note;
    return write_elsewhere(config_.file, list);
  }
  std::error_code ignored;
  std::filesystem::create_directories(config_.file, ignored);
  for (const auto& [log, note] : by_log) {
    const std::string path = (std::filesystem::path(config_.file) / log).string();
    if (auto s = write_elsewhere(path, note); !s) return s;
  }
  return {};
}

Status Anchor::post(const std::string& list) const {
  const auto answer = send(config_.url, {}, list);
  if (answer && answer->status >= 200 && answer->status < 300) return {};
  return Error(ErrorKind::unreachable, "The anchor " + config_.url + " takes no checkpoints.");
}

Status Anchor::turn(bool ask_witnesses) {
  Status first;
  std::vector<bool> away(witnesses_.size(), !ask_witnesses);
  const auto note = [&first](Status status) {
    if (first && !status) first = std::move(status);
  };
  std::map<std::string, std::string> by_log;
  for (audit::AuditLog* log : logs_.all()) {
    const auto in_files = log->checkpoint_in_files();
    if (!in_files) {
      note(in_files.error());
      const auto before = written_.find(log->log_id());
      if (before != written_.end()) by_log.insert(*before);
      continue;
    }
    const std::string& checkpoint = *in_files;
    std::string& cosigned = cosigned_[log->log_id()];
    // What is co-signed already is not asked again.
    if (!witnesses_.empty() && !cosigned.starts_with(checkpoint)) {
      std::string lines;
      for (std::size_t i = 0; i < witnesses_.size(); ++i) {
        if (away[i] || (ask_witnesses && hurried_)) continue;
        Status status;
        lines += ask(witnesses_[i], *log, checkpoint, status);
        away[i] = !status;
        note(std::move(status));
      }
      if (!lines.empty()) cosigned = checkpoint + lines;
    }
    // The latest, and the latest that a witness has seen, where that is another one.
    by_log.emplace(log->log_id(),
                   cosigned.starts_with(checkpoint) ? cosigned : cosigned + checkpoint);
  }
  // The last turn comes at once.
  if (ask_witnesses && hurried_) return first;
  if (by_log != written_) {
    std::string list;
    for (const auto& [log, text] : by_log) list += text;
    Status written;
    if (!config_.file.empty()) written = write_file(by_log);
    if (written && !config_.url.empty()) written = post(list);
    if (written) written_ = std::move(by_log);
    note(std::move(written));
  }
  if (!first) ++failures_;
  return first;
}

}  // namespace paravent::proxy::main
