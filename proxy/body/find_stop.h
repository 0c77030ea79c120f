// find_stop: the inner loop of every codec of this room. Skips bytes that mean nothing to a
// grammar, sixteen at a time where the processor allows (SSE2 is part of x86-64; elsewhere one at a
// time).
//
// Never reads past `end`: the texts are borrowed and carry no padding.

#pragma once

#include <bit>
#include <limits>
#include <string_view>

#include "proxy/body/field.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace paravent::proxy::body {

enum class HighBytes : bool { pass, stop };

template <HighBytes kHigh, char... kStops>
constexpr bool is_stop(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20U || (kHigh == HighBytes::stop && byte >= 0x80U) || ((c == kStops) || ...);
}

#if defined(__SSE2__)
// Which of the sixteen bytes from `p` are stops: bit 0 is the first one's.
template <HighBytes kHigh, char... kStops>
inline unsigned stops_of_sixteen(const char* p) noexcept {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  __m128i hit = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
  ((hit = _mm_or_si128(hit, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(kStops)))), ...);
  if constexpr (kHigh == HighBytes::stop) hit = _mm_or_si128(hit, bytes);
  return static_cast<unsigned>(_mm_movemask_epi8(hit));
}
#endif

// The first byte in [p, end) that is one of kStops, a control below 0x20 or, where asked for, not
// ASCII; `end` when there is none.
template <HighBytes kHigh, char... kStops>
inline const char* find_stop(const char* p, const char* end) noexcept {
#if defined(__SSE2__)
  while (end - p >= 16) {
    const unsigned mask = stops_of_sixteen<kHigh, kStops...>(p);
    if (mask != 0) return p + std::countr_zero(mask);
    p += 16;
  }
#endif
  while (p != end && !is_stop<kHigh, kStops...>(*p)) ++p;
  return p;
}

// Offsets are 32 bits wide; a longer text is refused before it is read.
inline bool fits_offsets(std::string_view text) noexcept {
  return text.size() <= std::numeric_limits<std::uint32_t>::max();
}

inline Span span_of(const char* base, const char* begin, const char* end) noexcept {
  return {static_cast<std::uint32_t>(begin - base), static_cast<std::uint32_t>(end - base)};
}

}  // namespace paravent::proxy::body
