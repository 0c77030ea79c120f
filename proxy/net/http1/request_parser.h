// RequestParser: the strict gate in front of everything. Reads one HTTP/1.1 or 1.0 request head in
// the connection's read buffer, without copying, and goes on where it stopped when more bytes
// arrive.
//
// Accepts only what every reader reads the same way (RFC 9112, RFC 9110; rules and reasons:
// docs/request-path.md); the rest is a Reason. One parser per connection, one thread; allocates
// nothing.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "proxy/net/http1/framing_fields.h"
#include "proxy/net/http1/line_scanner.h"
#include "proxy/pipeline/http_head.h"
#include "proxy/pipeline/refusal.h"

namespace paravent::proxy::http1 {

enum class ParseStatus : std::uint8_t { need_more, done, refused };

class RequestParser {
 public:
  // Begins a head. `lines` receives the header lines, its size is the limit of their number; both
  // it and the buffer must stay until the exchange ends.
  void begin(std::span<HeaderLine> lines, std::size_t header_bytes,
             std::size_t line_bytes) noexcept;

  // `bytes` begins with the head's first byte, at the same address as in the calls before, and has
  // only grown. Escapes of the path are put into upper case in place. The answer does not depend on
  // how the bytes were cut.
  ParseStatus parse(std::span<char> bytes) noexcept;

  // done only: views of the buffer and of `lines`; and the bytes that the head took.
  const RequestHead& head() const noexcept { return head_; }
  std::size_t size() const noexcept { return scanner_.position(); }
  // refused only.
  Reason reason() const noexcept { return reason_; }

 private:
  ParseStatus refuse(Reason reason) noexcept;
  bool take_request_line(std::span<char> line) noexcept;
  bool take_target(std::span<char> target) noexcept;
  bool take_header(std::string_view line) noexcept;
  bool take_host(std::string_view value) noexcept;
  ParseStatus finish() noexcept;
  bool settle_framing() noexcept;
  bool settle_expectation() noexcept;

  std::span<HeaderLine> lines_;
  std::size_t header_bytes_ = 0;
  std::size_t line_bytes_ = 0;
  LineScanner scanner_;
  RequestHead head_;
  FramingFields framing_;
  std::string_view authority_;  // of an absolute-form target
  std::size_t count_ = 0;
  std::uint8_t expectations_ = 0;
  std::uint8_t content_types_ = 0;
  bool has_request_line_ = false;
  bool unknown_expectation_ = false;
  Reason reason_ = Reason::framing;
};

}  // namespace paravent::proxy::http1
