// multipart/form-data (RFC 7578, RFC 2046 5.1), whole and in memory, strictly.
//
// Refused as malformed: bytes before the first or after the last boundary (one final CRLF is allowed), bare
// LF or CR in part heads, folded or unknown framing of part headers, a part without a name, `name*=` and
// `filename*=` together with or instead of their plain forms, a repeated parameter or header, a missing
// final boundary. Content-Transfer-Encoding other than 7bit, 8bit or binary, a charset other than UTF-8
// or US-ASCII, and nested multipart are unsupported. A part whose file name is not empty is reported with
// is_file; deciding about it is the policy's business.

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
ScanStatus scan_multipart(std::string_view text, std::string_view boundary,
                          const MultipartLimits& limits, std::string& scratch,
                          FlatVisitor& visitor);

// Part contents are raw: decoding is the identity and so is encoding, but a replacement that
// contains the delimiter would break the framing; false then.
bool multipart_value_is_safe(std::string_view text, std::string_view boundary);

// Appends byte edits for field edits (in scan order); a removed part takes its delimiter with it.
void multipart_edits(std::string_view text, std::span<const FieldEdit> fields,
                     std::vector<Edit>& out);

}  // namespace paravent::proxy::body
