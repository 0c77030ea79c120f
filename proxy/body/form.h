// application/x-www-form-urlencoded and query strings (WHATWG URL 5): pairs split on '&' only.
//
// Refused as malformed: '%' not followed by two hex digits, a raw ';' (some parsers split on it), a
// raw control byte or NUL, %00 in a name, a name that is not UTF-8 once decoded. '+' decodes to a
// space. An empty pair (`a=1&&b=2`) is kept as it is and is no field; a pair without '=' has an
// empty value.

#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/body/field.h"

namespace paravent::proxy::body {

struct FormLimits {
  std::size_t fields = 512;
  std::size_t name_bytes = 1024;  // decoded
};

// `scratch` holds decoded names during the calls.
ScanStatus scan_form(std::string_view text, const FormLimits& limits, std::string& scratch,
                     FlatVisitor& visitor);

// Appends the decoded value. REQUIRES: `raw` comes from a scan that answered ok.
void decode_form_value(std::string_view raw, std::string& out);
// Appends `text` so that scanning reads it back; unreserved characters stay (RFC 3986 2.3).
void encode_form_value(std::string_view text, std::string& out);

// Appends byte edits for field edits (in scan order); a removed pair takes one '&' with
// it. A pair without '=' gets one in front of its new value.
void form_edits(std::string_view text, std::span<const FieldEdit> fields, std::vector<Edit>& out);

}  // namespace paravent::proxy::body
