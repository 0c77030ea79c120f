#include "proxy/main/commands/value_cli.h"

#include "proxy/main/commands/admin_address.h"

namespace paravent::proxy::main {
namespace {

template <typename Options>
void add_file(CLI::App* command, Options& options, CLI::Option* not_with) {
  CLI::Option* file =
      command->add_option("--file", options.file, "An encrypted file, instead of tokens");
  CLI::Option* out =
      command->add_option("--out", options.out, "With --file: the file to make")->needs(file);
  file->needs(out);
  if (not_with != nullptr) file->excludes(not_with);
}

void add_reidentify(CLI::App& app, ReidentifyOptions& options) {
  CLI::App* command =
      app.add_subcommand("reidentify", "Re-identify tokens, or the tokens in a text (-)");
  command->add_option("--purpose", options.purpose, "Legal purpose")->required();
  command->add_option("--reason", options.reason, "Why; goes on the record")->required();
  command->add_option("--grant", options.grant, "An approved grant, where the policy asks for one");
  add_admin_address(command, options);
  command->add_option("--credential-file", options.credential_file, "File with your credential");
  CLI::Option* field = command->add_option(
      "--field", options.field, "The TOKENs are values of this field, whose texts name no key");
  command->add_option("--route", options.route, "With --field: where several routes have it")
      ->needs(field);
  command->add_option("--as-of", options.as_of, "With --field: the day it was made, YYYY-MM-DD")
      ->needs(field);
  command->add_flag("--json", options.json, "Print the API's results as JSON");
  add_file(command, options, field);
  command->add_option("TOKEN", options.tokens, "Tokens; none or - filters standard input");
}

void add_subjects(CLI::App& app, SubjectsOptions& options) {
  CLI::App* subjects = app.add_subcommand("subjects", "Exercise people's rights for them");
  subjects->require_subcommand(1);
  const auto add = [&](const char* name, const char* what) {
    CLI::App* command = subjects->add_subcommand(name, what);
    command->callback([&options, name] { options.action = name; });
    command->add_option("--reason", options.reason, "Why; goes on the record")->required();
    command->add_option("--kind", options.kind,
                        "The value on standard input tells the person: email, phone, ...");
    command->add_option("--reference", options.reference,
                        "The person of this reference (keys due), instead of --kind");
    add_admin_address(command, options);
    command->add_option("--credential-file", options.credential_file, "File with your credential");
    command->add_flag("--json", options.json, "Print the API's answer as JSON");
    command->add_option("TOKEN", options.tokens, "Tokens of the person, instead of --kind");
    return command;
  };
  add("locate", "What is kept of a person, without any value");
  add("export", "All values of one person that your role may see");
  add("restrict", "Keep everything, reveal nothing")
      ->add_flag("--lift", options.lift, "Take the restriction back");
  add("object", "Stop what rests on legitimate interest, and analytics")
      ->add_flag("--lift", options.lift, "Take the objection back");
  add("erase", "Destroy the person's keys and tokens, for good")
      ->add_option("--certificate", options.certificate,
                   "File for the signed certificate of destruction");
  CLI::App* events = add("events", "The end of a contract, a case closed, a contact elsewhere");
  events->add_option("--purpose", options.purpose, "Of which purpose")->required();
  events->add_option("--event", options.event, "last-contact, contract-end or case-closed")
      ->required();
  events->add_option("--day", options.day, "YYYY-MM-DD, UTC");
  events->add_flag("--lift", options.lift, "Take the event back");
}

void add_sealing(CLI::App& app, KeypairOptions& keypair, ContextsOptions& contexts,
                 OpenOptions& open) {
  CLI::App* command = app.add_subcommand("keypair", "Make a key pair that values can be sealed to");
  command->add_option("--out", keypair.out, "Private key file to make")->required();
  command->add_flag("--json", keypair.json, "Print the public key as JSON");

  command = app.add_subcommand("contexts", "Export the context table, for paravent open");
  command->add_option("--config", contexts.config, "Gateway file whose vault is meant");
  command->add_option("--data", contexts.data, "Data directory");
  command->add_option("--root-key", contexts.root_key, "Root key file");
  command->add_option("OUT", contexts.out, "File to write, or - for standard output")->required();

  command = app.add_subcommand("open", "Open sealed values, or those in a text (-), offline");
  command->add_option("--key", open.key, "Private key file")->required();
  command->add_option("--contexts", open.contexts, "Exported context table")->required();
  command->add_flag("--json", open.json, "Print as JSON");
  add_file(command, open, nullptr);
  command->add_option("TOKEN", open.tokens, "Tokens; none or - filters standard input");
}

}  // namespace

void add_value_commands(CLI::App& app, ValueCommandOptions& options) {
  add_reidentify(app, options.reidentify);
  add_subjects(app, options.subjects);
  add_sealing(app, options.keypair, options.contexts, options.open);
}

std::optional<int> dispatch_value(const CLI::App& app, const ValueCommandOptions& options) {
  if (app.got_subcommand("reidentify")) return run_reidentify(options.reidentify);
  if (app.got_subcommand("subjects")) return run_subjects(options.subjects);
  if (app.got_subcommand("keypair")) return run_keypair(options.keypair);
  if (app.got_subcommand("contexts")) return run_contexts(options.contexts);
  if (app.got_subcommand("open")) return run_open(options.open);
  return std::nullopt;
}

}  // namespace paravent::proxy::main
