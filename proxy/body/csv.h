// CSV with a header line (RFC 4180): columns have the names of the first record, every further
// record has a cell for each of them.
//
// Stricter than the RFC in everything that readers differ about. Commas separate, LF or CRLF ends a
// record and the last one need not end so, one of the two throughout; behind the header stands at
// least one record, for a single line is a record to whoever expects no header; a quote stands only
// around a whole cell, doubled inside of it; records all have as many cells as the header; names
// are not empty, each once, without quotes or blanks around them; no control bytes but the line
// ends (tabs too: other programs separate by them), no byte order mark, UTF-8. Anything else is
// malformed.

#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/body/field.h"

namespace paravent::proxy::body {

struct CsvLimits {
  std::size_t columns = 512;
  std::size_t cells = 200'000;
  std::size_t name_bytes = 1024;
};

// The header's cells are no fields; the fields are the cells below, by their column's name. A
// cell's value and whole are the cell as it stands, quotes included.
ScanStatus scan_csv(std::string_view text, const CsvLimits& limits, FlatVisitor& visitor);

// Appends the text of a cell. REQUIRES: `raw` comes from a scan that answered ok.
void decode_csv_value(std::string_view raw, std::string& out);
// Appends `text` as a cell, in quotes where it needs them. False: a control byte other than a line
// end, or a tab; then nothing is appended.
[[nodiscard]] bool encode_csv_value(std::string_view text, std::string& out);

// Appends byte edits for field edits (in scan order). A removed cell is left empty: its column
// stays.
void csv_edits(std::string_view text, std::span<const FieldEdit> fields, std::vector<Edit>& out);

}  // namespace paravent::proxy::body
