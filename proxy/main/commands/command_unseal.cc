#include <boost/json.hpp>
#include <cstdio>
#include <string>
#include <string_view>

#include "proxy/main/commands/admin_client.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/installation/root_key_source.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::SecretBytes;

struct Told {
  bool sealed = true;
  std::string method;
  std::int64_t given = 0;
  std::int64_t needed = 0;
  std::string title;
};

Told read_answer(const AdminAnswer& answer) {
  Told told;
  boost::system::error_code wrong;
  const auto document = boost::json::parse(answer.body, wrong);
  const auto* object = wrong ? nullptr : document.if_object();
  if (object == nullptr) return told;
  const auto text = [&](std::string_view key, std::string& out) {
    const auto* value = object->if_contains(key);
    if (value != nullptr && value->is_string()) out = value->get_string();
  };
  const auto number = [&](std::string_view key, std::int64_t& out) {
    const auto* value = object->if_contains(key);
    if (value != nullptr && value->is_int64()) out = value->get_int64();
  };
  const auto* sealed = object->if_contains("sealed");
  told.sealed = sealed == nullptr || !sealed->is_bool() || sealed->get_bool();
  // Unsealed, but the token was pulled out and wants its PIN again.
  const auto* present = object->if_contains("present");
  if (present != nullptr && present->is_bool() && !present->get_bool()) told.sealed = true;
  text("method", told.method);
  text("title", told.title);
  number("given", told.given);
  number("needed", told.needed);
  return told;
}

// A wrong secret, a foreign key, a missing token: all are about data and keys.
Error api_error(const AdminAnswer& answer, const Told& told) {
  const std::string sentence = told.title.empty()
                                   ? "The admin API answered " + std::to_string(answer.status) + "."
                                   : told.title;
  switch (answer.status) {
    case 401:
      return {ErrorKind::refused, sentence};
    case 400:
    case 409:
      return {ErrorKind::data, sentence};
    case 403:
      return {told.sealed && told.title.find("role") == std::string::npos ? ErrorKind::data
                                                                          : ErrorKind::refused,
              sentence};
    case 429:
      return {ErrorKind::busy, sentence};
    default:
      return {ErrorKind::unreachable, sentence};
  }
}

// The text as a JSON string, without a copy outside of locked memory.
SecretBytes request_body(std::string_view key, const SecretBytes& secret) {
  std::string body;
  body.reserve(64 + 6 * secret.size());  // growing would leave copies behind
  body.append("{\"").append(key).append("\":\"");
  for (const std::uint8_t byte : secret.bytes()) {
    const char c = static_cast<char>(byte);
    if (c == '"' || c == '\\') body.push_back('\\');
    body.push_back(c);
  }
  body.append("\"}");
  SecretBytes out = SecretBytes::copy_of(body);
  crypto::wipe(body);
  return out;
}

std::string_view key_of(const std::string& method) {
  if (method == "pkcs11") return "pin";
  return method == "shares" ? "share" : "passphrase";
}

std::string question_of(const Told& told) {
  if (told.method == "pkcs11") return "PIN of the token";
  if (told.method != "shares") return "Pass-phrase";
  return "Share " + std::to_string(told.given + 1) + " of " + std::to_string(told.needed);
}

Result<SecretBytes> credential_of(const std::string& file) {
  if (file.empty()) return SecretBytes();
  return read_credential(file);
}

int report(const Told& told, bool json) {
  if (json) {
    std::printf("{\"sealed\":%s,\"given\":%lld,\"needed\":%lld}\n", told.sealed ? "true" : "false",
                static_cast<long long>(told.given), static_cast<long long>(told.needed));
  } else if (told.sealed) {
    std::printf("The vault is sealed still: %lld of %lld shares are there.\n",
                static_cast<long long>(told.given), static_cast<long long>(told.needed));
  } else {
    std::printf("The vault is unsealed.\n");
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace

int run_unseal(const UnsealOptions& options) {
  const auto credential = credential_of(options.credential_file);
  if (!credential) return fail(credential.error());
  const auto ask = [&](std::string_view body) {
    return admin_post({options.admin, options.ca}, "/v1/unseal", *credential, body);
  };
  // Without a secret first: says what is wanted, and is all that a token with a PIN file needs.
  auto answer = ask("{}");
  if (!answer) return fail(answer.error());
  Told told = read_answer(*answer);
  if (answer->status != 200) return fail(api_error(*answer, told));
  while (told.sealed) {
    const auto secret = options.secret_fd >= 0 ? read_secret_from(options.secret_fd)
                                               : ask_secret(question_of(told));
    if (!secret) return fail(secret.error());
    // Custodians may come one after the other: whoever has no more to give leaves.
    if (secret->empty() && told.given > 0) break;
    const SecretBytes body = request_body(key_of(told.method), *secret);
    answer = ask(crypto::as_text(body.bytes()));
    if (!answer) return fail(answer.error());
    told = read_answer(*answer);
    if (answer->status != 200) return fail(api_error(*answer, told));
  }
  return report(told, options.json);
}

int run_seal(const SealOptions& options) {
  const auto credential = read_credential(options.credential_file, CredentialOf::admin);
  if (!credential) return fail(credential.error());
  const auto answer = admin_post({options.admin, options.ca}, "/v1/seal", *credential, "{}");
  if (!answer) return fail(answer.error());
  const Told told = read_answer(*answer);
  if (answer->status != 200) {
    const ErrorKind kind = answer->status == 401 || answer->status == 403 ? ErrorKind::refused
                                                                          : ErrorKind::unreachable;
    return fail(
        Error(kind, told.title.empty() ? "The admin API did not seal the vault." : told.title));
  }
  if (options.json) {
    std::fputs(answer->body.c_str(), stdout);
  } else {
    std::printf("The vault is sealed%s.\n",
                answer->body.find("\"recorded\":false") == std::string::npos
                    ? ""
                    : "; that could not be written to the audit log");
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
