#include <boost/json.hpp>
#include <cstdio>

#include "policies/model/load_policy.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/io/text_file.h"
#include "proxy/main/trial/explainer.h"

namespace paravent::proxy::main {
namespace {

constexpr std::size_t kMaxRequestBytes = 16 * 1024 * 1024;

boost::json::object to_json(const Explanation& explanation) {
  boost::json::array fields;
  for (const ExplainedField& field : explanation.fields) {
    boost::json::value after;
    if (field.after) after = *field.after;
    fields.push_back(boost::json::object{{"path", field.path},
                                         {"rule", field.rule},
                                         {"action", field.action},
                                         {"before", field.before},
                                         {"after", after}});
  }
  boost::json::object out = {{"route", explanation.route}, {"outcome", explanation.outcome}};
  if (!explanation.reason.empty()) out["reason"] = explanation.reason;
  if (!explanation.field.empty()) out["field"] = explanation.field;
  out["fields"] = std::move(fields);
  out["unlisted"] = boost::json::array(explanation.unlisted.begin(), explanation.unlisted.end());
  return out;
}

void print(const Explanation& explanation) {
  std::printf("route    %s\n", explanation.route.empty() ? "(none)" : explanation.route.c_str());
  std::printf("outcome  %s", explanation.outcome.c_str());
  if (!explanation.reason.empty()) std::printf(": %s", explanation.reason.c_str());
  if (!explanation.field.empty()) std::printf(" (%s)", explanation.field.c_str());
  std::printf("\n");
  for (const ExplainedField& field : explanation.fields) {
    std::printf("\n%s  [%s, %s]\n  before  %s\n", field.path.c_str(), field.rule.c_str(),
                field.action.c_str(), field.before.c_str());
    if (explanation.outcome == "refused") continue;  // nothing is sent
    std::printf("  after   %s\n", field.after ? field.after->c_str() : "(removed)");
  }
  if (!explanation.unlisted.empty()) std::printf("\nunlisted:\n");
  for (const std::string& name : explanation.unlisted) std::printf("  %s\n", name.c_str());
  if (!explanation.upstream_head.empty()) {
    std::printf("\nThe upstream would receive (with other keys, so other tokens):\n\n%s%s\n",
                explanation.upstream_head.c_str(), explanation.upstream_body.c_str());
  }
}

}  // namespace

int run_explain(const ExplainOptions& options) {
  const policies::LoadedPolicy loaded = policies::load_policy_file(options.file);
  if (!loaded.ok()) {
    std::fputs(policies::diagnostics_text(loaded.diagnostics).c_str(), stderr);
    return fail(ExitCode::configuration, "The policy has errors; nothing can be explained yet.");
  }
  const auto request = read_text_file(options.request, kMaxRequestBytes);
  if (!request) return fail(request.error());
  const auto explainer = Explainer::create(loaded.policy);
  if (!explainer) return fail(explainer.error());
  const Explanation explanation = (*explainer)->explain(*request);
  if (options.json) {
    std::printf("%s\n", boost::json::serialize(to_json(explanation)).c_str());
  } else {
    print(explanation);
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
