// XML 1.0 (https://www.w3.org/TR/xml/) as data: elements that hold either elements or text, read
// strictly in one pass and spliced.
//
// A field is the text of an element without child elements, or the value of an attribute. Its name
// is its path of local names from the root, `order/customer/email` and `order/customer/@id`; a
// namespace's prefix is the sender's choice and counts for nothing, declarations (xmlns) are no
// fields. Refused as malformed, beside what XML forbids: document types and so every entity but the
// five that are predefined, comments, processing instructions and CDATA sections, in which readers
// look for nothing or for everything; text beside elements; another version or encoding than 1.0
// and UTF-8; an attribute twice under one local name; control characters, escaped or not.

#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/body/field.h"

namespace paravent::proxy::body {

struct XmlLimits {
  std::size_t depth = 32;
  std::size_t fields = 20'000;    // elements and attributes
  std::size_t name_bytes = 1024;  // of a whole path
};

// An element's whole is the element with its tags, an attribute's whole has the blank in front of
// it too. Elements without text, or with blanks alone, are no fields but on_valueless(); their
// attributes are.
ScanStatus scan_xml(std::string_view text, const XmlLimits& limits, FlatVisitor& visitor);

// Appends the text of a value, references replaced. REQUIRES: `raw` comes from a scan that answered
// ok.
void decode_xml_value(std::string_view raw, std::string& out);
// Appends `text` so that scanning reads it back, in an element and in an attribute of either quote.
// False: a character that no XML text may hold, or that an attribute would not keep; then nothing
// is appended.
[[nodiscard]] bool encode_xml_value(std::string_view text, std::string& out);

// Appends byte edits for field edits (in scan order). The removed root is left, and empty; with a
// removed element all that is in it goes, whatever else was to be done there.
void xml_edits(std::string_view text, std::span<const FieldEdit> fields, std::vector<Edit>& out);

}  // namespace paravent::proxy::body
