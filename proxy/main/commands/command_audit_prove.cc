// paravent audit prove and consistency: offline, with the public key and nothing else.

#include <boost/json.hpp>
#include <cstdio>

#include "crypto/audit/folder_prover.h"
#include "crypto/base/encoding.h"
#include "crypto/vault/engine/base/durable_file.h"
#include "proxy/admin/utc_text.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/commands/record_commands.h"
#include "proxy/main/commands/record_files.h"
#include "proxy/main/io/text_file.h"

namespace paravent::proxy::main {
namespace {

namespace audit = crypto::audit;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

constexpr std::size_t kMaxProof = 256 * 1024;

int write_out(const std::string& text, const std::string& file) {
  if (file.empty()) {
    std::fputs(text.c_str(), stdout);
    return static_cast<int>(ExitCode::done);
  }
  if (auto s = crypto::vault::write_file_durably(file, crypto::as_bytes(text)); !s) {
    return fail(s.error());
  }
  return static_cast<int>(ExitCode::done);
}

// The key of the file whose origin is `origin`.
Result<audit::NoteKey> key_for(const std::string& file, std::string_view note) {
  if (file.empty()) {
    return Error(ErrorKind::usage,
                 "Give the log's public key with --public-key; a proof says "
                 "nothing without a key from elsewhere.");
  }
  const auto keys = read_public_keys(file);
  if (!keys) return keys.error();
  for (const audit::NoteKey& key : *keys) {
    if (note.starts_with(key.name + "\n")) return key;
  }
  return Error(ErrorKind::verification, "The proof is about another log than the public key.");
}

int check_inclusion(const AuditProveOptions& options) {
  const auto text = read_text_file(options.check, kMaxProof);
  if (!text) return fail(text.error());
  const auto proof = audit::parse_inclusion_proof(*text);
  if (!proof) {
    return fail(ExitCode::verification,
                "This is no proof, or it is altered: " + proof.error().sentence() + ".");
  }
  const auto key = key_for(options.public_key, proof->checkpoint);
  if (!key) return fail(key.error());
  const auto proven = audit::verify_inclusion_proof(*proof, *key);
  if (!proven) return fail(proven.error());
  const audit::PublicPart& open = proven->leaf.open;
  const std::string event(audit::event_name(open.event));
  const std::string outcome(audit::outcome_name(open.outcome));
  const std::string time = admin::utc_text(open.time);
  if (options.json) {
    const boost::json::object out = {
        {"verified", true},       {"origin", proven->checkpoint.origin},
        {"index", open.sequence}, {"size", proven->checkpoint.size},
        {"time", time},           {"event", event},
        {"outcome", outcome}};
    std::printf("%s\n", boost::json::serialize(out).c_str());
  } else {
    std::printf("verified: entry %llu (%s, %s, %s) is in the log %s\n",
                static_cast<unsigned long long>(open.sequence), event.c_str(), outcome.c_str(),
                time.c_str(), proven->checkpoint.origin.c_str());
    std::printf(
        "  compared with the checkpoint of size %llu in the proof, and its signature with "
        "the public key\n",
        static_cast<unsigned long long>(proven->checkpoint.size));
  }
  return static_cast<int>(ExitCode::done);
}

int print_continued(const audit::Checkpoint& next, std::uint64_t old_size, bool json) {
  if (json) {
    const boost::json::object out = {
        {"verified", true}, {"origin", next.origin}, {"from", old_size}, {"to", next.size}};
    std::printf("%s\n", boost::json::serialize(out).c_str());
  } else {
    std::printf("verified: the log %s of size %llu continues the checkpoint of size %llu\n",
                next.origin.c_str(), static_cast<unsigned long long>(next.size),
                static_cast<unsigned long long>(old_size));
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace

int run_audit_prove(const AuditProveOptions& options) {
  if (!options.check.empty()) return check_inclusion(options);
  if (options.folder.empty()) {
    return fail(ExitCode::usage, "Give a folder and the number of an entry, or --check PROOF.");
  }
  const auto folder = find_log(options.folder, options.log);
  if (!folder) return fail(folder.error());
  const auto prover = audit::FolderProver::open(*folder);
  if (!prover) return fail(prover.error());
  const auto proof = prover->prove(options.index);
  if (!proof) return fail(proof.error());
  return write_out(audit::inclusion_proof_text(*proof), options.out);
}

int run_audit_consistency(const AuditProveOptions& options) {
  const auto old = read_text_file(options.checkpoint, kMaxProof);
  if (!old) return fail(old.error());
  if (options.folder.empty() == options.check.empty()) {
    return fail(ExitCode::usage, "Give a folder, or a proof with --check.");
  }
  if (!options.check.empty()) {
    const auto text = read_text_file(options.check, kMaxProof);
    if (!text) return fail(text.error());
    const auto proof = audit::parse_consistency_proof(*text);
    if (!proof) {
      return fail(ExitCode::verification,
                  "This is no proof, or it is altered: " + proof.error().sentence() + ".");
    }
    const auto key = key_for(options.public_key, proof->checkpoint);
    if (!key) return fail(key.error());
    const auto next = audit::verify_consistency_proof(*proof, *old, *key);
    if (!next) return fail(next.error());
    return print_continued(*next, proof->old_size, options.json);
  }
  // The earlier checkpoint says whose log it is.
  const std::string_view origin = std::string_view(*old).substr(0, old->find('\n'));
  const std::string log(origin.substr(origin.rfind('/') + 1));
  const auto folder = find_log(options.folder, log);
  if (!folder) return fail(folder.error());
  const auto prover = audit::FolderProver::open(*folder);
  if (!prover) return fail(prover.error());
  audit::NoteKey key = prover->key();
  if (!options.public_key.empty()) {
    auto given = key_for(options.public_key, *old);
    if (!given) return fail(given.error());
    key = std::move(*given);
  }
  const auto earlier = audit::open_checkpoint(*old, key);
  if (!earlier) {
    return fail(ExitCode::verification, "The earlier checkpoint: " + earlier.error().sentence());
  }
  const auto proof = prover->prove_from(earlier->size);
  if (!proof) return fail(proof.error());
  const auto next = audit::verify_consistency_proof(*proof, *old, key);
  if (!next) return fail(next.error());
  if (!options.out.empty()) {
    if (const int code = write_out(audit::consistency_proof_text(*proof), options.out); code != 0) {
      return code;
    }
  }
  return print_continued(*next, earlier->size, options.json);
}

}  // namespace paravent::proxy::main
