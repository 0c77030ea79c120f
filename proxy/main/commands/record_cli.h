// The options of the commands about the record, and which of them was meant.

#pragma once

#include <CLI/CLI.hpp>
#include <optional>

#include "proxy/main/commands/record_commands.h"

namespace paravent::proxy::main {

struct RecordOptions {
  AuditVerifyOptions verify;
  AuditProveOptions prove;
  AuditProveOptions consistency;
  AuditRecordOptions record;
  AuditExportOptions export_entries;
  DossierOptions dossier;
  HoneyOptions honey;
};

// `options` must outlive the parsing.
void add_record_commands(CLI::App& app, RecordOptions& options);

// The exit code; nullopt: another command was given.
std::optional<int> dispatch_record(const CLI::App& app, const RecordOptions& options);

}  // namespace paravent::proxy::main
