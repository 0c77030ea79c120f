#include "crypto/tokens/visible_text.h"

#include <algorithm>

#include "crypto/base/bytes.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/unicode.h"
#include "crypto/tokens/utf8.h"

namespace paravent::crypto {
namespace {

// What already is its own normal form, which is what most people type: words of ASCII and of the
// letters from U+00C0 to U+02FF, none of which is white space, a control or invisible, and which
// NFC leaves alone, as it does everything below U+0300.
bool is_clean(std::string_view value) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(value[i]); };
  unsigned previous = ' ';
  for (std::size_t i = 0; i < value.size(); ++i) {
    const unsigned c = byte(i);
    if (c >= 0xC3U && c <= 0xCBU) {
      if (++i == value.size() || (byte(i) & 0xC0U) != 0x80U) return false;
    } else if (c - 0x20U >= 0x5FU || (c == ' ' && previous == ' ')) {
      return false;
    }
    previous = c;
  }
  return previous != ' ';
}

bool is_line_break(char32_t point) noexcept {
  return (point >= 0x0A && point <= 0x0D) || point == 0x85 || point == 0x2028 || point == 0x2029;
}

bool is_joiner(char32_t point) noexcept { return point == 0x200C || point == 0x200D; }

Status append_collapsed(std::string_view value, LineBreaks breaks, std::string& out) {
  const std::size_t start = out.size();
  bool gap = false;
  bool line = false;
  std::size_t at = 0;
  while (at < value.size()) {
    const std::size_t begin = at;
    const char32_t point = next_code_point(value, at);
    if (point == kInvalidCodePoint) return Error(ErrorKind::malformed);
    if (is_white_space(point)) {
      gap = out.size() > start;
      line = line || is_line_break(point);
      continue;
    }
    if (is_control(point)) return Error(ErrorKind::malformed);
    if (is_invisible(point)) continue;
    if (gap) {
      if (line && breaks == LineBreaks::commas && out.back() != ',') out.push_back(',');
      out.push_back(' ');
    }
    gap = false;
    line = false;
    out.append(value.substr(begin, at - begin));
  }
  return {};
}

}  // namespace

Status append_words(std::string_view value, LineBreaks breaks, std::string& out) {
  if (is_clean(value)) {
    out.append(value);
    return {};
  }
  if (is_ascii(value)) return append_collapsed(value, breaks, out);
  // Invisible characters go first: one between a letter and its accent would keep NFC from joining
  // them.
  const std::size_t start = out.size();
  if (Status status = append_collapsed(value, breaks, out); !status) return status;
  return compose_tail(out, start);
}

Status append_visible(std::string_view value, Joiners joiners, std::string& out) {
  std::size_t at = 0;
  while (at < value.size()) {
    const std::size_t begin = at;
    const char32_t point = next_code_point(value, at);
    if (point == kInvalidCodePoint || is_control(point)) return Error(ErrorKind::malformed);
    const bool keep = joiners == Joiners::kept && is_joiner(point);
    if (is_invisible(point) && !keep) continue;
    out.append(value.substr(begin, at - begin));
  }
  return {};
}

std::string_view trim_unicode(std::string_view text) noexcept {
  const auto skip = [](char32_t point) { return is_white_space(point) || is_invisible(point); };
  std::size_t begin = 0;
  std::size_t end = 0;
  bool seen = false;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t here = at;
    const char32_t point = next_code_point(text, at);
    if (point == kInvalidCodePoint) return text;
    if (skip(point)) continue;
    if (!seen) begin = here;
    seen = true;
    end = at;
  }
  return text.substr(begin, end - begin);
}

void cut_out(std::string& text, std::size_t begin, std::size_t end) noexcept {
  std::copy(text.begin() + static_cast<std::ptrdiff_t>(end), text.end(),
            text.begin() + static_cast<std::ptrdiff_t>(begin));
  const std::size_t kept = text.size() - (end - begin);
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(text.data() + kept), end - begin));
  text.resize(kept);
}

}  // namespace paravent::crypto
