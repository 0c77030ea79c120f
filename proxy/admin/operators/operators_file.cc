#include "proxy/admin/operators/operators_file.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <system_error>

#include "crypto/base/encoding.h"
#include "proxy/admin/operators/line_words.h"

namespace paravent::proxy::admin {
namespace {

using crypto::WallTime;

constexpr std::string_view kFirstWord = "paravent-operators-v3";
constexpr std::string_view kAnyVersion = "paravent-operators-v";
constexpr int kVersion = 3;
constexpr std::string_view kFirstLineV2 = "paravent-operators-v2";
constexpr std::string_view kFirstLineV1 = "paravent-operators-v1";
constexpr std::string_view kEnd = "end\n";

void read_id(Words& words, std::string_view text, crypto::vault::Id& out) {
  const auto id = crypto::from_hex(text);
  if (!id || id->size() != out.size()) return words.refuse();
  std::copy(id->begin(), id->end(), out.begin());
  if (out == crypto::vault::kNoId) words.refuse();  // where there may be none, that is spelled "-"
}

void read_tenant(Words& words, crypto::vault::Id& tenant) {
  const std::string_view text = words.word();
  if (text != "-") read_id(words, text, tenant);
}

void read_name_and_role(Words& words, OperatorRecord& one) {
  one.name = words.word();
  read_tenant(words, one.tenant);
  one.role = words.word();
  if (!is_operator_name(one.name) || !is_role_name(one.role)) words.refuse();
}

bool read_operator(Words& words, std::vector<OperatorRecord>& list) {
  OperatorRecord one;
  read_name_and_role(words, one);
  const std::string_view type = words.word();
  if (type != "person" && type != "program") words.refuse();
  one.person = type == "person";
  one.created = words.time();
  one.revoked = words.time_or_none();
  list.push_back(std::move(one));
  return words.end() && list.size() <= kMaxOperators;
}

bool read_credential(Words& words, OperatorRecord& one) {
  KeptCredential credential;
  words.bytes(credential.hash);
  credential.created = words.time();
  credential.expires = words.time_or_none();
  credential.scope.purposes = words.list(kMaxScopeWords);
  credential.scope.paths = words.list(kMaxScopeWords);
  const bool in_order = !one.passphrase && !one.enrolment && one.attempts == Attempts();
  one.credentials.push_back(std::move(credential));
  return words.end() && in_order && one.credentials.size() <= kMaxCredentials;
}

bool read_passphrase(Words& words, OperatorRecord& one) {
  crypto::PassphraseVerifier verifier;
  words.bytes(verifier.salt);
  verifier.cost.passes = static_cast<std::uint32_t>(words.number(crypto::kMostPasses));
  verifier.cost.kibibytes = static_cast<std::uint32_t>(words.number(crypto::kMostKibibytes));
  words.bytes(verifier.verifier);
  words.bytes(verifier.sealed);
  const bool in_order = !one.passphrase && !one.enrolment && one.attempts == Attempts();
  one.passphrase = verifier;
  return words.end() && in_order && crypto::is_possible(verifier.cost);
}

bool read_enrolment(Words& words, OperatorRecord& one) {
  Enrolment enrolment;
  words.bytes(enrolment.code_hash);
  enrolment.expires = words.time();
  words.bytes(enrolment.secret);
  const bool in_order = !one.enrolment && one.attempts == Attempts();
  one.enrolment = enrolment;
  return words.end() && in_order;
}

bool read_attempts(Words& words, OperatorRecord& one) {
  const bool in_order = one.attempts == Attempts();
  one.attempts.failures = static_cast<std::uint32_t>(words.number(1'000'000));
  one.attempts.locked_until = words.time();
  one.attempts.last_step = words.number(kMostMilliseconds);
  return words.end() && in_order && !(one.attempts == Attempts());
}

bool read_first_line(std::string_view line, crypto::vault::Id& installation) {
  Words words(line);
  if (words.word() != kFirstWord) return false;
  read_id(words, words.word(), installation);
  return words.end();
}

bool read_line(std::string_view line, std::vector<OperatorRecord>& list) {
  Words words(line);
  const std::string_view what = words.word();
  if (what == "operator") return read_operator(words, list);
  if (list.empty()) return false;
  if (what == "credential") return read_credential(words, list.back());
  if (what == "passphrase") return read_passphrase(words, list.back());
  if (what == "enrolment") return read_enrolment(words, list.back());
  if (what == "attempts") return read_attempts(words, list.back());
  return false;
}

bool read_line_v1(std::string_view line, std::vector<OperatorRecord>& list) {
  Words words(line);
  OperatorRecord one;
  read_name_and_role(words, one);
  words.bytes(one.credentials.emplace_back().hash);
  list.push_back(std::move(one));
  return words.end() && list.size() <= kMaxOperators;
}

bool each_once(const std::vector<OperatorRecord>& list) {
  std::set<std::string_view> names;
  std::set<crypto::Sha256Digest> hashes;
  for (const OperatorRecord& one : list) {
    if (!names.insert(one.name).second) return false;
    for (const KeptCredential& credential : one.credentials) {
      if (!hashes.insert(credential.hash).second) return false;
    }
  }
  return true;
}

std::string time_text(WallTime time) { return std::to_string(time.time_since_epoch().count()); }

std::string time_text(const std::optional<WallTime>& time) {
  return time ? time_text(*time) : std::string("-");
}

std::string list_text(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
  return out.empty() ? "-" : out;
}

void append_operator(const OperatorRecord& one, std::string& out) {
  const bool no_tenant = one.tenant == crypto::vault::kNoId;
  out += "operator " + one.name + " " + (no_tenant ? "-" : crypto::vault::id_hex(one.tenant)) +
         " " + one.role + (one.person ? " person " : " program ") + time_text(one.created) + " " +
         time_text(one.revoked) + "\n";
  for (const KeptCredential& credential : one.credentials) {
    out += "credential " + crypto::to_hex(credential.hash) + " " + time_text(credential.created) +
           " " + time_text(credential.expires) + " " + list_text(credential.scope.purposes) + " " +
           list_text(credential.scope.paths) + "\n";
  }
  if (one.passphrase) {
    const crypto::PassphraseVerifier& kept = *one.passphrase;
    out += "passphrase " + crypto::to_hex(kept.salt) + " " + std::to_string(kept.cost.passes) +
           " " + std::to_string(kept.cost.kibibytes) + " " + crypto::to_hex(kept.verifier) + " " +
           crypto::to_hex(kept.sealed) + "\n";
  }
  if (one.enrolment) {
    out += "enrolment " + crypto::to_hex(one.enrolment->code_hash) + " " +
           time_text(one.enrolment->expires) + " " + crypto::to_hex(one.enrolment->secret) + "\n";
  }
  if (!(one.attempts == Attempts())) {
    out += "attempts " + std::to_string(one.attempts.failures) + " " +
           time_text(one.attempts.locked_until) + " " + std::to_string(one.attempts.last_step) +
           "\n";
  }
}

}  // namespace

std::string credential_id(const crypto::Sha256Digest& hash) {
  std::string text = "paravent/v1/credential-id";
  crypto::append_u8(text, 0);
  crypto::append_bytes(text, hash);
  return crypto::to_hex(crypto::sha256(crypto::as_bytes(text))).substr(0, 12);
}

bool is_operator_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_new_operator_name(std::string_view name) noexcept {
  return is_operator_name(name) && name.front() != '-';
}

bool is_role_name(std::string_view role) noexcept {
  return !role.empty() && role.size() <= 64 && role.find_first_of(" \n\r\t") == role.npos;
}

std::string operators_text(const OperatorsFile& file) {
  std::string out = std::string(kFirstWord) + " " + crypto::vault::id_hex(file.installation) + "\n";
  for (const OperatorRecord& one : file.list) append_operator(one, out);
  return out.append(kEnd);
}

std::optional<OperatorsFile> parse_operators(std::string_view text) {
  OperatorsFile file;
  const auto first = take_until(text, '\n');
  if (!first) return std::nullopt;
  const bool first_version = *first == kFirstLineV1;
  if (!first_version) {
    if (*first != kFirstLineV2 && !read_first_line(*first, file.installation)) return std::nullopt;
    if (!text.ends_with(kEnd)) return std::nullopt;
    text.remove_suffix(kEnd.size());
  }
  while (!text.empty()) {
    const auto line = take_until(text, '\n');
    if (!line) return std::nullopt;
    if (!(first_version ? read_line_v1(*line, file.list) : read_line(*line, file.list))) {
      return std::nullopt;
    }
  }
  if (!each_once(file.list)) return std::nullopt;
  return file;
}

bool is_of_newer_version(std::string_view text) noexcept {
  if (!text.starts_with(kAnyVersion)) return false;
  text.remove_prefix(kAnyVersion.size());
  int version = 0;
  const auto read =
      std::from_chars(text.data(), text.data() + std::min<std::size_t>(text.size(), 4), version);
  return read.ec == std::errc() && version > kVersion;
}

}  // namespace paravent::proxy::admin
