// The commands of the one binary. Each takes its options as plain data and answers the exit code;
// what they print is theirs. The command line is read by main.cc and the *_cli.cc beside this.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace paravent::proxy::main {

struct ServeOptions {
  std::string config;  // a gateway file, or empty
  std::string preset;
  std::string upstream;
  std::string path;
  std::string listen;
  std::string admin;
  std::string data;
  std::string root_key;
  int secret_fd = -1;  // gives the pass-phrase or the PIN at the start
};
int run_serve(const ServeOptions& options);

struct InitOptions {
  std::string data;
  std::string root_key;
  std::string config;
  bool passphrase = false;
  std::string shares;  // K/N
  std::string pkcs11_module;
  std::string pkcs11_token;
  std::string pkcs11_key;
  int secret_fd = -1;
  bool json = false;
};
int run_init(const InitOptions& options);

struct CheckOptions {
  std::vector<std::string> files;
  bool json = false;
};
int run_check(const CheckOptions& options);

struct ExplainOptions {
  std::string file;
  std::string request;
  bool json = false;
};
int run_explain(const ExplainOptions& options);

struct TestOptions {
  std::vector<std::string> files;
  bool json = false;
};
int run_test(const TestOptions& options);

struct PolicyApplyOptions {
  std::string file;
  std::string config;
  std::string data;
  std::string root_key;
  bool create = false;
  std::vector<std::string> rename;  // OLD=NEW
};
int run_policy_apply(const PolicyApplyOptions& options);

struct ReidentifyOptions {
  std::string purpose;
  std::string reason;
  std::string admin = "http://127.0.0.1:8081";
  std::string ca;  // of the admin API's certificate; empty: the system's
  std::string credential_file;
  std::vector<std::string> tokens;  // or one "-"
  // Given: the tokens are values of this field, whose texts name no key.
  std::string field;
  std::string route;
  std::string as_of;
  // An encrypted file, and where what it holds goes, instead of tokens.
  std::string file;
  std::string out;
  std::string grant;  // an approved case
  bool json = false;
};
int run_reidentify(const ReidentifyOptions& options);

struct SubjectsOptions {
  std::string action;  // locate, export, restrict, object, erase, events
  std::string reason;
  std::string admin = "http://127.0.0.1:8081";
  std::string ca;
  std::string credential_file;
  std::vector<std::string> tokens;
  std::string kind;       // instead of tokens: the value is read from standard input
  std::string reference;  // or this
  std::string purpose;    // events
  std::string event;
  std::string certificate;  // erase: where it goes
  std::string day;
  bool lift = false;
  bool json = false;
};
int run_subjects(const SubjectsOptions& options);

struct KeypairOptions {
  std::string out;
  bool json = false;
};
int run_keypair(const KeypairOptions& options);

struct ContextsOptions {
  std::string config;
  std::string data;
  std::string root_key;
  std::string out;  // or "-"
};
int run_contexts(const ContextsOptions& options);

struct OpenOptions {
  std::string key;
  std::string contexts;
  std::vector<std::string> tokens;  // or one "-"
  bool json = false;
  std::string file{};  // instead of tokens, and where what it holds goes
  std::string out{};
};
int run_open(const OpenOptions& options);

struct UnsealOptions {
  std::string admin = "http://127.0.0.1:8081";
  std::string ca;
  std::string credential_file;  // only where the admin API is not on loopback
  int secret_fd = -1;
  bool json = false;
};
int run_unseal(const UnsealOptions& options);

struct SealOptions {
  std::string admin = "http://127.0.0.1:8081";
  std::string ca;
  std::string credential_file;
  bool json = false;
};
int run_seal(const SealOptions& options);

struct VectorsOptions {
  std::vector<std::string> files;
  bool json = false;
};
int run_vectors(const VectorsOptions& options);

struct BackupOptions {
  std::string config;
  std::string data;
  std::string out;
  bool keys = false;
  std::uint32_t days = 30;  // until a key backup expires
  std::string root_key;
  std::string admin = "http://127.0.0.1:8081";
  std::string ca;
  std::string credential_file;  // of an admin, while a gateway runs
  bool json = false;
};
int run_backup(const BackupOptions& options);

struct RestoreOptions {
  std::string backup;
  std::string keys;
  std::string data;
  // How it is unsealed: a file, what a gateway file says, or what the key backup says.
  std::string root_key;
  std::string config;
  std::string systemd_credential;
  std::string pkcs11_module;
  std::string pkcs11_token;
  std::string pkcs11_key;
  int secret_fd = -1;
  bool undo_key_changes = false;
  bool accept_loss = false;
  bool json = false;
};
int run_restore(const RestoreOptions& options);

// Clients of the admin API; what each option is for stands in key_cli.cc.
struct KeysOptions {
  std::string action;  // list, due, rotate, disable, ..., and of tenants: tenants, create, end
  std::string id;      // a key's, a hold's or a tenant's; or a new tenant's name
  std::string reason;
  std::string confirm;
  std::string within;
  std::string tenant;
  std::string domain;
  std::string converted;  // how many
  std::string purpose;
  std::string until;
  std::string subject;  // a reference
  std::string release;
  std::string out;
  std::string admin = "http://127.0.0.1:8081";
  std::string ca;
  std::string credential_file;
  bool json = false;
};
int run_keys(const KeysOptions& options);

// Keys that are older than the token store beside them, of a stopped gateway.
struct AcceptOlderOptions {
  std::string data;
  std::string config;
  std::string root_key;
  std::string reason;
};
int run_keys_accept_older(const AcceptOlderOptions& options);

// Another root key, and where wanted another way to unseal.
struct KeysRewrapOptions {
  std::string data;
  std::string config;
  std::string root_key;
  std::string new_root_key;
  std::string new_systemd_credential;
  bool new_passphrase = false;
  std::string new_shares;  // K/N
  std::string new_pkcs11_module;
  std::string new_pkcs11_token;
  std::string new_pkcs11_key;
  int secret_fd = -1;  // the present secrets, then the new one, a line each
  std::string reason;
  std::string admin = "http://127.0.0.1:8081";
  std::string ca;
  std::string credential_file;  // of an admin, while a gateway runs
  bool json = false;
};
int run_keys_rewrap(const KeysRewrapOptions& options);

struct VerifyCertificateOptions {
  std::string file;
  std::string public_key;
  bool json = false;
};
int run_verify_certificate(const VerifyCertificateOptions& options);

}  // namespace paravent::proxy::main
