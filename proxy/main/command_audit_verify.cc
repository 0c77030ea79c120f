#include <boost/json.hpp>
#include <cstdio>

#include "crypto/audit/verifier.h"
#include "crypto/base/encoding.h"
#include "proxy/main/commands.h"
#include "proxy/main/exit_code.h"
#include "proxy/main/text_file.h"

namespace paravent::proxy::main {
namespace {

namespace audit = crypto::audit;

constexpr std::size_t kMaxSmallFile = 64 * 1024;

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

}  // namespace

int run_audit_verify(const AuditVerifyOptions& options) {
  audit::VerifyOptions verify;
  if (!options.public_key.empty()) {
    const auto text = read_text_file(options.public_key, kMaxSmallFile);
    if (!text) return fail(text.error());
    auto keys = audit::parse_key_file(*text);
    if (!keys) {
      return fail(ExitCode::usage, "The file " + options.public_key + " holds no public key.");
    }
    verify.trusted_keys = std::move(*keys);
  }
  if (!options.checkpoint.empty()) {
    auto text = read_text_file(options.checkpoint, kMaxSmallFile);
    if (!text) return fail(text.error());
    verify.checkpoints.push_back(std::move(*text));
  }
  const auto report = audit::verify_audit(options.folder, verify);
  if (!report) return fail(report.error());
  if (options.json) {
    boost::json::array logs;
    for (const auto& log : report->logs) logs.push_back(to_json(log));
    boost::json::object out = {{"verified", report->verified()}, {"logs", logs}};
    if (!report->verified()) out["fault"] = report->first_fault().sentence();
    std::printf("%s\n", boost::json::serialize(out).c_str());
  } else {
    for (const auto& log : report->logs) print(log);
  }
  if (report->verified()) return static_cast<int>(ExitCode::done);
  return fail(ExitCode::verification,
              "The audit log does not verify: " + report->first_fault().sentence());
}

}  // namespace paravent::proxy::main
