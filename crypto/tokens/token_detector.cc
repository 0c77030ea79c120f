#include "crypto/tokens/token_detector.h"

#include <algorithm>
#include <cstdint>

#include "crypto/tokens/token_format.h"
#include "crypto/tokens/token_text.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace paravent::crypto {
namespace {

bool word_character(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool base64url_character(char c) noexcept { return word_character(c) || c == '-'; }

bool is_start(const char* p) noexcept {
  return (p[0] == 'p' || p[0] == 'P') && (p[1] == 'v' || p[1] == 'V');
}

// Offset of the next "pv" in any case, or text.size().
std::size_t find_start(std::string_view text, std::size_t from) noexcept {
  std::size_t i = from;
#if defined(__SSE2__)
  const __m128i p = _mm_set1_epi8('p');
  const __m128i v = _mm_set1_epi8('v');
  const __m128i lower = _mm_set1_epi8(0x20);
  for (; i + 17 <= text.size(); i += 16) {
    const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
    const __m128i next = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i + 1));
    const __m128i hit = _mm_and_si128(_mm_cmpeq_epi8(_mm_or_si128(here, lower), p),
                                      _mm_cmpeq_epi8(_mm_or_si128(next, lower), v));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(hit));
    if (mask != 0) return i + static_cast<std::size_t>(__builtin_ctz(mask));
  }
#endif
  for (; i + 2 <= text.size(); ++i) {
    if (is_start(text.data() + i)) return i;
  }
  return text.size();
}

// Length of the run of characters that `belongs` holds for, from `from`, stopping at `limit`.
template <typename Belongs>
std::size_t run_length(std::string_view text, std::size_t from, std::size_t limit,
                       Belongs belongs) noexcept {
  const std::size_t end = std::min(text.size(), from + limit);
  std::size_t i = from;
  while (i < end && belongs(text[i])) ++i;
  return i - from;
}

// Length of the token that begins at `at`, or 0.
std::size_t token_at(std::string_view text, std::size_t at) noexcept {
  if (text.size() - at <= kTokenPrefixSize) return 0;
  const char separator = text[at + 3];
  std::size_t length = 0;
  if (separator == '1') {
    if (at > 0 && word_character(text[at - 1])) return 0;
    // One more than the longest, so that a longer word is not mistaken for a token.
    length = run_length(text, at, kMaxShortTokenLength + 1, word_character);
  } else if (separator == '_') {
    // Judging the run before it too keeps runs from overlapping: the search stays linear.
    if (at > 0 && base64url_character(text[at - 1])) return 0;
    length = run_length(text, at, kMaxLongTokenLength + 1, base64url_character);
  }
  return length > 0 && check_token(text.substr(at, length)) ? length : 0;
}

}  // namespace

bool may_contain_token(std::string_view text) noexcept { return find_start(text, 0) < text.size(); }

std::optional<TokenSpan> next_token(std::string_view text, std::size_t from) noexcept {
  while (true) {
    const std::size_t at = find_start(text, from);
    if (at >= text.size()) return std::nullopt;
    const std::size_t length = token_at(text, at);
    if (length > 0) return TokenSpan{at, length};
    from = at + 1;
  }
}

}  // namespace paravent::crypto
