#include "proxy/body/media_type.h"

#include <algorithm>
#include <iterator>

#include "proxy/body/header_value.h"

namespace paravent::proxy::body {
namespace {

constexpr std::size_t kMaxBoundary = 70;  // RFC 2046 5.1.1

bool has_suffix(std::string_view subtype, std::string_view suffix) noexcept {
  return subtype.size() > suffix.size() &&
         equals_ignoring_case(subtype.substr(subtype.size() - suffix.size()), suffix);
}

// REQUIRES: `word` in lower case, of letters and '-'.
bool holds_word(std::string_view text, std::string_view word) noexcept {
  for (std::size_t at = 0; at + word.size() <= text.size(); ++at) {
    if (equals_ignoring_case(text.substr(at, word.size()), word)) return true;
  }
  return false;
}

// Readers that look for such a word anywhere in the header (formidable's) take the body for
// something else than its type says.
bool names_a_form(std::string_view text) noexcept {
  constexpr std::string_view kWords[] = {"urlencoded", "multipart", "form-data", "boundary"};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [text](std::string_view word) { return holds_word(text, word); });
}

MediaType classify(std::string_view type, std::string_view subtype) noexcept {
  if (equals_ignoring_case(type, "application")) {
    if (equals_ignoring_case(subtype, "x-www-form-urlencoded")) return MediaType::form;
    if (names_a_form(subtype)) return MediaType::other;
    if (equals_ignoring_case(subtype, "json")) return MediaType::json;
    for (const std::string_view lines : {"x-ndjson", "ndjson", "jsonl", "x-sentry-envelope"}) {
      if (equals_ignoring_case(subtype, lines)) return MediaType::lines;
    }
    if (equals_ignoring_case(subtype, "xml") || has_suffix(subtype, "+xml")) return MediaType::xml;
    return has_suffix(subtype, "+json") ? MediaType::json : MediaType::other;
  }
  if (equals_ignoring_case(type, "multipart")) {
    if (equals_ignoring_case(subtype, "form-data")) return MediaType::multipart;
    if (equals_ignoring_case(subtype, "mixed")) return MediaType::mixed;
  }
  if (equals_ignoring_case(type, "text")) {
    if (equals_ignoring_case(subtype, "plain")) return MediaType::text;
    if (equals_ignoring_case(subtype, "csv")) return MediaType::csv;
    if (equals_ignoring_case(subtype, "xml")) return MediaType::xml;
  }
  return MediaType::other;
}

bool has_boundary(MediaType type) noexcept {
  return type == MediaType::multipart || type == MediaType::mixed;
}

// RFC 2046 5.1.1: bchars, and no space at the end.
bool is_boundary(std::string_view text) noexcept {
  if (text.empty() || text.size() > kMaxBoundary || text.back() == ' ') return false;
  constexpr std::string_view kPunctuation = "'()+_,-./:=? ";
  for (const char c : text) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (!alphanumeric && kPunctuation.find(c) == std::string_view::npos) return false;
  }
  return true;
}

}  // namespace

std::optional<ContentType> parse_content_type(std::string_view value) {
  // The two that nearly all bodies have, in the spelling that nearly all clients use.
  if (value == "application/x-www-form-urlencoded") return ContentType{MediaType::form, {}, true};
  if (value == "application/json") return ContentType{MediaType::json, {}, true};
  const std::string_view type = leading_token(value);
  if (type.empty() || type.size() == value.size() || value[type.size()] != '/') return std::nullopt;
  const std::string_view subtype = leading_token(value.substr(type.size() + 1));
  if (subtype.empty()) return std::nullopt;
  ContentType out;
  out.type = classify(type, subtype);
  bool empty_parameter = false;
  ParameterReader reader(value.substr(type.size() + 1 + subtype.size()));
  for (Parameter parameter;;) {
    const ParameterReader::Step step = reader.next(parameter);
    if (step == ParameterReader::Step::end) break;
    if (step == ParameterReader::Step::malformed) return std::nullopt;
    if (step == ParameterReader::Step::empty) {
      empty_parameter = true;
      continue;
    }
    if (parameter.has_backslash) return std::nullopt;
    if (!has_boundary(out.type) &&
        (names_a_form(parameter.name) || names_a_form(parameter.value))) {
      out.type = MediaType::other;
    }
    if (equals_ignoring_case(parameter.name, "charset")) {
      out.utf8 = equals_ignoring_case(parameter.value, "utf-8") ||
                 equals_ignoring_case(parameter.value, "us-ascii");
    } else if (has_boundary(out.type) && equals_ignoring_case(parameter.name, "boundary")) {
      if (!is_boundary(parameter.value)) return std::nullopt;
      out.boundary = parameter.value;
    } else if (has_boundary(out.type)) {
      // PHP takes the first parameter whose name or value holds "boundary", Rack the last.
      return std::nullopt;
    }
  }
  // `text/plain;` is common and harmless; where the framing depends on the parameters it is not.
  if (has_boundary(out.type) && (out.boundary.empty() || empty_parameter)) {
    return std::nullopt;
  }
  return out;
}

}  // namespace paravent::proxy::body
