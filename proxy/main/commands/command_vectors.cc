#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <map>
#include <vector>

#include "crypto/vectors/run_vectors.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"

namespace paravent::proxy::main {
namespace {

using crypto::VectorNote;
using crypto::VectorReport;

// Hundreds of cases share a reason; one line each would hide the rest.
std::map<std::string, std::vector<std::string>> by_reason(const std::vector<VectorNote>& notes) {
  std::map<std::string, std::vector<std::string>> grouped;
  for (const VectorNote& note : notes) grouped[note.text].push_back(note.id);
  return grouped;
}

void print_grouped(const char* title, const std::vector<VectorNote>& notes) {
  for (const auto& [reason, ids] : by_reason(notes)) {
    std::printf("  %s (%zu): %s", title, ids.size(), reason.c_str());
    std::printf(" [%s%s]\n", ids.front().c_str(), ids.size() > 1 ? ", ..." : "");
  }
}

boost::json::array to_json(const std::vector<VectorNote>& notes) {
  boost::json::array out;
  for (const VectorNote& note : notes) {
    out.push_back(boost::json::object{{"id", note.id}, {"reason", note.text}});
  }
  return out;
}

}  // namespace

int run_vectors(const VectorsOptions& options) {
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;
  bool unreadable = false;
  boost::json::array files;
  const std::vector<std::filesystem::path> given(options.files.begin(), options.files.end());
  for (const std::string& file : options.files) {
    const auto ran = crypto::run_vector_file(file, crypto::vector_suites(), given);
    if (!ran) {
      unreadable = true;
      fail(ExitCode::data, file + ": " +
                               (ran.error().sentence().empty()
                                    ? std::string("this is no vector file of a known kind.")
                                    : ran.error().sentence()));
      continue;
    }
    const VectorReport& report = *ran;
    passed += report.passed;
    failed += report.failed();
    skipped += report.skipped();
    if (options.json) {
      files.push_back(boost::json::object{{"file", file},
                                          {"suite", report.suite},
                                          {"passed", report.passed},
                                          {"failures", to_json(report.failures)},
                                          {"skips", to_json(report.skips)},
                                          {"refused_by_rule", to_json(report.refused_by_rule)}});
      continue;
    }
    std::printf("%s: %s: %zu passed, %zu failed, %zu skipped\n", file.c_str(), report.suite.c_str(),
                report.passed, report.failed(), report.skipped());
    for (const VectorNote& note : report.failures) {
      std::printf("  FAILED %s: %s\n", note.id.c_str(), note.text.c_str());
    }
    print_grouped("refused by rule", report.refused_by_rule);
    print_grouped("skipped", report.skips);
  }
  if (options.json) {
    std::printf("%s\n", boost::json::serialize(boost::json::object{{"passed", passed},
                                                                   {"failed", failed},
                                                                   {"skipped", skipped},
                                                                   {"files", files}})
                            .c_str());
  } else {
    std::printf("%zu passed, %zu failed, %zu skipped\n", passed, failed, skipped);
  }
  if (failed > 0) return static_cast<int>(ExitCode::verification);
  return static_cast<int>(unreadable ? ExitCode::data : ExitCode::done);
}

}  // namespace paravent::proxy::main
