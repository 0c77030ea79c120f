#include "proxy/net/http1/response_parser.h"

#include "proxy/net/http1/char_class.h"

namespace paravent::proxy::http1 {

void ResponseParser::begin(std::span<HeaderLine> lines, std::size_t head_bytes,
                           bool to_head) noexcept {
  lines_ = lines;
  head_bytes_ = head_bytes;
  scanner_.reset();
  head_ = ResponseHead{};
  framing_ = FramingFields{};
  count_ = 0;
  to_head_ = to_head;
  http_1_0_ = false;
  has_status_line_ = false;
}

ResponseStatus ResponseParser::parse(std::string_view bytes) noexcept {
  const bool full = bytes.size() >= head_bytes_;
  bytes = bytes.substr(0, head_bytes_);
  for (;;) {
    std::string_view line;
    switch (scanner_.next(bytes, head_bytes_, line)) {
      case LineStatus::bad:
      case LineStatus::too_long:
        return ResponseStatus::bad;
      case LineStatus::need_more:
        return full ? ResponseStatus::bad : ResponseStatus::need_more;
      case LineStatus::line:
        break;
    }
    if (!has_status_line_) {
      if (!take_status_line(line)) return ResponseStatus::bad;
      has_status_line_ = true;
    } else if (line.empty()) {
      if (!settle_framing()) return ResponseStatus::bad;
      head_.headers = lines_.first(count_);
      return ResponseStatus::done;
    } else if (!take_header(line)) {
      return ResponseStatus::bad;
    }
  }
}

bool ResponseParser::take_status_line(std::string_view line) noexcept {
  if (line.size() < 12) return false;
  const std::string_view version = line.substr(0, 9);
  if (version != "HTTP/1.1 " && version != "HTTP/1.0 ") return false;
  http_1_0_ = version[7] == '0';
  const std::string_view code = line.substr(9, 3);
  if (!all_of(code, kDigitChar) || code[0] < '1' || code[0] > '5') return false;
  head_.status =
      static_cast<std::uint16_t>((code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0'));
  if (line.size() == 12) return true;
  if (line[12] != ' ') return false;
  head_.reason = line.substr(13);
  return true;
}

bool ResponseParser::take_header(std::string_view line) noexcept {
  std::size_t colon = 0;
  while (colon < line.size() && is(line[colon], kTokenChar)) ++colon;
  if (colon == 0 || colon == line.size() || line[colon] != ':') return false;
  if (count_ == lines_.size()) return false;
  HeaderLine& header = lines_[count_++];
  header.name = {line.data(), colon};
  header.value = trim_ows({line.data() + colon + 1, line.size() - colon - 1});
  header.id = header_name(header.name);
  framing_.on_header(header.id, header.value);
  return true;
}

bool ResponseParser::settle_framing() noexcept {
  const FramingFields& said = framing_;
  if (said.bad || said.unknown_coding || (said.has_length && said.has_coding)) return false;
  if (said.has_coding && http_1_0_) return false;
  head_.keep_alive = http_1_0_ ? said.says_keep_alive && !said.says_close : !said.says_close;
  head_.content_length = said.content_length;
  const bool interim = head_.status < 200;
  if (interim || head_.status == 204) {
    // RFC 9110 8.6 and RFC 9112 6.1 forbid both; a length of zero is a common slip with one
    // meaning.
    return !said.has_coding && said.content_length == 0;
  }
  if (to_head_ || head_.status == 304) return true;  // framing fields describe what GET would bring
  if (said.has_coding) {
    head_.framing = BodyFraming::chunked;
  } else if (said.has_length) {
    head_.framing = said.content_length > 0 ? BodyFraming::length : BodyFraming::none;
  } else {
    head_.framing = BodyFraming::close;
    head_.keep_alive = false;
  }
  return true;
}

}  // namespace paravent::proxy::http1
