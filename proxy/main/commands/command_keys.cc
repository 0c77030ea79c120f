// paravent keys and paravent tenants: clients of the admin API.

#include <boost/json.hpp>
#include <cstdio>
#include <string>

#include "policies/model/period.h"
#include "proxy/admin/keys/key_text.h"
#include "proxy/main/commands/admin_client.h"
#include "proxy/main/commands/answer_out.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/exit_code.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

std::string text_of(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(boost::json::string_view(name.data(), name.size()));
  if (value == nullptr) return {};
  return value->is_string() ? std::string(value->get_string()) : boost::json::serialize(*value);
}

// One line a key: what a person needs to decide, and the id to decide with.
void print_key(const boost::json::object& key) {
  std::string what = text_of(key, "class");
  for (const char* name : {"epoch", "purpose", "domain", "tenant"}) {
    if (const std::string value = text_of(key, name); !value.empty()) what += " " + value;
  }
  what += " v" + text_of(key, "version");
  std::string line = text_of(key, "id") + "  " + text_of(key, "state") + "  " + what;
  if (const std::string due = text_of(key, "disable_due"); !due.empty()) {
    line += "  disabled on " + due.substr(0, 10) + ", destroyed by " +
            text_of(key, "destroyed_by").substr(0, 10);
  }
  if (const std::string held = text_of(key, "held_until"); !held.empty()) {
    line += "  held until " + held.substr(0, 10);
  }
  std::printf("%s\n", line.c_str());
}

void print_object(const boost::json::object& object) {
  if (object.contains("state")) {
    print_key(object);
    return;
  }
  std::string line;
  for (const auto& [name, value] : object) {
    if (!line.empty()) line += "  ";
    line += std::string(name) + "=" +
            (value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value));
  }
  std::printf("%s\n", line.empty() ? "Done." : line.c_str());
}

void print_answer(const std::string& body) {
  boost::system::error_code malformed;
  const auto document = boost::json::parse(body, malformed);
  const auto* object = document.if_object();
  if (malformed || object == nullptr) return;
  bool listed = false;
  for (const char* list : {"keys", "subjects", "tenants", "holds"}) {
    const auto* items = object->if_contains(list);
    if (items == nullptr || !items->is_array()) continue;
    listed = true;
    for (const auto& item : items->get_array()) {
      const auto& one = item.as_object();
      const auto* key = one.if_contains("key");
      print_object(key != nullptr && key->is_object() ? key->get_object() : one);
    }
  }
  if (!listed) print_object(*object);
}

// The id of the tenant of this name.
Result<std::string> tenant_id(const KeysOptions& options, const crypto::SecretBytes& credential) {
  const auto answer = admin_get({options.admin, options.ca}, "/v1/tenants", credential);
  if (!answer) return answer.error();
  if (answer->status != 200) return admin_error(*answer);
  boost::system::error_code malformed;
  const auto document = boost::json::parse(answer->body, malformed);
  if (malformed || !document.is_object()) {
    return Error(ErrorKind::unreachable, "What answered is not the admin API of a gateway.");
  }
  for (const auto& item : document.as_object().at("tenants").as_array()) {
    const auto& one = item.as_object();
    const auto* key = one.at("key").if_object();
    if (key != nullptr && text_of(*key, "tenant") == options.id) return text_of(one, "id");
  }
  return Error(ErrorKind::usage, "There is no tenant of the name " + options.id + ".");
}

// What goes into a path must be what it says.
crypto::Status check(const KeysOptions& options) {
  if (options.action == "due" && !policies::parse_period(options.within)) {
    return Error(ErrorKind::usage, "--within takes a period as in ISO 8601: P30D, P2W, P6M.");
  }
  const bool by_name = options.action == "create" || options.action == "end";
  for (const std::string& id : {by_name ? std::string() : options.id, options.release}) {
    if (!id.empty() && !admin::id_from_hex(id)) {
      return Error(ErrorKind::usage,
                   std::string("The id is 32 hexadecimal digits, as paravent keys ") +
                       (options.release.empty() ? "list" : "holds") + " shows it.");
    }
  }
  if (options.action == "hold" && options.release.empty() &&
      (options.tenant.empty() || options.until.empty())) {
    return Error(ErrorKind::usage, "A hold needs --tenant and --until, or --release of one.");
  }
  return {};
}

