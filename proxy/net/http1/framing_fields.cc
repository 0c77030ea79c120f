#include "proxy/net/http1/framing_fields.h"

#include "proxy/net/http1/char_class.h"

namespace paravent::proxy::http1 {

bool parse_content_length(std::string_view value, std::uint64_t& length) noexcept {
  if (value.empty() || value.size() > 19) return false;
  if (value[0] == '0' && value.size() > 1) return false;
  std::uint64_t total = 0;
  for (const char c : value) {
    if (!is(c, kDigitChar)) return false;
    total = total * 10 + static_cast<std::uint64_t>(c - '0');
  }
  length = total;
  return true;
}

void FramingFields::on_content_length(std::string_view value) noexcept {
  // The same length twice is refused as well: whoever sends it has been through two hands.
  if (has_length || !parse_content_length(value, content_length)) bad = true;
  has_length = true;
}

void FramingFields::on_transfer_encoding(std::string_view value) noexcept {
  if (has_coding) bad = true;
  has_coding = true;
  if (equals_lower(value, "chunked")) {
    chunked = true;
    return;
  }
  if (value.empty() || !all_of(value, kTokenChar) || equals_lower(value, "identity")) {
    bad = true;
    return;
  }
  // `xchunked` and its like are attacks on readers that search for a substring, not codings.
  for (std::size_t i = 0; i + 7 <= value.size(); ++i) {
    if (equals_lower(value.substr(i, 7), "chunked")) bad = true;
  }
  unknown_coding = true;
}

void FramingFields::on_connection(std::string_view value) noexcept {
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    const std::string_view option = trim_ows(value.substr(0, comma));
    if (equals_lower(option, "close")) says_close = true;
    if (equals_lower(option, "keep-alive")) says_keep_alive = true;
    if (comma == std::string_view::npos) break;
    value.remove_prefix(comma + 1);
  }
}

}  // namespace paravent::proxy::http1
