#include "proxy/main/commands/record_cli.h"

namespace paravent::proxy::main {
namespace {

void add_client(CLI::App* command, ClientOptions& options) {
  command->add_option("--admin", options.admin,
                      "Admin API (default http://127.0.0.1:8081; unix:/PATH for a socket)");
  command->add_option("--ca", options.ca,
                      "Authority of the admin API's certificate (default: the system's)");
  command->add_option("--credential-file", options.credential_file, "File with your credential");
}

void add_verify(CLI::App& audit, AuditVerifyOptions& options) {
  CLI::App* command = audit.add_subcommand("verify", "Verify it offline");
  command->add_option("DIR", options.folder, "Data directory, its audit folder, or one log")
      ->required();
  command->add_option("--checkpoint", options.checkpoints,
                      "Checkpoints saved earlier, or an anchor's file; may be repeated");
  command->add_option("--public-key", options.public_key, "A public key kept elsewhere");
  command->add_option("--remember", options.remember,
                      "File of this verifier: compared with, then brought up to date");
  command->add_option("--witness-key", options.witnesses,
                      "Key of a witness that must have co-signed a --checkpoint; may be repeated");
  command->add_option("--witnesses", options.quorum,
                      "How many of the witnesses are enough (default: all)");
  command->add_flag("--json", options.json, "Print as JSON");
}

void add_proofs(CLI::App& audit, AuditProveOptions& prove, AuditProveOptions& consistency) {
  CLI::App* command = audit.add_subcommand(
      "prove", "Prove offline that an entry is in a log, or check such a proof");
  CLI::Option* folder = command->add_option(
      "DIR", prove.folder, "Data directory, its audit folder, or one log: to make a proof");
  command->add_option("INDEX", prove.index, "Number of the entry, from 0")->needs(folder);
  command->add_option("--log", prove.log, "Which log: installation, or a tenant's id")
      ->needs(folder);
  command->add_option("--out", prove.out, "File to write instead of standard output")
      ->needs(folder);
  CLI::Option* check =
      command->add_option("--check", prove.check, "A proof to check instead")->excludes(folder);
  command->add_option("--public-key", prove.public_key, "With --check: the log's public key")
      ->needs(check);
  command->add_flag("--json", prove.json, "With --check: print as JSON")->needs(check);

  command = audit.add_subcommand("consistency",
                                 "Show offline that a log continues an earlier checkpoint of it");
  folder = command->add_option("DIR", consistency.folder,
                               "Data directory, its audit folder, or one log");
  command->add_option("--checkpoint", consistency.checkpoint, "The earlier checkpoint")->required();
  command
      ->add_option("--out", consistency.out, "File for the proof, which a witness takes as it is")
      ->needs(folder);
  check = command->add_option("--check", consistency.check, "A proof to check instead of a folder")
              ->excludes(folder);
  command->add_option("--public-key", consistency.public_key,
                      "The log's public key (default: the one beside the log)");
  command->add_flag("--json", consistency.json, "Print as JSON");
}

void add_verify_record(CLI::App& audit, AuditRecordOptions& options) {
  CLI::App* command = audit.add_subcommand(
      "verify-record",
      "Verify offline that the entries of a case's record or a dossier are logged");
  command->add_option("FILE", options.file, "The record or dossier, as JSON")->required();
  command->add_option("--public-key,--key", options.public_key, "The log's public key")->required();
  command->add_flag("--json", options.json, "Print as JSON");
}

void add_export(CLI::App& audit, AuditExportOptions& options) {
  CLI::App* command =
      audit.add_subcommand("export", "Entries as JSON lines or syslog, through the admin API");
  add_client(command, options.client);
  command->add_flag("--installation", options.installation,
                    "The installation's log instead of your tenant's");
  command->add_option("--from", options.from, "First entry (default 0)");
  command->add_option("--state", options.state,
                      "File that remembers where the last export ended, and goes on from there");
  command->add_option("--format", options.format, "json (lines) or syslog (RFC 5424)")
      ->check(CLI::IsMember({"json", "syslog"}));
  command->add_option("--out", options.out, "File to append to instead of standard output");
}

void add_dossier(CLI::App& app, DossierOptions& options) {
  CLI::App* command = app.add_subcommand(
      "dossier", "What an operator, key, person or period touched, with proofs, for a breach");
  add_client(command, options.client);
  command->add_option("--operator", options.operator_name, "Only of this operator or program");
  command->add_option(
      "--credential", options.credential_id,
      "Only with this credential, by the id that the record and operators list show");
  command->add_option("--key", options.key, "Only tokens under this key id (8 hex digits)");
  command->add_option("--subject", options.subject, "Only of this person, by reference");
  command->add_option("--from", options.from, "From this day on, YYYY-MM-DD (UTC)");
  command->add_option("--to", options.to, "To this day, inclusive");
  command->add_option("--reason", options.reason, "Why; goes on the record")->required();
  command->add_flag("--html", options.html, "A page to print instead of JSON");
  command->add_option("--out", options.out, "File to write instead of standard output");
}

void add_honey(CLI::App& app, HoneyOptions& options) {
  CLI::App* honey = app.add_subcommand("honey", "Honey tokens: decoys that raise an alarm");
  honey->require_subcommand(1);
  const auto add = [&](const char* name, const char* what) {
    CLI::App* command = honey->add_subcommand(name, what);
    command->callback([&options, name] { options.action = name; });
    add_client(command, options.client);
    command->add_flag("--json", options.client.json, "Print the API's answer as JSON");
    return command;
  };
  CLI::App* command = add("plant", "Plant one; the decoy value comes on standard input");
  command->add_option("--field", options.field, "Field whose values it looks like")->required();
  command->add_option("--route", options.route, "Route of the field")->required();
  command->add_option("--note", options.note, "Where it will be put, for whoever gets the alarm");
  command->add_option("--reason", options.reason, "Why; goes on the record")->required();
  add("list", "Every honey token of your tenant");
  command = add("remove", "Watch one no longer; the row stays");
  command->add_option("TOKEN", options.token, "The honey token")->required();
  command->add_option("--reason", options.reason, "Why; goes on the record")->required();
}

}  // namespace

void add_record_commands(CLI::App& app, RecordOptions& options) {
  CLI::App* audit = app.add_subcommand("audit", "The audit log");
  audit->require_subcommand(1);
  add_verify(*audit, options.verify);
  add_proofs(*audit, options.prove, options.consistency);
  add_verify_record(*audit, options.record);
  add_export(*audit, options.export_entries);
  add_dossier(app, options.dossier);
  add_honey(app, options.honey);
}

std::optional<int> dispatch_record(const CLI::App& app, const RecordOptions& options) {
  if (app.got_subcommand("dossier")) return run_dossier(options.dossier);
  if (app.got_subcommand("honey")) return run_honey(options.honey);
  if (!app.got_subcommand("audit")) return std::nullopt;
  const CLI::App* audit = app.get_subcommand("audit");
  if (audit->got_subcommand("prove")) return run_audit_prove(options.prove);
  if (audit->got_subcommand("consistency")) return run_audit_consistency(options.consistency);
  if (audit->got_subcommand("verify-record")) return run_audit_verify_record(options.record);
  if (audit->got_subcommand("export")) return run_audit_export(options.export_entries);
  return run_audit_verify(options.verify);
}

}  // namespace paravent::proxy::main
