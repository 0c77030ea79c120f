#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "crypto/audit/verifier.h"
#include "crypto/base/encoding.h"
#include "crypto/vault/engine/base/durable_file.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/commands/progress_line.h"
#include "proxy/main/commands/record_commands.h"
#include "proxy/main/commands/record_files.h"

namespace paravent::proxy::main {
namespace {

namespace audit = crypto::audit;

constexpr const char* kNothingSaved =
    "compared with nothing that was kept elsewhere: if the whole folder was put back to an older "
    "state, or continued from one, this cannot show; give --remember FILE each time, or "
    "--checkpoint";

boost::json::object to_json(const audit::LogReport& log) {
  boost::json::object out = {
      {"folder", log.folder},
      {"origin", log.origin},
      {"size", log.size},
      {"root", crypto::to_base64(log.root)},
      {"verified", !log.fault},
      {"compared", boost::json::array(log.compared.begin(), log.compared.end())},
      {"notes", boost::json::array(log.notes.begin(), log.notes.end())}};
  if (log.fault) out["fault"] = log.fault->sentence();
  return out;
}

void print(const audit::LogReport& log) {
  std::printf("%s: %s\n", log.folder.c_str(), log.fault ? "FAULT" : "verified");
  std::printf("  origin  %s\n", log.origin.c_str());
  std::printf("  size    %llu entries, root %s\n", static_cast<unsigned long long>(log.size),
              crypto::to_base64(log.root).c_str());
  for (const std::string& line : log.compared) std::printf("  %s\n", line.c_str());
  for (const std::string& line : log.notes) std::printf("  note: %s\n", line.c_str());
}

crypto::Result<audit::VerifyOptions> read_options(const AuditVerifyOptions& options) {
  audit::VerifyOptions verify;
  if (!options.public_key.empty()) {
    auto keys = read_public_keys(options.public_key);
    if (!keys) return keys.error();
    verify.trusted_keys = std::move(*keys);
  }
  const auto add = [&verify](const std::string& file, const std::string& from) -> crypto::Status {
    auto saved = read_checkpoints(file, from);
    if (!saved) return saved.error();
    for (auto& one : *saved) verify.checkpoints.push_back(std::move(one));
    return {};
  };
  for (const std::string& file : options.checkpoints) {
    if (auto s = add(file, "the checkpoint in " + file); !s) return s.error();
  }
  std::error_code ignored;
  if (!options.remember.empty() && std::filesystem::exists(options.remember, ignored)) {
    const std::string from = "the checkpoint remembered in " + options.remember;
    if (auto s = add(options.remember, from); !s) return s.error();
  }
  for (const std::string& text : options.witnesses) {
    auto key = read_witness_key(text);
    if (!key) return key.error();
    verify.witnesses.push_back(std::move(*key));
  }
  verify.quorum = options.quorum != 0 ? options.quorum : verify.witnesses.size();
  return verify;
}

// What was verified now is what the next run must find again.
crypto::Status remember(const std::string& file, const audit::AuditReport& report) {
  std::string list;
  for (const auto& log : report.logs) list += log.in_files;
  return crypto::vault::write_file_durably(file, crypto::as_bytes(list));
}

}  // namespace

int run_audit_verify(const AuditVerifyOptions& options) {
  auto verify = read_options(options);
  if (!verify) return fail(verify.error());
  auto line = std::make_unique<ProgressLine>();
  verify->progress = [&line](const std::string& folder, std::uint64_t done, std::uint64_t all) {
    line->say(folder + ": " + std::to_string(done) + " of " + std::to_string(all) + " entries");
  };
  auto report = audit::verify_audit(options.folder, *verify);
  line.reset();
  if (!report) return fail(report.error());
  if (verify->checkpoints.empty()) {
    for (auto& log : report->logs) log.notes.emplace_back(kNothingSaved);
  }
  const bool verified = report->verified();
  if (options.json) {
    boost::json::array logs;
    for (const auto& log : report->logs) logs.push_back(to_json(log));
    boost::json::object out = {{"verified", verified}, {"logs", logs}};
    if (!verified) out["fault"] = report->first_fault().sentence();
    std::printf("%s\n", boost::json::serialize(out).c_str());
  } else {
    for (const auto& log : report->logs) print(log);
  }
  if (!verified) {
    return fail(ExitCode::verification,
                "The audit log does not verify: " + report->first_fault().sentence());
  }
  if (!options.remember.empty()) {
    if (auto s = remember(options.remember, *report); !s) return fail(s.error());
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
