// multipart/form-data (RFC 7578, RFC 2046 5.1), whole and in memory, strictly.
//
// Refused as malformed: bytes before the first or after the last delimiter (one final CRLF is
// allowed), white space behind a delimiter, a missing final delimiter; the boundary at the start of
// a line that is no delimiter, because readers disagree about it; in part heads bare LF or CR,
// folded lines, a header or parameter twice, a part without a name, a name with a backslash, in
// single quotes or with %22, %0A or %0D (readers disagree whether these are escapes), any parameter
// with '*' (`name*=`, `filename*=`), a Content-Length that is not the part's.
// Content-Transfer-Encoding other than 7bit, 8bit or binary, a charset other than UTF-8 or
// US-ASCII, and nested multipart are unsupported. Other part headers are kept and mean nothing.
// Uploads are reported with is_file; deciding about them is the policy's business. No part at all
// (`--B--`) is ok.

#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/body/field.h"

namespace paravent::proxy::body {

struct MultipartLimits {
  std::size_t parts = 128;
  std::size_t headers_per_part = 8;
  std::size_t part_head_bytes = 4096;
};

// REQUIRES: `boundary` was accepted by parse_content_type (1 to 70 characters of RFC 2046's set).
// Names are read as they stand, without decoding, so `scratch` stays untouched: it is here because
// all codecs of names and values are called alike.
ScanStatus scan_multipart(std::string_view text, std::string_view boundary,
                          const MultipartLimits& limits, std::string& scratch,
                          FlatVisitor& visitor);

// Part contents are raw: decoding is the identity and so is encoding, but a replacement that
// has the boundary at the start of a line would break the framing; false then.
bool multipart_value_is_safe(std::string_view text, std::string_view boundary);

// Appends byte edits for field edits (in scan order); a removed part takes the delimiter before it
// along. A part with a new value loses its Content-Length.
void multipart_edits(std::string_view text, std::span<const FieldEdit> fields,
                     std::vector<Edit>& out);

// The line of the part's head that states its length, with its CRLF; empty where none does.
// REQUIRES: the field comes from a scan of this text.
Span multipart_length_line(std::string_view text, const Field& field);

// Whether the type of the part's content states a name for it (`name=`, `filename*=`). REQUIRES: as
// above.
bool multipart_type_names_file(std::string_view text, const Field& field) noexcept;

}  // namespace paravent::proxy::body
