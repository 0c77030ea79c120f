#include "proxy/main/commands/command_ask.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "proxy/main/commands/admin_client.h"
#include "proxy/main/commands/exit_code.h"

namespace paravent::proxy::main {
namespace {

// Where to ask; whether that changes something; and whose credential of first-credentials is meant.
struct Question {
  std::string path;
  bool post = false;
  CredentialOf whose = CredentialOf::dpo;
};

std::string with(const AskOptions& options, std::string path, char separator) {
  if (options.installation) path += separator + std::string("log=installation");
  return path;
}

std::string proof_path(const AskOptions& options) {
  std::string path = "/v1/audit/proof/";
  if (options.index) {
    path += "inclusion?index=" + std::to_string(*options.index);
    if (options.size) path += "&size=" + std::to_string(*options.size);
  } else {
    path += "consistency?from=" + std::to_string(options.from.value_or(0));
    if (options.to) path += "&to=" + std::to_string(*options.to);
  }
  return with(options, path, '&');
}

Question question_of(const AskOptions& options) {
  const CredentialOf of_log = options.installation ? CredentialOf::admin : CredentialOf::dpo;
  if (options.what == "policy show") return {"/v1/policy", false, CredentialOf::admin};
  if (options.what == "policy reload") return {"/v1/policy/reload", true, CredentialOf::admin};
  if (options.what == "store") return {"/v1/store", false, CredentialOf::admin};
  if (options.what == "logout") return {"/v1/logout", true, CredentialOf::dpo};
  if (options.what == "audit checkpoint") {
    return {with(options, "/v1/audit/checkpoint", '?'), false, of_log};
  }
  if (options.what == "audit proof") return {proof_path(options), false, of_log};
  return {"/v1/whoami", false, CredentialOf::dpo};
}

CLI::App* add(CLI::App& below, AskOptions& options, const char* name, const char* what,
              const char* does) {
  CLI::App* command = below.add_subcommand(name, does);
  command->callback([&options, what] { options.what = what; });
  command->add_option("--admin", options.client.admin,
                      "Admin API (default http://127.0.0.1:8081; unix:/PATH for a socket)");
  command->add_option("--ca", options.client.ca,
                      "Authority of the admin API's certificate (default: the system's)");
  command->add_option("--credential-file", options.client.credential_file,
                      "File with your credential");
  command->add_flag("--json", options.client.json, "The answer is JSON already");
  return command;
}

}  // namespace

void add_ask_commands(CLI::App& app, AskOptions& options) {
  CLI::App& policy = *app.get_subcommand("policy");
  add(policy, options, "show", "policy show", "What a running gateway serves now");
  add(policy, options, "reload", "policy reload",
      "Have a running gateway read its files again; says what keeps it from that");
  add(app, options, "store", "store", "Figures of the token store of a running gateway");
  add(app, options, "whoami", "whoami", "Who a credential stands for, and what for");
  add(app, options, "logout", "logout", "End a credential that login gave, at once");
  CLI::App& audit = *app.get_subcommand("audit");
  CLI::App* command = add(audit, options, "checkpoint", "audit checkpoint",
                          "The signed checkpoint of now, through the admin API");
  command->add_flag("--installation", options.installation,
                    "Of the installation's log instead of your tenant's");
  command = add(audit, options, "proof", "audit proof",
                "A proof of inclusion or consistency, through the admin API");
  command->add_flag("--installation", options.installation,
                    "In the installation's log instead of your tenant's");
  CLI::Option* index =
      command->add_option("--index", options.index, "Inclusion: number of the entry, from 0");
  command->add_option("--size", options.size, "Inclusion: in the log of this size (default: now)")
      ->needs(index);
  CLI::Option* from =
      command->add_option("--from", options.from, "Consistency: the earlier size of the log")
          ->excludes(index);
  command->add_option("--to", options.to, "Consistency: the later size (default: now)")
      ->needs(from);
}

int run_ask(const AskOptions& options) {
  if (options.what == "audit proof" && !options.index && !options.from) {
    return fail(ExitCode::usage, "A proof needs --index, or --from.");
  }
  const Question question = question_of(options);
  const auto credential = read_credential(options.client.credential_file, question.whose);
  if (!credential) return fail(credential.error());
  const AdminAddress at{options.client.admin, options.client.ca};
  const auto answer = question.post ? admin_post(at, question.path, *credential, "")
                                    : admin_get(at, question.path, *credential);
  if (!answer) return fail(answer.error());
  if (answer->status != 200) {
    // What is wrong with a file stands in it.
    if (answer->status == 422) std::fputs(answer->body.c_str(), stderr);
    return fail(admin_error(*answer));
  }
  std::fputs(answer->body.c_str(), stdout);
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