Result<AdminAnswer> ask(const KeysOptions& options, const crypto::SecretBytes& credential) {
  const std::string& action = options.action;
  const auto get = [&](const std::string& path) {
    return admin_get({options.admin, options.ca}, path, credential);
  };
  const auto post = [&](const std::string& path, boost::json::object body) {
    body["reason"] = options.reason;
    return admin_post({options.admin, options.ca}, path, credential, boost::json::serialize(body));
  };
  if (action == "list") {
    return admin_get_list({options.admin, options.ca}, "/v1/keys", "keys", credential);
  }
  if (action == "due") return get("/v1/keys?within=" + options.within);
  if (action == "tenants") return get("/v1/tenants");
  if (action == "holds") return get("/v1/holds");
  if (action == "freeze") return get("/v1/keys/freeze");
  if (action == "certificate") return get("/v1/keys/" + options.id + "/certificate");
  if (action == "confirm") return post("/v1/keys/confirm", {});
  if (action == "rows") return get("/v1/keys/rows");
  if (action == "when-sealed" && options.converted.empty()) return get("/v1/keys/when-sealed");
  if (action == "when-sealed") {
    return post("/v1/keys/when-sealed", {{"converted", options.converted}});
  }
  if (action == "reseal") return post("/v1/keys/reseal", {});
  if (action == "reindex") {
    return post("/v1/keys/reindex", {{"tenant", options.tenant}, {"domain", options.domain}});
  }
  if (action == "create") return post("/v1/tenants", {{"name", options.id}});
  if (action == "end") {
    const auto id = tenant_id(options, credential);
    if (!id) return id.error();
    return post("/v1/tenants/" + *id + "/destroy", {{"confirm", options.confirm}});
  }
  if (action == "hold" && !options.release.empty()) {
    return post("/v1/holds/" + options.release + "/release", {});
  }
  if (action == "hold") {
    boost::json::object body{{"tenant", options.tenant}, {"until", options.until}};
    if (!options.purpose.empty()) body["purpose"] = options.purpose;
    if (!options.subject.empty()) body["subject"] = options.subject;
    return post("/v1/holds", std::move(body));
  }
  boost::json::object body;
  if (action == "destroy") body["confirm"] = options.confirm;
  return post("/v1/keys/" + options.id + "/" + action, std::move(body));
}

}  // namespace

int run_keys(const KeysOptions& options) {
  if (auto s = check(options); !s) return fail(s.error());
  const auto credential = read_credential(options.credential_file, CredentialOf::admin);
  if (!credential) return fail(credential.error());
  const auto answer = ask(options, *credential);
  if (!answer) return fail(answer.error());
  if (answer->status != 200) return fail(admin_error(*answer));
  if (options.action == "certificate")
    return write_answer(options.out, answer->body,
                        "verify it with: paravent keys verify-certificate");
  if (options.action == "confirm" && !options.json &&
      answer->body.find("\"was_frozen\":false") != std::string::npos) {
    std::puts("Nothing was frozen.");
    return static_cast<int>(ExitCode::done);
  }
  const bool as_it_is = options.action == "rows" || options.action == "reseal" ||
                        options.action == "reindex" || options.action == "when-sealed";
  if (options.json || as_it_is) {
    std::fwrite(answer->body.data(), 1, answer->body.size(), stdout);
  } else {
    print_answer(answer->body);
  }
  return static_cast<int>(ExitCode::done);
}

}  // namespace paravent::proxy::main
