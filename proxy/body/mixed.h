// multipart/mixed as xAPI uses it (RFC 2046 5.1.3; xAPI 1.0.3, Communication 1.5.2): a first part
// that is JSON, then attachments.
//
// The first part is read as strictly as a JSON body, and its fields have the paths that they would
// have there. Each attachment is one opaque value, json[N].attachment with N its number from 1: it
// is kept, or goes with its part, and is not read. Refused as malformed: bytes before the first or
// behind the last delimiter (one final CRLF is allowed), white space behind a delimiter, a missing
// final delimiter, a line that begins as a delimiter does and is none; in part heads bare LF or CR,
// folded lines, a header twice, another header than Content-Type, Content-Transfer-Encoding,
// Content-Disposition and X-Experience-API-Hash. A first part that is not UTF-8 JSON, and an
// encoding other than 7bit, 8bit or binary, are unsupported. No JSON text can hold a line that
// begins as a delimiter does, so that what is written into it cannot end its part.

#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "proxy/body/field.h"
#include "proxy/body/json.h"
#include "proxy/body/lines.h"

namespace paravent::proxy::body {

inline constexpr std::size_t kMaxMixedParts = 128;
inline constexpr std::size_t kMaxMixedHead = 4096;  // bytes of one part's head

// Replaces `parts` by what was found: Line::text is a part's content, Line::item what removing it
// takes. REQUIRES: `boundary` was accepted by parse_content_type.
ScanStatus scan_mixed(std::string_view text, std::string_view boundary, const JsonLimits& limits,
                      JsonScanner& scanner, JsonVisitor& visitor, std::vector<Line>& parts);

// Appends byte edits for field edits (in scan order).
void mixed_edits(std::string_view text, std::span<const Line> parts,
                 std::span<const FieldEdit> fields, std::vector<Edit>& out);

}  // namespace paravent::proxy::body
