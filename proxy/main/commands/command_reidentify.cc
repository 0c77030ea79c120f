#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "crypto/base/bytes.h"
#include "crypto/base/encoding.h"
#include "crypto/base/secret_bytes.h"
#include "proxy/main/commands/admin_client.h"
#include "proxy/main/commands/commands.h"
#include "proxy/main/commands/encrypted_file.h"
#include "proxy/main/commands/exit_code.h"
#include "proxy/main/commands/progress_line.h"
#include "proxy/main/commands/token_places.h"
#include "proxy/main/io/text_file.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

constexpr std::size_t kBatch = 500;

struct Answered {
  std::string status;
  std::string value;
};
using Answers = std::map<std::string, Answered>;

Error not_the_api() {
  return Error(ErrorKind::unreachable, "What answered is not the admin API of a gateway.");
}

// Bytes that are no UTF-8 come in base64; whoever reads a text wants what was protected.
bool take_value(const boost::json::object& result, std::string_view value, Answered& answered) {
  const auto* encoding = result.if_contains("encoding");
  if (encoding == nullptr) {
    answered.value = value;
    return true;
  }
  auto bytes = crypto::from_base64(value);
  if (!bytes || *encoding != "base64") return false;
  answered.value = crypto::as_text(*bytes);
  crypto::wipe(*bytes);
  return true;
}

boost::json::array values_of(const ReidentifyOptions& options, std::span<const std::string> texts) {
  boost::json::array values;
  for (const std::string& text : texts) {
    boost::json::object value = {{"value", text}, {"field", options.field}};
    if (!options.route.empty()) value["route"] = options.route;
    if (!options.as_of.empty()) value["as_of"] = options.as_of;
    values.push_back(std::move(value));
  }
  return values;
}

crypto::Status ask(const ReidentifyOptions& options, const crypto::SecretBytes& credential,
                   const std::vector<std::string>& tokens, Answers& answers,
                   boost::json::array& raw) {
  ProgressLine line;
  for (std::size_t at = 0; at < tokens.size(); at += kBatch) {
    if (at > 0) {
      line.say(std::to_string(at) + " of " + std::to_string(tokens.size()) + " asked for");
    }
    const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end =
        tokens.begin() + static_cast<std::ptrdiff_t>(std::min(tokens.size(), at + kBatch));
    boost::json::object request = {{"purpose", options.purpose}, {"reason", options.reason}};
    if (!options.grant.empty()) request["grant"] = options.grant;
    if (options.field.empty()) {
      request["tokens"] = boost::json::array(begin, end);
    } else {
      request["values"] = values_of(options, {begin, end});
    }
    auto answer = admin_post({options.admin, options.ca}, "/v1/reidentify", credential,
                             boost::json::serialize(request));
    if (!answer) return answer.error();
    if (answer->status != 200) return admin_error(*answer);
    boost::system::error_code malformed;
    const auto document = boost::json::parse(answer->body, malformed);
    crypto::wipe(answer->body);
    const auto* object = document.if_object();
    const auto* results = object != nullptr ? object->if_contains("results") : nullptr;
    if (malformed || results == nullptr || !results->is_array()) {
      return not_the_api();
    }
    for (const auto& result : results->get_array()) {
      const auto& one = result.as_object();
      Answered& answered = answers[std::string(one.at("token").as_string())];
      answered.status = std::string(one.at("status").as_string());
      if (const auto* value = one.if_contains("value")) {
        if (!take_value(one, value->as_string(), answered)) return not_the_api();
      }
      if (options.json) raw.push_back(one);
    }
  }
  return {};
}

bool has_value(const Answered& answered) {
  return answered.status == "revealed" || answered.status == "masked" ||
         answered.status == "replaced" || answered.status == "unverified";
}

