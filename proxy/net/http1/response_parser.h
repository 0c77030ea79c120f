// ResponseParser: reads the head of an upstream's answer, strictly and resumably, and decides how
// its body is framed (RFC 9112 6.3). Whatever is in doubt is bad: the answer becomes 502 and the
// connection is destroyed.
//
// Laxer than the request side in two points only: header names may be any tokens, and a status line
// may end after the code; both have one meaning and applications do send them. One thread.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "proxy/net/http1/framing_fields.h"
#include "proxy/net/http1/line_scanner.h"
#include "proxy/pipeline/http_head.h"

namespace paravent::proxy::http1 {

enum class ResponseStatus : std::uint8_t { need_more, done, bad };

class ResponseParser {
 public:
  // Begins a head. `lines` bounds the number of header lines; it and the buffer must stay while the
  // head is used. `to_head`: the request was a HEAD, whose answer never has a body.
  void begin(std::span<HeaderLine> lines, std::size_t head_bytes, bool to_head) noexcept;

  // As RequestParser::parse.
  ResponseStatus parse(std::string_view bytes) noexcept;

  // done only. An interim answer (1xx) has framing none; the caller skips it and begins again.
  const ResponseHead& head() const noexcept { return head_; }
  std::size_t size() const noexcept { return scanner_.position(); }

 private:
  bool take_status_line(std::string_view line) noexcept;
  bool take_header(std::string_view line) noexcept;
  bool settle_framing() noexcept;

  std::span<HeaderLine> lines_;
  std::size_t head_bytes_ = 0;
  LineScanner scanner_;
  ResponseHead head_;
  FramingFields framing_;
  std::size_t count_ = 0;
  bool to_head_ = false;
  bool http_1_0_ = false;
  bool has_status_line_ = false;
};

}  // namespace paravent::proxy::http1
