// The commands about the record: audit verify, prove, consistency, verify-record and export;
// dossier; honey. What each option is for stands in record_cli.cc. Each prints, and answers its
// exit code.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace paravent::proxy::main {

struct AuditVerifyOptions {
  std::string folder;
  std::vector<std::string> checkpoints;
  std::string public_key;
  std::string remember;
  std::vector<std::string> witnesses;  // keys, or files that hold one
  std::uint32_t quorum = 0;            // 0: all of them, where there are any
  bool json = false;
};
int run_audit_verify(const AuditVerifyOptions& options);

// Both of proofs: made from a folder, or checked from a file.
struct AuditProveOptions {
  std::string folder;
  std::string log;  // its id; empty: the only one, or the only tenant's
  std::uint64_t index = 0;
  std::string checkpoint;  // consistency: the earlier one
  std::string out;
  std::string check;
  std::string public_key;
  bool json = false;
};
int run_audit_prove(const AuditProveOptions& options);
int run_audit_consistency(const AuditProveOptions& options);

// The JSON of a case's record or of a dossier, checked offline.
struct AuditRecordOptions {
  std::string file;
  std::string public_key;
  bool json = false;
};
int run_audit_verify_record(const AuditRecordOptions& options);

// Where the admin API is, and who asks.
struct ClientOptions {
  std::string admin = "http://127.0.0.1:8081";
  std::string ca;
  std::string credential_file;
  bool json = false;
};

struct AuditExportOptions {
  ClientOptions client;
  bool installation = false;
  std::uint64_t from = 0;
  std::string state;  // file: where to go on
  std::string format = "json";
  std::string out;
};
int run_audit_export(const AuditExportOptions& options);

struct DossierOptions {
  ClientOptions client;
  std::string operator_name;
  std::string credential_id;
  std::string key;
  std::string subject;
  std::string from;
  std::string to;
  std::string reason;
  bool html = false;
  std::string out;
};
int run_dossier(const DossierOptions& options);

struct HoneyOptions {
  ClientOptions client;
  std::string action;  // plant, list, remove
  std::string route;
  std::string field;
  std::string note;
  std::string reason;
  std::string token;
};
int run_honey(const HoneyOptions& options);

}  // namespace paravent::proxy::main
