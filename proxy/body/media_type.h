// Content-Type (RFC 9110 8.3.1), parsed strictly into what the pipeline needs.
//
// Borrowed views of the header value; a quoted boundary with escapes is refused, so that views
// suffice. Refused: a repeated parameter, an empty or too long boundary, trailing bytes, bytes
// outside the grammar. A type that a reader may take for a form though it is none, by a word in its
// subtype or its parameters, is `other`.

#pragma once

#include <optional>
#include <string_view>

namespace paravent::proxy::body {

enum class MediaType : unsigned char {
  none,       // no Content-Type at all
  form,       // application/x-www-form-urlencoded
  multipart,  // multipart/form-data, boundary present
  mixed,      // multipart/mixed, boundary present
  json,       // application/json or application/*+json
  text,       // text/plain
  csv,        // text/csv
  xml,        // application/xml, text/xml or application/*+xml
  lines,      // application/x-ndjson, ndjson, jsonl, x-sentry-envelope
  other,
};

struct ContentType {
  MediaType type = MediaType::none;
  std::string_view boundary;  // multipart and mixed only, unquoted, 1 to 70 characters
  bool utf8 = true;           // no charset, or one of utf-8, us-ascii (any case)
};

// nullopt: the header does not have the form of RFC 9110.
std::optional<ContentType> parse_content_type(std::string_view value);

}  // namespace paravent::proxy::body
