// Bodies that are several documents, one a line: newline-delimited JSON, beacons with one
// urlencoded event a line (Google Analytics), and envelopes (Sentry,
// https://develop.sentry.dev/sdk/foundations/transport/envelopes/): a header, then for each item a
// header and a payload, which is as long as the header's `length` says or ends with its line.
//
// Each document is read as strictly as a body of its own. A JSON value's path begins with the
// number of its document, as if they were the elements of one array: json[0] is the first line; in
// an envelope json[0] is its header, json[1] and json[2] the first item's header and payload. Lines
// end with LF, or CRLF, the last one need not; an empty line is no JSON, and a form without fields.
// Payloads of types that are no JSON (attachments, replay recordings) are one opaque value each,
// json[N].TYPE with is_file set, which can be kept or go with their item and not be read. `type`
// and `length` of item headers belong to the framing: no visitor sees them, and `length` follows
// what is done to its payload.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/body/field.h"
#include "proxy/body/form.h"
#include "proxy/body/json.h"

namespace paravent::proxy::body {

inline constexpr std::size_t kMaxLines = 10000;  // more are too_large

enum class LineForm : std::uint8_t { each, envelope };

// One document as it lies in the bytes.
struct Line {
  Span text;
  Span item;    // envelope payloads: from the item's header to behind the payload's line end
  Span length;  // envelope payloads: the number in the item's header; empty: none there
  bool opaque = false;
};

// Replaces `lines` by what was found.
ScanStatus scan_json_lines(std::string_view text, LineForm form, const JsonLimits& limits,
                           JsonScanner& scanner, JsonVisitor& visitor, std::vector<Line>& lines);
ScanStatus scan_form_lines(std::string_view text, const FormLimits& limits, std::string& scratch,
                           FlatVisitor& visitor, std::vector<Line>& lines);

// As json_edits() and form_edits(), with the lines that the scan found. New lengths are written to
// `arena`, which is the one that the replacements lie in.
void json_line_edits(std::string_view text, std::span<const Line> lines,
                     std::span<const FieldEdit> fields, std::string& arena, std::vector<Edit>& out);
void form_line_edits(std::string_view text, std::span<const Line> lines,
                     std::span<const FieldEdit> fields, std::vector<Edit>& out);

}  // namespace paravent::proxy::body
