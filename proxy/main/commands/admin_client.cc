#include "proxy/main/commands/admin_client.h"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>
#include <variant>

#include "crypto/tokens/normaliser.h"
#include "crypto/vault/engine/base/durable_file.h"
#include "policies/model/upstream_address.h"
#include "proxy/body/wrapping.h"
#include "proxy/main/io/http_client.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

// What went wrong, for people.
Error error_of(const Error& error, const std::string& url) {
  switch (error.kind()) {
    case ErrorKind::usage:
      return {ErrorKind::usage,
              "--admin takes an address such as http://127.0.0.1:8081 or unix:/run/paravent.sock."};
    case ErrorKind::verification:
      return {ErrorKind::unreachable,
              "The admin API at " + url +
                  " cannot be trusted: its certificate is not for that name, or not from an "
                  "authority that is known; give its file with --ca."};
    case ErrorKind::unreachable:
      return {ErrorKind::unreachable, "The admin API at " + url +
                                          " does not answer; is the gateway running, and is this "
                                          "its --admin address?"};
    default:
      return error;
  }
}

// `localhost` is this machine (RFC 6761 6.3). What is no URL at all is for the exchange to refuse.
bool goes_in_the_clear(const std::string& url) {
  const auto parsed = policies::parse_upstream(url);
  const auto* address = std::get_if<policies::UpstreamAddress>(&parsed);
  return address != nullptr && !address->tls && !policies::is_loopback(*address) &&
         address->host != "localhost";
}

Result<AdminAnswer> ask(bool post, const AdminAddress& at, std::string_view path,
                        const crypto::SecretBytes& credential, std::string_view json) {
  if (goes_in_the_clear(at.url)) {
    return Error(ErrorKind::usage,
                 "--admin names another machine over http, where anybody on the way reads "
                 "credentials and values; use https, or reach its loopback address through SSH.");
  }
  HttpQuestion question;
  question.url = at.url;
  question.path = path;
  question.ca = at.ca;
  question.post = post;
  question.body = json;
  if (!credential.empty()) {
    std::string authorization = "Bearer ";
    authorization.append(crypto::as_text(credential.bytes()));
    question.headers.emplace_back("Authorization", std::move(authorization));
  }
  auto answer = http_exchange(question);
  for (auto& [name, value] : question.headers) crypto::wipe(value);
  if (!answer) return error_of(answer.error(), at.url);
  return AdminAnswer{answer->status, std::move(answer->body)};
}

}  // namespace

Result<AdminAnswer> admin_post(const AdminAddress& at, std::string_view path,
                               const crypto::SecretBytes& credential, std::string_view json) {
  return ask(true, at, path, credential, json);
}

Result<AdminAnswer> admin_get(const AdminAddress& at, std::string_view path,
                              const crypto::SecretBytes& credential) {
  return ask(false, at, path, credential, {});
}

Result<AdminAnswer> admin_get_list(const AdminAddress& at, std::string_view path,
                                   std::string_view name, const crypto::SecretBytes& credential) {
  const Error stranger(ErrorKind::unreachable, "What answered is not the admin API of a gateway.");
  const std::string first = std::string(path) + "?count=1000";
  boost::json::array whole;
  std::string after;
  for (;;) {
    auto answer = admin_get(at, after.empty() ? first : first + "&after=" + after, credential);
    if (!answer || answer->status != 200) return answer;
    boost::system::error_code malformed;
    boost::json::value document = boost::json::parse(answer->body, malformed);
    auto* object = malformed ? nullptr : document.if_object();
    auto* items = object != nullptr ? object->if_contains(name) : nullptr;
    if (items == nullptr || !items->is_array()) return stranger;
    const auto* next = object->if_contains("next");
    if (next == nullptr && after.empty()) return answer;
    crypto::wipe(answer->body);
    for (boost::json::value& item : items->get_array()) whole.push_back(std::move(item));
    if (next == nullptr) {
      boost::json::object all;
      all[name] = std::move(whole);
      return AdminAnswer{200, boost::json::serialize(all) + "\n"};
    }
    if (!next->is_string() || items->get_array().empty()) return stranger;
    std::string then;
    body::wrap_percent({next->get_string().data(), next->get_string().size()}, then);
    if (then == after) return stranger;
    after = std::move(then);
  }
}

Error admin_error(const AdminAnswer& answer) {
  boost::system::error_code ignored;
  const auto problem = boost::json::parse(answer.body, ignored);
  std::string sentence = "The admin API answered " + std::to_string(answer.status);
  if (const auto* object = problem.if_object()) {
    if (const auto* title = object->if_contains("title"); title != nullptr && title->is_string()) {
      sentence += ": " + std::string(title->get_string());
    }
  }
  const bool barred =
      answer.status == 401 || answer.status == 403 || answer.status == 409 || answer.status == 429;
  const ErrorKind kind = barred                 ? ErrorKind::refused
                         : answer.status >= 500 ? ErrorKind::unreachable
                                                : ErrorKind::usage;
  return {kind, sentence};
}

namespace {

// b64token of RFC 6750.
bool is_credential_byte(char c) {
  constexpr std::string_view kMarks = "-._~+/=";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kMarks.find(c) != std::string_view::npos;
}

}  // namespace

Result<crypto::SecretBytes> read_credential(const std::string& file, CredentialOf whose) {
  if (file.empty()) {
    return Error(ErrorKind::usage,
                 "Give the file that holds your credential with --credential-file.");
  }
  auto read = crypto::vault::read_file(file, 4096);
  if (!read) {
    return Error(ErrorKind::usage, "The credential file " + file + " cannot be read.");
  }
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  std::string_view text = crypto::as_text(read->bytes());
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  text = crypto::trim(text);
  if (text.starts_with('{')) {
    const std::string_view marker =
        whose == CredentialOf::admin ? R"("admin_credential":")" : R"("credential":")";
    const std::size_t at = text.find(marker);
    if (at == std::string_view::npos) {
      return Error(ErrorKind::usage, "The file " + file +
                                         " holds no operator's credential (a "
                                         "credential leaves the first-credentials file at its "
                                         "first use).");
    }
    text.remove_prefix(at + marker.size());
    return crypto::SecretBytes::copy_of(text.substr(0, text.find('"')));
  }
  if (text.empty()) return Error(ErrorKind::usage, "The credential file " + file + " is empty.");
  if (!std::all_of(text.begin(), text.end(), is_credential_byte)) {
    return Error(ErrorKind::usage, "The credential file " + file +
                                       " holds more than a credential: put it there alone, on one "
                                       "line, without quotes and without a word before it.");
  }
  return crypto::SecretBytes::copy_of(text);
}

}  // namespace paravent::proxy::main
