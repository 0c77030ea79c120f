// The head of one multipart/form-data part: what the scanner needs to know of its header lines
// (RFC 7578 4.2, 4.4, 4.5, 4.7, 4.8). Internal to the codec.

#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "proxy/body/field.h"
#include "proxy/body/multipart.h"

namespace paravent::proxy::body {

struct PartHead {
  std::string_view name;  // valid UTF-8, not empty
  bool has_filename = false;
  bool empty_filename = false;
  std::string_view file_name;     // as it stands between the quotes
  std::string_view content_type;  // the header's value; empty when absent
  // RFC 7578 4.8 ignores other headers; this one must at least be true, and goes when the content
  // is replaced (multipart_edits).
  std::optional<std::size_t> content_length;
  std::size_t size = 0;  // bytes up to the content, the empty line included
};

// Reads the head at the start of `text`.
ScanStatus read_part_head(std::string_view text, const MultipartLimits& limits, PartHead& out);

// The line (with its CRLF) of the header `name` (in any case) among whole lines; empty when absent.
std::string_view find_header_line(std::string_view lines, std::string_view name) noexcept;

}  // namespace paravent::proxy::body
