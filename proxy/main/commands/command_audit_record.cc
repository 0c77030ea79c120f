// paravent audit verify-record: the record of a case, or a dossier, against the public key of the
// log and nothing else: that each of its entries is in the log, where and as the record says.

#include <boost/json.hpp>
#include <cstdio>

#include "crypto/audit/log_proof.h"
#include "crypto/base/encoding.h"
#include "proxy/admin/audit_entry_json.h"
#include "proxy/admin/utc_text.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/commands/record_commands.h"
#include "proxy/main/commands/record_files.h"
#include "proxy/main/io/text_file.h"

namespace paravent::proxy::main {
namespace {

namespace audit = crypto::audit;
namespace json = boost::json;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

constexpr std::size_t kMaxRecord = std::size_t{64} << 20U;

Error altered(const std::string& what) {
  return {ErrorKind::verification, "The record does not verify: " + what + "."};
}

const json::string* text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr ? nullptr : value->if_string();
}

Result<audit::InclusionProof> proof_of(const json::object& entry, std::string_view checkpoint,
                                       const std::string& which) {
  const json::string* leaf = text_of(entry, "leaf");
  const json::value* index = entry.if_contains("index");
  const json::value* hashes = entry.if_contains("proof");
  if (leaf == nullptr || index == nullptr || !index->is_int64() || index->get_int64() < 0 ||
      hashes == nullptr || !hashes->is_array() ||
      hashes->get_array().size() > audit::kMaxProofHashes) {
    return altered(which + " has no leaf, index or proof");
  }
  audit::InclusionProof proof;
  proof.checkpoint = checkpoint;
  proof.index = static_cast<std::uint64_t>(index->get_int64());
  const auto bytes = crypto::from_base64(std::string_view(leaf->data(), leaf->size()));
  if (!bytes) return altered(which + " has a leaf that is not base64");
  proof.leaf = crypto::as_text(*bytes);
  for (const json::value& one : hashes->get_array()) {
    const json::string* text = one.if_string();
    const auto raw = text == nullptr ? Result<crypto::Bytes>(ErrorKind::malformed)
                                     : crypto::from_base64({text->data(), text->size()});
    const auto hash = raw ? audit::hash_from_bytes(*raw) : Result<audit::Hash>(raw.error());
    if (!hash) return altered(which + " has a proof that is not made of hashes");
    proof.hashes.push_back(*hash);
  }
  return proof;
}

// What the record says of an entry in words has to be what its leaf says.
bool says_the_same(const json::object& entry, const audit::PublicPart& open) {
  const auto is = [&](std::string_view name, std::string_view expected) {
    const json::string* text = text_of(entry, name);
    return text != nullptr && std::string_view(text->data(), text->size()) == expected;
  };
  return is("event", audit::event_name(open.event)) &&
         is("outcome", audit::outcome_name(open.outcome)) &&
         (is("time", admin::utc_text(open.time)) || is("time", admin::audit_time_text(open.time)));
}

// How many entries there are.
Result<std::size_t> verify_list(const json::array& entries, const std::string& list,
                                const audit::NoteKey& key, std::string_view checkpoint) {
  std::size_t count = 0;
  for (const json::value& one : entries) {
    const std::string which = "entry " + std::to_string(count + 1) + " of " + list;
    if (!one.is_object()) return altered(which + " is not an object");
    const auto proof = proof_of(one.get_object(), checkpoint, which);
    if (!proof) return proof.error();
    const auto proven = audit::verify_inclusion_proof(*proof, key);
    if (!proven) return altered(which + ": " + proven.error().sentence());
    if (!says_the_same(one.get_object(), proven->leaf.open)) {
      return altered(which + " says something else than its leaf");
    }
    ++count;
  }
  return count;
}

Result<std::size_t> verify(const json::object& record, const audit::NoteKey& key,
                           std::string_view checkpoint) {
  const json::value* entries = record.if_contains("events");
  if (entries == nullptr || !entries->is_array()) entries = record.if_contains("entries");
  if (entries == nullptr || !entries->is_array()) return altered("it lists no entries");
  const auto count = verify_list(entries->get_array(), "the list", key, checkpoint);
  // A dossier of an issuer's subject.
  const json::value* keys = record.if_contains("issuer_keys");
  if (!count || keys == nullptr) return count;
  if (!keys->is_array()) return altered("issuer_keys is no list");
  const auto more = verify_list(keys->get_array(), "issuer_keys", key, checkpoint);
  if (!more) return more;
  return *count + *more;
}

Result<audit::NoteKey> key_for(const std::string& file, std::string_view checkpoint) {
  const auto keys = read_public_keys(file);
  if (!keys) return keys.error();
  for (const audit::NoteKey& key : *keys) {
    if (checkpoint.starts_with(key.name + "\n")) return key;
  }
  return altered("it is about another log than the public key");
}

}  // namespace

int run_audit_verify_record(const AuditRecordOptions& options) {
  const auto text = read_text_file(options.file, kMaxRecord);
  if (!text) return fail(text.error());
  boost::system::error_code error;
  const json::value parsed = json::parse(*text, error);
  const json::string* checkpoint =
      error || !parsed.is_object() ? nullptr : text_of(parsed.get_object(), "checkpoint");
  if (checkpoint == nullptr) {
    return fail(altered("it is not the JSON of a case or a dossier with a checkpoint"));
  }
  const std::string_view note(checkpoint->data(), checkpoint->size());
  const auto key = key_for(options.public_key, note);
  if (!key) return fail(key.error());
  const auto count = verify(parsed.get_object(), *key, note);
  if (!count) return fail(count.error());
  if (options.json) {
    const json::object out = {
        {"verified", true}, {"origin", key->name}, {"entries", std::uint64_t{*count}}};
    std::printf("%s\n", json::serialize(out).c_str());
  } else {
    std::printf("verified: %zu entries are in the log %s, where and as the record says\n", *count,
                key->name.c_str());
    std::printf(
        "  compared: each leaf and its inclusion proof with the checkpoint in the record, and its\n"
        "  signature with the public key; event, outcome and time with the leaf\n"
        "  not shown: that the details beside (who, why, which tokens) are those that the leaf\n"
        "  commits to; `paravent audit export` reads them from the log, with its keys\n");
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
