// paravent operators, grants, protect, login and enrol: clients of the admin API.

#include <termios.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdio>
#include <iostream>
#include <string>

#include "crypto/vault/engine/base/durable_file.h"
#include "proxy/admin/keys/key_text.h"
#include "proxy/main/commands/access_commands.h"
#include "proxy/main/commands/admin_client.h"
#include "proxy/main/commands/answer_out.h"
#include "proxy/main/commands/exit_code.h"

namespace paravent::proxy::main {
namespace {

namespace json = boost::json;
using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;
using crypto::SecretBytes;

constexpr std::string_view kPrompts[] = {"Invitation: ", "Pass-phrase: ", "Code: "};
enum class Asked : std::uint8_t { invitation, passphrase, code };

// One line of standard input; typed by a person, it is not echoed.
std::string ask(Asked what) {
  const bool typed = ::isatty(STDIN_FILENO) == 1;
  termios before{};
  if (typed) {
    std::fputs(std::string(kPrompts[static_cast<std::size_t>(what)]).c_str(), stderr);
    ::tcgetattr(STDIN_FILENO, &before);
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &silent);
  }
  std::string line;
  std::getline(std::cin, line);
  if (typed) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
    std::fputc('\n', stderr);
  }
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

json::array array_of(const std::vector<std::string>& texts) {
  return json::array(texts.begin(), texts.end());
}

Result<AdminAnswer> post(const AccessOptions& options, const std::string& path,
                         const SecretBytes& credential, const json::object& body) {
  std::string text = json::serialize(body);
  auto answer = admin_post({options.admin, options.ca}, path, credential, text);
  crypto::wipe(text);
  return answer;
}

void add_scope(const AccessOptions& options, json::object& body) {
  if (!options.expires.empty()) body["expires"] = options.expires;
  if (!options.purposes.empty()) body["purposes"] = array_of(options.purposes);
  if (!options.paths.empty()) body["paths"] = array_of(options.paths);
}

// What goes into a path must be what it says.
bool is_path_word(const std::string& text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

Result<AdminAnswer> ask_operators(const AccessOptions& options, const SecretBytes& credential) {
  const std::string base = "/v1/operators";
  json::object body{{"reason", options.reason}};
  if (options.action == "list") {
    return admin_get_list({options.admin, options.ca}, base, "operators", credential);
  }
  if (options.action == "oidc")
    return admin_get({options.admin, options.ca}, "/v1/oidc", credential);
  constexpr std::string_view kOidc = "oidc:";
  if (options.action == "revoke" && options.name.starts_with(kOidc)) {
    const std::size_t slash = options.name.find('/');
    if (slash == std::string::npos || !options.id.empty()) {
      return Error(ErrorKind::usage, "Give the subject as oidc:ISSUER/SUBJECT, and nothing more.");
    }
    body["issuer"] = options.name.substr(kOidc.size(), slash - kOidc.size());
    body["subject"] = options.name.substr(slash + 1);
    return post(options, "/v1/oidc/revoke", credential, body);
  }
  if (!options.grant.empty()) body["grant"] = options.grant;
  if (!is_path_word(options.name) || (!options.id.empty() && !is_path_word(options.id))) {
    return Error(ErrorKind::usage,
                 "An operator's name is 1 to 32 lower-case letters, digits and hyphens.");
  }
  const std::string one = base + "/" + options.name;
  if (options.action == "add") {
    body["name"] = options.name;
    body["role"] = options.role;
    body["type"] = options.type;
    if (!options.tenant.empty()) body["tenant"] = options.tenant;
    add_scope(options, body);
    return post(options, base, credential, body);
  }
  if (options.action == "credential") {
    add_scope(options, body);
    return post(options, one + "/credentials", credential, body);
  }
  if (options.action == "revoke" && !options.id.empty()) {
    return post(options, one + "/credentials/" + options.id + "/revoke", credential, body);
  }
  return post(options, one + "/" + options.action, credential, body);
}

Result<AdminAnswer> ask_grants(const AccessOptions& options, const SecretBytes& credential) {
  const AdminAddress at{options.admin, options.ca};
  const std::string base = "/v1/grants";
  if (options.action == "list") return admin_get_list(at, base, "grants", credential);
  if (options.action == "ask") {
    json::object body{{"reason", options.reason},
                      {"purpose", options.purpose},
                      {"basis", options.basis},
                      {"hours", options.hours}};
    if (!options.fields.empty()) body["fields"] = array_of(options.fields);
    if (!options.tokens.empty()) body["tokens"] = array_of(options.tokens);
    if (options.subjects > 0) body["subjects"] = options.subjects;
    if (options.values > 0) body["values"] = options.values;
    return post(options, base, credential, body);
  }
  if (!admin::id_from_hex(options.id)) {
    return Error(ErrorKind::usage,
                 "The id is 32 hexadecimal digits, as paravent grants list shows it.");
  }
  const std::string one = base + "/" + options.id;
  if (options.action == "show") return admin_get(at, one, credential);
  if (options.action == "record") {
    return admin_get(at, one + "/record" + (options.html ? "?format=html" : ""), credential);
  }
  return post(options, one + "/" + options.action, credential, {{"reason", options.reason}});
}

Result<AdminAnswer> ask_protect(const AccessOptions& options, const SecretBytes& credential) {
  json::object values;
  for (const std::string& assignment : options.assignments) {
    const std::size_t equals = assignment.find('=');
    if (equals == std::string::npos) {
      return Error(ErrorKind::usage, "Give each value as FIELD=VALUE, or FIELD=- .");
    }
    std::string value = assignment.substr(equals + 1);
    if (value == "-") std::getline(std::cin, value);
    values[assignment.substr(0, equals)] = value;
  }
  json::object body{{"route", options.route}, {"values", values}};
  if (!options.reason.empty()) body["reason"] = options.reason;
  return post(options, "/v1/protect", credential, body);
}

Result<json::object> object_of(const AdminAnswer& answer) {
  boost::system::error_code malformed;
  const auto document = json::parse(answer.body, malformed);
  if (malformed || !document.is_object()) {
    return Error(ErrorKind::unreachable, "What answered is not the admin API of a gateway.");
  }
  return document.as_object();
}

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr) return {};
  return value->is_string() ? std::string(value->get_string()) : json::serialize(*value);
}

