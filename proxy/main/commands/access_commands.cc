#include "proxy/main/commands/access_commands.h"

#include <CLI/CLI.hpp>
#include <initializer_list>
#include <utility>

namespace paravent::proxy::main {
namespace {

CLI::App* add(CLI::App& under, AccessOptions& options, const std::string& command,
              const std::string& action, const std::string& help) {
  CLI::App* made = under.add_subcommand(action.empty() ? command : action, help);
  made->callback([&options, command, action] {
    options.command = command;
    options.action = action;
  });
  made->add_option("--admin", options.admin, "Admin API (default http://127.0.0.1:8081)");
  made->add_option("--ca", options.ca,
                   "Authority of the admin API's certificate (default: the system's)");
  made->add_flag("--json", options.json, "Print the API's answer as JSON");
  return made;
}

void needs_credential(CLI::App* command, AccessOptions& options) {
  command->add_option("--credential-file", options.credential_file, "File with your credential");
}

void needs_reason(CLI::App* command, AccessOptions& options) {
  needs_credential(command, options);
  command->add_option("--reason", options.reason, "Why; goes on the record")->required();
}

void add_scope(CLI::App* command, AccessOptions& options) {
  command->add_option("--expires", options.expires, "The credential ends after this: P30D, P1Y");
  command->add_option("--purpose", options.purposes, "Only for these purposes; may be repeated");
  command->add_option("--grant", options.grant, "The approved grant, where four eyes are in force");
  command->add_option("--path", options.paths,
                      "Only for these paths: reidentify, subjects, metrics, ...; may be repeated");
}

void add_operators(CLI::App& app, AccessOptions& options) {
  CLI::App* group = app.add_subcommand("operators", "Who may ask: people and programs");
  group->require_subcommand(1);
  needs_credential(add(*group, options, "operators", "list", "Every operator and credential"),
                   options);
  needs_credential(add(*group, options, "operators", "oidc",
                       "The issuers of the gateway file, and whom of theirs is shut out"),
                   options);
  CLI::App* made = add(*group, options, "operators", "add",
                       "Make an operator; a program's credential is shown once");
  needs_reason(made, options);
  made->add_option("NAME", options.name, "Lower-case letters, digits, hyphens")->required();
  made->add_option("--role", options.role, "A role of the policy, or admin")->required();
  made->add_option("--type", options.type, "person or program (default)");
  made->add_option("--tenant", options.tenant, "Of another tenant than your own");
  add_scope(made, options);
  made = add(*group, options, "operators", "credential", "One more credential, shown once");
  needs_reason(made, options);
  made->add_option("NAME", options.name, "The operator")->required();
  add_scope(made, options);
  made = add(*group, options, "operators", "revoke", "End an operator, or one credential, at once");
  needs_reason(made, options);
  made->add_option("NAME", options.name, "The operator, or oidc:ISSUER/SUBJECT")->required();
  made->add_option("--credential", options.id, "Only this credential, by the id that list shows");
  made = add(*group, options, "operators", "invite",
             "An invitation to choose a pass-phrase, shown once");
  needs_reason(made, options);
  made->add_option("--grant", options.grant, "The approved grant, where four eyes are in force");
  made->add_option("NAME", options.name, "The operator")->required();
  made = add(*group, options, "operators", "unlock", "End the wait after failed logins");
  needs_reason(made, options);
  made->add_option("NAME", options.name, "The operator")->required();
}

void add_grants(CLI::App& app, AccessOptions& options) {
  CLI::App* group = app.add_subcommand("grants", "What needs two people: asked, approved, used");
  group->require_subcommand(1);
  needs_credential(add(*group, options, "grants", "list", "The grants that concern you"), options);
  CLI::App* made = add(*group, options, "grants", "show", "One grant");
  needs_credential(made, options);
  made->add_option("ID", options.id, "The grant")->required();
  made = add(*group, options, "grants", "ask", "Ask for a re-identification");
  needs_reason(made, options);
  made->add_option("--purpose", options.purpose, "Legal purpose")->required();
  made->add_option("--basis", options.basis, "Legal basis, for example legal-obligation")
      ->required();
  made->add_option("--field", options.fields, "Only this field; may be repeated");
  made->add_option("--subjects", options.subjects, "At most so many people");
  made->add_option("--values", options.values, "At most so many values");
  made->add_option("--hours", options.hours, "How long it holds (default 8)");
  made->add_option("TOKEN", options.tokens, "Only these tokens");
  for (const auto& [action, help] : std::initializer_list<std::pair<const char*, const char*>>{
           {"approve", "Approve what another asked for"},
           {"refuse", "Refuse it"},
           {"close", "End it now"}}) {
    made = add(*group, options, "grants", action, help);
    needs_reason(made, options);
    made->add_option("ID", options.id, "The grant")->required();
  }
  made = add(*group, options, "grants", "record", "The printable record of a closed grant");
  needs_credential(made, options);
  made->add_option("ID", options.id, "The grant")->required();
  made->add_flag("--html", options.html, "As a page instead of JSON");
  made->add_option("--out", options.out, "File to write instead of standard output");
}

}  // namespace

void add_access_commands(CLI::App& app, AccessOptions& options) {
  add_operators(app, options);
  add_grants(app, options);
  CLI::App* made =
      add(app, options, "protect", "", "Protect values as a route does; your role has to allow it");
  needs_credential(made, options);
  made->add_option("--route", options.route, "The route whose rules hold")->required();
  made->add_option("--reason", options.reason, "Why; goes on the record");
  made->add_option("FIELD=VALUE", options.assignments,
                   "form.email=anne@example.fr; VALUE - is a line of standard input")
      ->required();
  made = add(app, options, "login", "",
             "A short credential for a pass-phrase and a code, both from standard input");
  made->add_option("NAME", options.name, "The operator")->required();
  made->add_option("--out", options.out, "File for the credential")->required();
  made = add(app, options, "enrol", "",
             "Choose a pass-phrase: invitation, pass-phrase and code from standard input");
}

}  // namespace paravent::proxy::main