// Everything but the tokens stays as it was; a token that may not be opened stays too.
int filter_text(const ReidentifyOptions& options, const crypto::SecretBytes& credential) {
  auto text = read_text_file("/dev/stdin", kMaxTextBytes);
  if (!text) return fail(text.error());
  const std::vector<TokenPlace> places = find_token_places(*text);
  std::vector<std::string> tokens;
  for (const TokenPlace& place : places) tokens.push_back(place.token);
  Answers answers;
  boost::json::array ignored;
  if (auto status = ask(options, credential, tokens, answers, ignored); !status) {
    return fail(status.error());
  }
  const ReplacedText replaced =
      replace_tokens(*text, places, [&](const TokenPlace& place) -> std::optional<std::string> {
        const Answered& answered = answers[place.token];
        return has_value(answered) ? std::optional(answered.value) : std::nullopt;
      });
  std::fwrite(replaced.text.data(), 1, replaced.text.size(), stdout);
  std::fflush(stdout);
  warn_of_damaged_tokens(count_damaged_tokens(*text, places));
  if (replaced.kept == 0) return static_cast<int>(ExitCode::done);
  return fail(ExitCode::refused, std::to_string(replaced.kept) + " of " +
                                     std::to_string(places.size()) +
                                     " tokens could not be re-identified and stand as they were.");
}

// The file's key is the value of the token in its head: asked for like any other value, so that the
// audit entry is there before the first byte.
int reveal_file(const ReidentifyOptions& options, const crypto::SecretBytes& credential) {
  const auto token = token_of_file(options.file);
  if (!token) return fail(token.error());
  Answers answers;
  boost::json::array ignored;
  if (auto status = ask(options, credential, {*token}, answers, ignored); !status) {
    return fail(status.error());
  }
  Answered& answered = answers[*token];
  if (answered.status != "revealed") {
    return fail(ExitCode::refused,
                "The key of the file could not be re-identified: " + answered.status + ".");
  }
  const auto status = open_file(options.file, answered.value, options.out);
  crypto::wipe(answered.value);
  return status ? static_cast<int>(ExitCode::done) : fail(status.error());
}

// What the word stands for; which of its causes it is, the gateway tells nobody.
const char* meaning_of(std::string_view status) {
  if (status == "malformed") return " (no token, or one that was altered or cut)";
  if (status == "refused") return " (your role may not see it for this purpose, or not now)";
  if (status == "unavailable") {
    return " (not known here, or what it stood for is erased, destroyed or out of use)";
  }
  return "";
}

int list_tokens(const ReidentifyOptions& options, const crypto::SecretBytes& credential) {
  Answers answers;
  boost::json::array raw;
  if (auto status = ask(options, credential, options.tokens, answers, raw); !status) {
    return fail(status.error());
  }
  if (options.json) {
    std::printf("%s\n", boost::json::serialize(boost::json::object{{"results", raw}}).c_str());
  }
  std::size_t missing = 0;
  for (const std::string& token : options.tokens) {
    const Answered& answered = answers[token];
    if (!has_value(answered)) ++missing;
    if (options.json) continue;
    if (has_value(answered)) {
      std::fwrite(answered.value.data(), 1, answered.value.size(), stdout);
      std::fputc('\n', stdout);
    } else {
      std::fputc('\n', stdout);
      std::fprintf(stderr, "paravent: %s: %s%s\n", token.c_str(), answered.status.c_str(),
                   meaning_of(answered.status));
    }
  }
  if (missing == 0) return static_cast<int>(ExitCode::done);
  return fail(ExitCode::refused, std::to_string(missing) + " of " +
                                     std::to_string(options.tokens.size()) +
                                     " tokens could not be re-identified.");
}

}  // namespace

int run_reidentify(const ReidentifyOptions& options) {
  const auto credential = read_credential(options.credential_file);
  if (!credential) return fail(credential.error());
  if (!options.file.empty()) {
    if (!options.tokens.empty()) {
      return fail(ExitCode::usage, "Give either tokens or --file, not both.");
    }
    return reveal_file(options, *credential);
  }
  const bool filter = options.tokens.empty() || options.tokens == std::vector<std::string>{"-"};
  if (filter && !options.field.empty()) {
    return fail(ExitCode::usage, "Such values cannot be found in a text; give them after --field.");
  }
  if (filter && options.json) {
    return fail(ExitCode::usage, "A text is filtered as it is; give tokens with --json.");
  }
  return filter ? filter_text(options, *credential) : list_tokens(options, *credential);
}

}  // namespace paravent::proxy::main
