#include "proxy/main/gateway/protector_desk.h"

#include <algorithm>
#include <array>
#include <utility>

#include "proxy/body/json.h"
#include "proxy/main/trial/explainer.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

void append_percent(std::string_view text, std::string& out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kDigits[byte >> 4U]);
    out.push_back(kDigits[byte & 0xFU]);
  }
}

void append_pair(std::string_view name, std::string_view value, std::string& out) {
  if (!out.empty()) out.push_back('&');
  append_percent(name, out);
  out.push_back('=');
  append_percent(value, out);
}

// A tree of names, because two fields of one object are one object.
struct JsonTree {
  std::vector<std::string> names;
  std::vector<JsonTree> members;  // in the order of `names`
  std::string value;
  bool is_value = false;

  JsonTree& at(std::string_view name) {
    const auto known = std::find(names.begin(), names.end(), name);
    if (known != names.end()) return members[static_cast<std::size_t>(known - names.begin())];
    names.emplace_back(name);
    return members.emplace_back();
  }
};

void append_json(const JsonTree& tree, std::string& out) {
  if (tree.members.empty()) {
    body::encode_json_string(tree.value, out);
    return;
  }
  out.push_back('{');
  for (std::size_t i = 0; i < tree.members.size(); ++i) {
    if (i > 0) out.push_back(',');
    body::encode_json_string(tree.names[i], out);
    out.push_back(':');
    append_json(tree.members[i], out);
  }
  out.push_back('}');
}

bool take_json(std::string_view path, const std::string& value, JsonTree& tree) {
  JsonTree* at = &tree;
  for (;;) {
    const std::size_t dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    if (name.empty() || name.find_first_of("[]*'\"") != std::string_view::npos) return false;
    if (at->is_value) return false;
    at = &at->at(name);
    if (dot == std::string_view::npos) break;
    path.remove_prefix(dot + 1);
  }
  if (!at->members.empty() || at->is_value) return false;
  at->value = value;
  at->is_value = true;
  return true;
}

bool fits_header(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20U || byte == 0x7FU;
  });
}

constexpr std::string_view kBoundary = "paravent-7f3a51d8c2e94b06";

void append_part(std::string_view name, std::string_view value, std::string& out) {
  out.append("--").append(kBoundary);
  out.append("\r\nContent-Disposition: form-data; name=\"").append(name).append("\"\r\n\r\n");
  out.append(value).append("\r\n");
}

}  // namespace

Result<std::string> request_of(admin::ProtectDesk::Values values) {
  std::string query;
  std::string lines;
  std::string cookies;
  std::string form;
  std::string parts;
  JsonTree json;
  for (const auto& [field, value] : values) {
    const std::size_t dot = field.find('.');
    const std::string_view carrier = std::string_view(field).substr(0, dot);
    const std::string_view name =
        dot == std::string::npos ? std::string_view() : std::string_view(field).substr(dot + 1);
    const bool simple = !name.empty() && fits_header(name) &&
                        name.find_first_of("\"'*:;= ") == std::string_view::npos;
    bool taken = simple;
    if (carrier == "form" && simple) {
      append_pair(name, value, form);
    } else if (carrier == "query" && simple) {
      append_pair(name, value, query);
    } else if (carrier == "multipart" && simple) {
      taken = value.find(kBoundary) == std::string::npos;
      append_part(name, value, parts);
    } else if (carrier == "header" && simple) {
      taken = fits_header(value);
      lines.append(name).append(": ").append(value).append("\r\n");
    } else if (carrier == "cookie" && simple) {
      taken = fits_header(value) && value.find_first_of(";, \"") == std::string::npos;
      cookies.append(cookies.empty() ? "" : "; ").append(name).append("=").append(value);
    } else if (carrier == "json" && simple) {
      taken = take_json(name, value, json);
    } else {
      taken = false;
    }
    if (!taken) {
      return Error(ErrorKind::usage,
                   "One of the fields cannot be written into a request here: form, query, "
                   "multipart, header, cookie and json with plain names.");
    }
  }
  const int bodies =
      (form.empty() ? 0 : 1) + (parts.empty() ? 0 : 1) + (json.members.empty() ? 0 : 1);
  if (bodies > 1) return Error(ErrorKind::usage, "The fields belong to two kinds of body.");
  std::string body = form;
  std::string_view type = "application/x-www-form-urlencoded";
  std::string typed;
  if (!parts.empty()) {
    body = parts.append("--").append(kBoundary).append("--\r\n");
    type = typed = "multipart/form-data; boundary=" + std::string(kBoundary);
  } else if (!json.members.empty()) {
    append_json(json, body);
    type = "application/json";
  }
  std::string request = "POST /" + (query.empty() ? "" : "?" + query) + " HTTP/1.1\r\n";
  request.append("Host: protect.invalid\r\n").append(lines);
  if (!cookies.empty()) request.append("Cookie: ").append(cookies).append("\r\n");
  if (bodies > 0) request.append("Content-Type: ").append(type).append("\r\n");
  // Said in so many bytes, so that nothing at the value's end is taken for the end of a file.
  request.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  return request.append(body);
}

const policies::RoutePlan* ProtectorDesk::find(const Snapshot& snapshot,
                                               const crypto::vault::Id& tenant,
                                               std::string_view route) const {
  const auto& plan = *snapshot.plan;
  for (const auto& known : plan.routes()) {
    if (known->name != route || known->mode != policies::RouteMode::protect) continue;
    const auto id = vault_.tenant_id(plan.tenants()[known->tenant].name);
    if (id && *id == tenant) return known.get();
  }
  return nullptr;
}

std::optional<std::string> ProtectorDesk::purpose_of(const crypto::vault::Id& tenant,
                                                     std::string_view route) const {
  const auto snapshot = snapshot_();
  if (snapshot == nullptr) return std::nullopt;
  const policies::RoutePlan* found = find(*snapshot, tenant, route);
  return found == nullptr ? std::nullopt : std::optional(found->purpose);
}

Result<std::vector<admin::ProtectedField>> ProtectorDesk::protect(const crypto::vault::Id& tenant,
                                                                  std::string_view route,
                                                                  Values values) {
  const auto snapshot = snapshot_();
  if (snapshot == nullptr) return Error(ErrorKind::sealed);
  const policies::RoutePlan* found = find(*snapshot, tenant, route);
  if (found == nullptr) return Error(ErrorKind::usage, "The policy has no such route.");
  if (!snapshot->keys_available || snapshot->lacks_keys(found->id)) return Error(ErrorKind::sealed);
  auto request = request_of(values);
  if (!request) return request.error();
  auto explainer = Explainer::over(snapshot, vault_);
  if (!explainer) return explainer.error();
  const Explanation made = (*explainer)->explain_as(*found, *request);
  crypto::wipe(*request);
  if (made.outcome != "forwarded") {
    if (made.reason == "sealed") return Error(ErrorKind::sealed);
    if (made.reason == "store-unavailable") return Error(ErrorKind::unreachable);
    return Error(ErrorKind::refused,
                 made.reason + (made.field.empty() ? std::string() : " " + made.field));
  }
  std::vector<admin::ProtectedField> results;
  for (const auto& [field, value] : values) {
    const auto explained = std::find_if(
        made.fields.begin(), made.fields.end(),
        [name = std::string_view(field)](const ExplainedField& one) { return one.path == name; });
    if (explained == made.fields.end()) {
      results.push_back({field, "keep", value});  // no rule lists it, and `unlisted` keeps it
    } else {
      results.push_back({field, explained->action, explained->after});
    }
  }
  return results;
}

}  // namespace paravent::proxy::main
