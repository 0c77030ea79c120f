// paravent honey plant, list and remove: client of /v1/honey-tokens.

#include <boost/json.hpp>
#include <cstdio>
#include <iostream>
#include <string>

#include "proxy/main/commands/admin_client.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/commands/record_commands.h"

namespace paravent::proxy::main {
namespace {

namespace json = boost::json;

constexpr std::string_view kPath = "/v1/honey-tokens";

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

// A decoy is no personal data, but a command line is no place for what looks like it either.
std::string read_value() {
  std::string line;
  std::getline(std::cin, line);
  return line;
}

crypto::Result<AdminAnswer> ask(const HoneyOptions& options,
                                const crypto::SecretBytes& credential) {
  const AdminAddress at{options.client.admin, options.client.ca};
  if (options.action == "list") return admin_get_list(at, kPath, "honey_tokens", credential);
  if (options.action == "remove") {
    const json::object request = {{"token", options.token}, {"reason", options.reason}};
    return admin_post(at, std::string(kPath) + "/remove", credential, json::serialize(request));
  }
  const json::object request = {{"route", options.route},
                                {"field", options.field},
                                {"value", read_value()},
                                {"note", options.note},
                                {"reason", options.reason}};
  return admin_post(at, kPath, credential, json::serialize(request));
}

void print(const HoneyOptions& options, const json::object& answer) {
  if (options.action == "plant") std::printf("%s\n", text_of(answer, "token").c_str());
  const auto* list = answer.if_contains("honey_tokens");
  if (list == nullptr || !list->is_array()) return;
  for (const json::value& one : list->get_array()) {
    if (!one.is_object()) continue;
    const json::object& token = one.get_object();
    std::printf("%s  %s %s  %s by %s  %s\n", text_of(token, "token").c_str(),
                text_of(token, "route").c_str(), text_of(token, "field").c_str(),
                text_of(token, "planted").c_str(), text_of(token, "planted_by").c_str(),
                text_of(token, "note").c_str());
  }
}

}  // namespace

int run_honey(const HoneyOptions& options) {
  const auto credential = read_credential(options.client.credential_file, CredentialOf::admin);
  if (!credential) return fail(credential.error());
  const auto answer = ask(options, *credential);
  if (!answer) return fail(answer.error());
  if (answer->status != 200) return fail(admin_error(*answer));
  boost::system::error_code malformed;
  const json::value document = json::parse(answer->body, malformed);
  if (malformed || !document.is_object()) {
    return fail(ExitCode::unreachable, "What answered is not the admin API of a gateway.");
  }
  if (options.client.json) {
    std::fputs(answer->body.c_str(), stdout);
  } else {
    print(options, document.get_object());
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
