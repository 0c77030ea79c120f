// LineScanner: cuts a growing buffer into lines that end in CRLF, and remembers how far it has
// looked, so that a sender of single bytes costs no more than any other.
//
// A line may hold no control byte but the tab, and no DEL: a bare CR, a bare LF or a NUL is bad,
// never an end of line (RFC 9112 2.2 read strictly). Borrows the buffer for one call.

#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace paravent::proxy::http1 {

// The first byte in [p, end) that no line may hold; `end` when there is none.
inline const char* find_control(const char* p, const char* end) noexcept {
#if defined(__SSE2__)
  while (end - p >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
    const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
    const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7F));
    const __m128i hit = _mm_or_si128(_mm_andnot_si128(tab, low), del);
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(hit));
    if (mask != 0) return p + std::countr_zero(mask);
    p += 16;
  }
#endif
  for (; p != end; ++p) {
    const auto c = static_cast<unsigned char>(*p);
    if ((c < 0x20 && c != '\t') || c == 0x7F) return p;
  }
  return end;
}

enum class LineStatus : std::uint8_t { line, need_more, bad, too_long };

class LineScanner {
 public:
  void reset() noexcept { begin_ = scanned_ = 0; }

  // `bytes` begins where it began at the last call and has only grown. `line` excludes the CRLF and
  // is at most `limit` bytes.
  LineStatus next(std::string_view bytes, std::size_t limit, std::string_view& line) noexcept {
    const std::size_t cap = begin_ + limit;  // a CR further right ends a line that is too long
    const std::size_t stop = bytes.size() > cap ? cap + 1 : bytes.size();
    const char* const base = bytes.data();
    const auto at = static_cast<std::size_t>(find_control(base + scanned_, base + stop) - base);
    if (at == stop) {
      scanned_ = at;
      return bytes.size() > cap ? LineStatus::too_long : LineStatus::need_more;
    }
    scanned_ = at;
    if (bytes[at] != '\r') return LineStatus::bad;
    if (at + 1 == bytes.size()) return LineStatus::need_more;
    if (bytes[at + 1] != '\n') return LineStatus::bad;
    line = {base + begin_, at - begin_};
    begin_ = scanned_ = at + 2;
    return LineStatus::line;
  }

  // Where the next line begins.
  std::size_t position() const noexcept { return begin_; }

 private:
  std::size_t begin_ = 0;
  std::size_t scanned_ = 0;
};

}  // namespace paravent::proxy::http1
