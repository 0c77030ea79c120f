#include "proxy/pipeline/response_framing.h"

#include <array>
#include <charconv>
#include <utility>

namespace paravent::proxy {

ResponseFraming choose_framing(const RequestHead& request, const ResponseHead& response,
                               std::string_view first, bool complete) {
  const bool bodiless =
      request.method == Method::head || response.status == 204 || response.status == 304;
  if (bodiless) return {BodyFraming::none, 0};
  if (complete) return {BodyFraming::length, first.size()};
  if (response.framing == BodyFraming::length) {
    return {BodyFraming::length, response.content_length};
  }
  return {request.http_1_0 ? BodyFraming::close : BodyFraming::chunked, 0};
}

void ResponseFramer::add(std::string_view bytes, bool last, std::string& head) {
  if (!chunked_) return;
  if (bytes.empty()) {
    if (!last) return;
    head.append(chunk_open_ ? "\r\n0\r\n\r\n" : "0\r\n\r\n");
    ended_ = true;
    return;
  }
  // The line break that ends one chunk's data opens the next chunk's head, so that head and data
  // are two pieces and not three.
  if (std::exchange(chunk_open_, true)) head.append("\r\n");
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + 16, bytes.size(), 16).ptr;
  head.append(digits.data(), end).append("\r\n");
}

}  // namespace paravent::proxy
