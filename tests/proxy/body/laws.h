// The two laws of the codecs, as functions from (text, seed) to a complaint or nothing. The
// property tests feed them generated texts and the fuzz targets feed them anything.
//
//   1. Splicing no edits gives the text back, byte for byte.
//   2. After replacing some fields and removing others, scanning sees exactly the fields that a
//   plain
//      list of names and values says are left.
//
// A text that the codec refuses obeys both: nothing is ever spliced into it.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxy/body/lines.h"

namespace paravent::proxy::body::test {

// Empty: the laws hold. `accepted` says whether the codec took the text.
struct Verdict {
  std::string complaint;
  bool accepted = false;
};

Verdict check_form_laws(std::string_view text, std::uint64_t seed);
Verdict check_csv_laws(std::string_view text, std::uint64_t seed);
Verdict check_xml_laws(std::string_view text, std::uint64_t seed);
Verdict check_cookie_laws(std::string_view text, std::uint64_t seed);
Verdict check_multipart_laws(std::string_view text, std::string_view boundary, std::uint64_t seed);
// A multipart body that is streamed is read as the whole one is, whatever it is split into, and
// what was gathered and handed on is the body again.
Verdict check_multipart_stream(std::string_view text, std::string_view boundary,
                               std::uint64_t seed);
// A picture freed of its metadata is the same whatever it is split into, and once more freed it
// stays as it is. `text` is taken for a JPEG or a PNG by its first byte.
Verdict check_picture(std::string_view text, std::uint64_t seed);
Verdict check_json_laws(std::string_view text, std::uint64_t seed);
Verdict check_json_line_laws(std::string_view text, LineForm form, std::uint64_t seed);
Verdict check_mixed_laws(std::string_view text, std::string_view boundary, std::uint64_t seed);
Verdict check_form_line_laws(std::string_view text, std::uint64_t seed);

}  // namespace paravent::proxy::body::test
