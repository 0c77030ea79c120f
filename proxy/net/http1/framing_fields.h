// FramingFields: what a message's head says about the length of its body and the life of its
// connection, collected line by line and judged once the head is complete.
//
// RFC 9112 6 read strictly: one Content-Length in one spelling, or one Transfer-Encoding that is
// exactly `chunked`; nothing that two readers could read differently.

#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/pipeline/http_head.h"

namespace paravent::proxy::http1 {

// 1 to 19 digits, no sign, no leading zero: fits 64 bits without a check for overflow.
bool parse_content_length(std::string_view value, std::uint64_t& length) noexcept;

struct FramingFields {
  std::uint64_t content_length = 0;
  bool has_length = false;
  bool has_coding = false;
  bool chunked = false;         // the coding is exactly `chunked`
  bool unknown_coding = false;  // the coding is one plain token that is not ours
  bool bad = false;             // repeated, or in a spelling that is not accepted
  bool says_close = false;
  bool says_keep_alive = false;

  void on_content_length(std::string_view value) noexcept;
  void on_transfer_encoding(std::string_view value) noexcept;
  // Only the two names that concern us are honoured; the others name no header that we would strip
  // on a sender's word.
  void on_connection(std::string_view value) noexcept;
  // The three above by header; others are ignored.
  void on_header(HeaderName id, std::string_view value) noexcept {
    if (id == HeaderName::content_length) on_content_length(value);
    if (id == HeaderName::transfer_encoding) on_transfer_encoding(value);
    if (id == HeaderName::connection) on_connection(value);
  }
};

}  // namespace paravent::proxy::http1
