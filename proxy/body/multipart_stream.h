// MultipartStream: multipart/form-data as it comes, without ever holding a file. What lies between
// two files (delimiters, heads, whole fields) is gathered as text; a file's content is handed on in
// views of the caller's own bytes.
//
// Accepts and refuses exactly what scan_multipart does, however the bytes are split. The two laws
// hold over the concatenation: texts and contents in order are the body, byte by byte. A part with
// a file name that is not empty is a file; what stands under an empty one is a field, gathered like
// any other, with Field::is_file where it has contents all the same.
//
//   segment: text() ... part, part, file | content, content, file_end | segment ... end
//
// The first text begins with the first delimiter, every later one with the CRLF behind the content.
// Memory: the text (bounded by `field_bytes` for the whole body), and half a KiB once there is a
// file. One thread, no input or output.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/body/boundary_finder.h"
#include "proxy/body/field.h"
#include "proxy/body/multipart.h"
#include "proxy/body/part_head.h"

namespace paravent::proxy::body {

class MultipartStream {
 public:
  enum class Event : std::uint8_t {
    need_more,  // what is left of the input cannot be told yet: show it again with more behind it
    field,      // part() is a whole field
    file,       // part() is a file whose head is the end of text(); its content follows
    content,    // content() is a piece of it
    file_end,   // it is over, and a new text has begun
    end,        // the last delimiter was read, and nothing lies behind it
    malformed,  // as ScanStatus; nothing follows
    too_large,
    unsupported,
  };

  struct Part {
    Span name;          // of text()
    Span content_type;  // of text(); empty where there is none
    Field field;        // spans of text(); a file's value is empty and lies at its end
  };

  // `boundary` must stay. REQUIRES: as scan_multipart.
  void begin(std::string_view boundary, const MultipartLimits& limits, std::size_t field_bytes);

  // Takes bytes off the front of `in`. `at_end`: the body ends behind `in`.
  Event next(std::string_view& in, bool at_end);

  const Part& part() const noexcept { return part_; }
  std::string_view content() const noexcept { return content_; }
  // Grows until the call that answers `file` or `end`, and stays until the second `file_end` after
  // that: it may still be on its way while the next one is gathered.
  std::string_view text() const noexcept { return text_; }
  // Overwrites what was gathered.
  void wipe() noexcept;

 private:
  enum class State : std::uint8_t { first, delimiter, head, value, content, trailer, over };

  Event next_text(std::string_view& in, bool at_end);
  bool take_line(std::string_view& in);
  Event parse(bool at_end);
  Event parse_delimiter(bool at_end);
  Event parse_head(bool at_end);
  Event parse_value(bool at_end);
  Event next_content(std::string_view& in, bool at_end);
  std::size_t held(std::string_view in) const noexcept;
  Event stop(Event event) noexcept;

  MultipartLimits limits_;
  std::string dash_boundary_;
  std::unique_ptr<BoundaryFinder> finder_;  // of dash_boundary_, once there is a file
  std::string text_;
  std::string last_text_;
  std::string_view content_;
  Part part_;
  PartHead head_;
  State state_ = State::first;
  Event stopped_ = Event::need_more;
  bool content_begins_ = false;
  std::size_t at_ = 0;        // of text_: where the delimiter, head or value under way begins
  std::size_t searched_ = 0;  // of text_: looked through so far
  std::size_t begin_ = 0;     // of text_: the part's delimiter
  std::size_t parts_ = 0;
  std::size_t fields_left_ = 0;  // bytes that texts may still take
  std::uint64_t content_bytes_ = 0;
};

}  // namespace paravent::proxy::body
