#include <boost/json.hpp>
#include <cstdio>

#include "policies/model/load_policy.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/trial/policy_test.h"

namespace paravent::proxy::main {
namespace {

struct Tally {
  std::size_t passed = 0;
  std::size_t failed = 0;
  bool unreadable = false;
  boost::json::array cases;
};

void print_diagnostics(const policies::Diagnostics& diagnostics) {
  for (const auto& one : diagnostics.items()) {
    if (one.severity != policies::Severity::error) continue;
    std::fprintf(stderr, "%s\n", policies::diagnostic_text(one).c_str());
  }
}

void run_file(const std::string& path, bool json, Tally& tally) {
  const PolicyTestFile file = load_policy_test(path);
  print_diagnostics(file.diagnostics);
  tally.unreadable = tally.unreadable || file.diagnostics.has_errors();
  if (file.diagnostics.has_errors()) return;
  const policies::LoadedPolicy loaded = policies::load_policy_file(file.policy);
  print_diagnostics(loaded.diagnostics);
  const auto explainer = loaded.ok() ? Explainer::create(loaded.policy)
                                     : crypto::Result<std::unique_ptr<Explainer>>(
                                           crypto::Error(crypto::ErrorKind::configuration));
  if (!explainer) {
    tally.unreadable = true;
    return;
  }
  for (const PolicyTestCase& test : file.cases) {
    const auto failures = failures_of(test, (*explainer)->explain(test.request));
    (failures.empty() ? tally.passed : tally.failed) += 1;
    const std::string name = test.name.empty() ? "line " + std::to_string(test.at.line) : test.name;
    if (json) {
      tally.cases.push_back(
          boost::json::object{{"file", path},
                              {"name", name},
                              {"passed", failures.empty()},
                              {"failures", boost::json::array(failures.begin(), failures.end())}});
      continue;
    }
    std::printf("%s  %s: %s\n", failures.empty() ? "ok  " : "FAIL", path.c_str(), name.c_str());
    for (const std::string& failure : failures) std::printf("        %s\n", failure.c_str());
  }
}

}  // namespace

int run_test(const TestOptions& options) {
  Tally tally;
  for (const std::string& path : options.files) run_file(path, options.json, tally);
  if (options.json) {
    std::printf("%s\n", boost::json::serialize(boost::json::object{{"passed", tally.passed},
                                                                   {"failed", tally.failed},
                                                                   {"cases", tally.cases}})
                            .c_str());
  } else {
    std::printf("%zu passed, %zu failed\n", tally.passed, tally.failed);
  }
  if (tally.unreadable) {
    return fail(ExitCode::configuration, "Some files have errors; their cases were not run.");
  }
  return static_cast<int>(tally.failed == 0 ? ExitCode::done : ExitCode::verification);
}

}  // namespace paravent::proxy::main