int login(const AccessOptions& options) {
  std::string passphrase = ask(Asked::passphrase);
  std::string code = ask(Asked::code);
  const json::object body{{"operator", options.name}, {"passphrase", passphrase}, {"code", code}};
  crypto::wipe(passphrase);
  crypto::wipe(code);
  auto answer = post(options, "/v1/login", SecretBytes(), body);
  if (!answer) return fail(answer.error());
  if (answer->status != 200) return fail(admin_error(*answer));
  auto object = object_of(*answer);
  crypto::wipe(answer->body);
  if (!object) return fail(object.error());
  std::string credential = text_of(*object, "credential") + "\n";
  const auto written = crypto::vault::write_file_durably(options.out, crypto::as_bytes(credential));
  crypto::wipe(credential);
  if (!written) return fail(written.error());
  std::printf("Logged in as %s until %s; the credential is in %s.\n", options.name.c_str(),
              text_of(*object, "expires").c_str(), options.out.c_str());
  return static_cast<int>(ExitCode::done);
}

int enrol(const AccessOptions& options) {
  std::string invitation = ask(Asked::invitation);
  auto shown = post(options, "/v1/enrol", SecretBytes(), {{"invitation", invitation}});
  if (!shown) return fail(shown.error());
  if (shown->status != 200) return fail(admin_error(*shown));
  auto object = object_of(*shown);
  if (!object) return fail(object.error());
  std::printf("Operator %s. Enter this secret into your authenticator: %s\n%s\n%s\n",
              text_of(*object, "operator").c_str(), text_of(*object, "secret").c_str(),
              text_of(*object, "uri").c_str(), text_of(*object, "rule").c_str());
  std::fflush(stdout);
  std::string passphrase = ask(Asked::passphrase);
  std::string code = ask(Asked::code);
  if (passphrase.empty() || code.empty()) {
    crypto::wipe(invitation);
    crypto::wipe(passphrase);
    crypto::wipe(code);
    return fail(ExitCode::usage,
                "The pass-phrase or the code was empty, and nothing was kept; run the command "
                "again, the invitation is still good.");
  }
  const auto answer =
      post(options, "/v1/enrol", SecretBytes(),
           {{"invitation", invitation}, {"passphrase", passphrase}, {"code", code}});
  crypto::wipe(invitation);
  crypto::wipe(passphrase);
  crypto::wipe(code);
  if (!answer) return fail(answer.error());
  if (answer->status != 200) return fail(admin_error(*answer));
  std::printf("Done. Log in with: paravent login %s --out FILE\n",
              text_of(*object, "operator").c_str());
  return static_cast<int>(ExitCode::done);
}

