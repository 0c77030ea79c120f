// Names: NFC, invisible characters removed, runs of white space made one space, trimmed; the case
// stays, since "de Gaulle" is not "De Gaulle" and a letter must address its reader correctly.

#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/unicode.h"
#include "crypto/tokens/utf8.h"

namespace paravent::crypto {
namespace {

// Appends the characters of `value` that count, with single spaces between words.
Status append_collapsed(std::string_view value, std::string& out) {
  const std::size_t start = out.size();
  bool gap = false;
  std::size_t at = 0;
  while (at < value.size()) {
    const std::size_t begin = at;
    const char32_t point = next_code_point(value, at);
    if (point == kInvalidCodePoint) return Error(ErrorKind::malformed);
    if (is_white_space(point)) {
      gap = out.size() > start;
      continue;
    }
    if (is_control(point)) return Error(ErrorKind::malformed);
    if (is_invisible(point)) continue;
    if (gap) out.push_back(' ');
    gap = false;
    out.append(value.substr(begin, at - begin));
  }
  return {};
}

// ASCII that already is its own normal form, which is what most people type.
bool is_clean(std::string_view value) noexcept {
  char previous = ' ';
  for (const char c : value) {
    if (static_cast<unsigned>(c) - 0x20U >= 0x5FU || (c == ' ' && previous == ' ')) return false;
    previous = c;
  }
  return previous != ' ';
}

}  // namespace

Status normalise_name(std::string_view value, std::string& out) {
  if (is_clean(value)) {
    out.append(value);
    return {};
  }
  if (is_ascii(value)) return append_collapsed(value, out);
  // Invisible characters go first: one between a letter and its accent would keep NFC from joining
  // them.
  std::string visible;
  Status status = append_collapsed(value, visible);
  if (status) status = append_nfc(visible, out);
  wipe(visible);
  return status;
}

}  // namespace paravent::crypto
