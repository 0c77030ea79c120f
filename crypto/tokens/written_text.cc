#include "crypto/tokens/written_text.h"

#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/ascii.h"
#include "crypto/tokens/unicode.h"
#include "crypto/tokens/utf8.h"

namespace paravent::crypto {
namespace {

// Nothing that fits is written in more bytes than this, and a huge value costs nothing.
constexpr std::size_t kMaxInput = 256;

}  // namespace

WrittenText::~WrittenText() {
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(characters_.data()), characters_.size()));
}

bool WrittenText::read(std::string_view value) noexcept {
  if (value.size() > kMaxInput) return false;
  bool gap = false;
  std::size_t at = 0;
  while (at < value.size()) {
    char c = value[at];
    if (c > ' ' && c < '\x7F') {
      ++at;
    } else {
      const char32_t point = next_code_point(value, at);
      if (is_white_space(point)) {
        gap = size_ > 0;
        continue;
      }
      if (is_invisible(point)) continue;
      if (!is_dash(point)) return false;
      c = '-';
    }
    if (size_ + (gap ? 2 : 1) > kMaxSize) return false;
    if (gap) characters_[size_++] = ' ';
    gap = false;
    characters_[size_++] = c;
  }
  return true;
}

bool WrittenText::read_identifier(std::string_view value) noexcept {
  if (!read(value)) return false;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    const char c = to_upper(characters_[i]);
    if (c == ' ' || c == '-' || c == '.' || c == '/') continue;
    if (!is_digit(c) && (c < 'A' || c > 'Z')) return false;
    characters_[kept++] = c;
  }
  size_ = kept;
  return true;
}

}  // namespace paravent::crypto
