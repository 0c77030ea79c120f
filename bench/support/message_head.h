// The little of HTTP/1.1 that two programs which trust each other's framing need: where a head
// ends, the length of its body, its status. It is no validator; admission is the gateway's trade.

#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace paravent::bench {

struct MessageHead {
  std::string_view start_line;     // into the given bytes
  std::size_t head_bytes = 0;      // the empty line included
  std::size_t content_length = 0;  // 0 when absent
  bool has_length = false;
  bool chunked = false;
  bool close = false;  // "Connection: close"
  int status = 0;      // of an answer; 0 for a request

  std::size_t total_bytes() const { return head_bytes + content_length; }
};

// Empty while the head is incomplete.
std::optional<MessageHead> find_head(std::string_view bytes);

}  // namespace paravent::bench
