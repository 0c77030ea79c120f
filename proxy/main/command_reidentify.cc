#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <map>
#include <string_view>

#include "crypto/tokens/token_detector.h"
#include "crypto/tokens/token_text.h"
#include "proxy/main/admin_client.h"
#include "proxy/main/commands.h"
#include "proxy/main/exit_code.h"
#include "proxy/main/text_file.h"

namespace paravent::proxy::main {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using crypto::Result;

constexpr std::size_t kBatch = 500;
constexpr std::size_t kMaxTextBytes = 16 * 1024 * 1024;

struct Answered {
  std::string status;
  std::string value;
};
using Answers = std::map<std::string, Answered>;

// A token in a text, with the mail domain where it was given that shape.
struct Place {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string token;
};

bool is_domain_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-';
}

std::vector<Place> find_places(std::string_view text) {
  std::vector<Place> places;
  crypto::find_tokens(text, [&](std::size_t offset, std::size_t length) {
    std::size_t end = offset + length;
    if (end < text.size() && text[end] == '@') {
      std::size_t domain_end = end + 1;
      while (domain_end < text.size() && is_domain_character(text[domain_end])) ++domain_end;
      // A full stop behind the address ends the sentence, not the domain.
      while (text[domain_end - 1] == '.' || text[domain_end - 1] == '-') --domain_end;
      const std::string_view shaped = text.substr(offset, domain_end - offset);
      if (crypto::strip_email_shape(shaped).size() == length) end = domain_end;
    }
    places.push_back({offset, end, std::string(text.substr(offset, length))});
  });
  return places;
}

Error api_error(const AdminAnswer& answer) {
  boost::system::error_code ignored;
  const auto problem = boost::json::parse(answer.body, ignored);
  std::string sentence = "The admin API answered " + std::to_string(answer.status);
  if (const auto* object = problem.if_object()) {
    if (const auto* title = object->if_contains("title"); title != nullptr && title->is_string()) {
      sentence += ": " + std::string(title->get_string());
    }
  }
  const ErrorKind kind = answer.status == 401 || answer.status == 403 ? ErrorKind::refused
                         : answer.status >= 500                       ? ErrorKind::unreachable
                                                                      : ErrorKind::usage;
  return {kind, sentence};
}

crypto::Status ask(const ReidentifyOptions& options, const crypto::SecretBytes& credential,
                   const std::vector<std::string>& tokens, Answers& answers,
                   boost::json::array& raw) {
  for (std::size_t at = 0; at < tokens.size(); at += kBatch) {
    const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end =
        tokens.begin() + static_cast<std::ptrdiff_t>(std::min(tokens.size(), at + kBatch));
    const boost::json::object request = {{"purpose", options.purpose},
                                         {"reason", options.reason},
                                         {"tokens", boost::json::array(begin, end)}};
    auto answer =
        admin_post(options.admin, "/v1/reidentify", credential, boost::json::serialize(request));
    if (!answer) return answer.error();
    if (answer->status != 200) return api_error(*answer);
    boost::system::error_code malformed;
    const auto document = boost::json::parse(answer->body, malformed);
    crypto::wipe(answer->body);
    const auto* object = document.if_object();
    const auto* results = object != nullptr ? object->if_contains("results") : nullptr;
    if (malformed || results == nullptr || !results->is_array()) {
      return Error(ErrorKind::unreachable, "What answered is not the admin API of a gateway.");
    }
    for (const auto& result : results->get_array()) {
      const auto& one = result.as_object();
      Answered& answered = answers[std::string(one.at("token").as_string())];
      answered.status = std::string(one.at("status").as_string());
      if (const auto* value = one.if_contains("value")) answered.value = value->as_string();
      if (options.json) raw.push_back(one);
    }
  }
  return {};
}

bool has_value(const Answered& answered) {
  return answered.status == "revealed" || answered.status == "masked" ||
         answered.status == "replaced";
}

// Everything but the tokens stays as it was; a token that may not be opened stays too.
int filter_text(const ReidentifyOptions& options, const crypto::SecretBytes& credential) {
  auto text = read_text_file("/dev/stdin", kMaxTextBytes);
  if (!text) return fail(text.error());
  const std::vector<Place> places = find_places(*text);
  std::vector<std::string> tokens;
  for (const Place& place : places) tokens.push_back(place.token);
  Answers answers;
  boost::json::array ignored;
  if (auto status = ask(options, credential, tokens, answers, ignored); !status) {
    return fail(status.error());
  }
  std::string out;
  std::size_t at = 0;
  std::size_t kept = 0;
  for (const Place& place : places) {
    out.append(*text, at, place.begin - at);
    const Answered& answered = answers[place.token];
    if (has_value(answered)) {
      out.append(answered.value);
    } else {
      out.append(*text, place.begin, place.end - place.begin);
      ++kept;
    }
    at = place.end;
  }
  out.append(*text, at);
  std::fwrite(out.data(), 1, out.size(), stdout);
  std::fflush(stdout);
  if (kept == 0) return static_cast<int>(ExitCode::done);
  return fail(ExitCode::refused, std::to_string(kept) + " of " + std::to_string(places.size()) +
                                     " tokens could not be re-identified and stand as they were.");
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
      std::printf("%s\n", answered.value.c_str());
    } else {
      std::printf("\n");
      std::fprintf(stderr, "paravent: %s: %s\n", token.c_str(), answered.status.c_str());
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
  const bool filter = options.tokens.empty() || options.tokens == std::vector<std::string>{"-"};
  return filter ? filter_text(options, *credential) : list_tokens(options, *credential);
}

}  // namespace paravent::proxy::main