void print_operator(const json::object& one) {
  std::string line = text_of(one, "name") + "  " + text_of(one, "role") + "  " +
                     text_of(one, "type") + "  " + text_of(one, "state");
  if (text_of(one, "passphrase") == "true") line += "  pass-phrase";
  std::printf("%s\n", line.c_str());
  const auto* credentials = one.if_contains("credentials");
  if (credentials == nullptr || !credentials->is_array()) return;
  for (const auto& item : credentials->get_array()) {
    const auto& credential = item.as_object();
    std::string detail = "    credential " + text_of(credential, "id");
    for (const char* name : {"expires", "purposes", "paths"}) {
      const std::string text = text_of(credential, name);
      if (!text.empty()) detail += std::string("  ") + name + " " + text;
    }
    std::printf("%s\n", detail.c_str());
  }
}

void print_grant(const json::object& one) {
  if (one.contains("change")) {
    std::printf("%s  %s  %s, asked by %s  until %s\n", text_of(one, "id").c_str(),
                text_of(one, "state").c_str(), text_of(one, "change").c_str(),
                text_of(one, "requester").c_str(), text_of(one, "expires").c_str());
    return;
  }
  std::printf("%s  %s  %s by %s  %s of %s values  until %s\n", text_of(one, "id").c_str(),
              text_of(one, "state").c_str(), text_of(one, "purpose").c_str(),
              text_of(one, "requester").c_str(), text_of(one, "values_revealed").c_str(),
              text_of(one, "values").c_str(), text_of(one, "expires").c_str());
}

void print_object(const json::object& object) {
  if (object.contains("credentials")) return print_operator(object);
  if (object.contains("requester")) return print_grant(object);
  for (const auto& [name, value] : object) {
    if (value.is_object()) {
      print_object(value.get_object());
    } else if (value.is_array()) {
      for (const auto& item : value.get_array()) {
        if (item.is_object()) print_object(item.get_object());
      }
    } else {
      std::printf("%s: %s\n", std::string(name).c_str(),
                  value.is_string() ? value.get_string().c_str() : json::serialize(value).c_str());
    }
  }
}

}  // namespace

int run_access(const AccessOptions& options) {
  if (options.command == "login") return login(options);
  if (options.command == "enrol") return enrol(options);
  const bool administers = options.command == "operators";
  const auto credential = read_credential(options.credential_file,
                                          administers ? CredentialOf::admin : CredentialOf::dpo);
  if (!credential) return fail(credential.error());
  auto answer = administers                   ? ask_operators(options, *credential)
                : options.command == "grants" ? ask_grants(options, *credential)
                                              : ask_protect(options, *credential);
  if (!answer) return fail(answer.error());
  if (answer->status != 200 && answer->status != 201 && answer->status != 202) {
    return fail(admin_error(*answer));
  }
  if (options.action == "record") return write_answer(options.out, answer->body);
  if (options.json) {
    std::fwrite(answer->body.data(), 1, answer->body.size(), stdout);
  } else {
    const auto object = object_of(*answer);
    if (!object) return fail(object.error());
    print_object(*object);
  }
  crypto::wipe(answer->body);
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
