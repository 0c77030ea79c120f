#include "crypto/base/encoding.h"

#include <array>

#if defined(__x86_64__)
#include <tmmintrin.h>
#endif

namespace paravent::crypto {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> inverse_of(std::string_view alphabet) {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}

constexpr auto kHexInverse = inverse_of(kHexDigits);
constexpr auto kBase64Inverse = inverse_of(kBase64);
constexpr auto kBase64UrlInverse = inverse_of(kBase64Url);

#if defined(__x86_64__)

// Twelve bytes become sixteen characters at a time (W. Mula's arrangement): the six-bit values are
// moved into one byte each by two multiplications, then the distance from value to character is
// looked up by range. How many bytes were done.
__attribute__((target("ssse3"))) std::size_t write_twelves(char* p, ByteView bytes,
                                                           std::string_view alphabet) noexcept {
  const auto distance = [&](std::size_t value) {
    return static_cast<char>(alphabet[value] - static_cast<char>(value));
  };
  const char digit = distance(52);
  const __m128i distances =
      _mm_setr_epi8(distance(26), digit, digit, digit, digit, digit, digit, digit, digit, digit,
                    digit, distance(62), distance(63), distance(0), 0, 0);
  const __m128i order = _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
  std::size_t i = 0;
  // The load takes sixteen bytes.
  for (; i + 16 <= bytes.size(); i += 12, p += 16) {
    const auto* source = reinterpret_cast<const __m128i*>(bytes.data() + i);
    const __m128i in = _mm_shuffle_epi8(_mm_loadu_si128(source), order);
    const __m128i outer =
        _mm_mulhi_epu16(_mm_and_si128(in, _mm_set1_epi32(0x0fc0fc00)), _mm_set1_epi32(0x04000040));
    const __m128i inner =
        _mm_mullo_epi16(_mm_and_si128(in, _mm_set1_epi32(0x003f03f0)), _mm_set1_epi32(0x01000010));
    const __m128i values = _mm_or_si128(outer, inner);
    const __m128i upper_case = _mm_cmpgt_epi8(_mm_set1_epi8(26), values);
    const __m128i range = _mm_or_si128(_mm_subs_epu8(values, _mm_set1_epi8(51)),
                                       _mm_and_si128(upper_case, _mm_set1_epi8(13)));
    const __m128i text = _mm_add_epi8(_mm_shuffle_epi8(distances, range), values);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), text);
  }
  return i;
}

bool has_wide_shuffle() noexcept {
  static const bool has = __builtin_cpu_supports("ssse3") != 0;
  return has;
}

#else

std::size_t write_twelves(char*, ByteView, std::string_view) noexcept { return 0; }
constexpr bool has_wide_shuffle() noexcept { return false; }

#endif

void append_base64_with(std::string& out, ByteView bytes, std::string_view alphabet, bool padded) {
  const std::size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4);
  char* p = out.data() + start;
  std::size_t i = has_wide_shuffle() ? write_twelves(p, bytes, alphabet) : 0;
  p += i / 3 * 4;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t v = (std::uint32_t{bytes[i]} << 16U) | (std::uint32_t{bytes[i + 1]} << 8U) |
                            std::uint32_t{bytes[i + 2]};
    *p++ = alphabet[v >> 18U];
    *p++ = alphabet[(v >> 12U) & 63U];
    *p++ = alphabet[(v >> 6U) & 63U];
    *p++ = alphabet[v & 63U];
  }
  const std::size_t rest = bytes.size() - i;
  if (rest > 0) {
    const std::uint32_t second = rest == 2 ? bytes[i + 1] : 0U;
    const std::uint32_t v = (std::uint32_t{bytes[i]} << 16U) | (second << 8U);
    *p++ = alphabet[v >> 18U];
    *p++ = alphabet[(v >> 12U) & 63U];
    if (rest == 2) *p++ = alphabet[(v >> 6U) & 63U];
    if (padded) {
      *p++ = '=';
      if (rest == 1) *p++ = '=';
    }
  }
  out.resize(static_cast<std::size_t>(p - out.data()));
}

Result<Bytes> decode_base64(std::string_view text, const std::array<std::int8_t, 256>& inverse) {
  if (text.size() % 4 == 1) return Error(ErrorKind::malformed);
  Bytes out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    const std::int8_t v = inverse[static_cast<std::uint8_t>(c)];
    if (v < 0) return Error(ErrorKind::malformed);
    bits = (bits << 6U) | static_cast<std::uint32_t>(v);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<std::uint8_t>(bits >> held));
      bits &= (1U << held) - 1U;
    }
  }
  // Spare bits that are not zero would give one value several spellings.
  if (bits != 0) return Error(ErrorKind::malformed);
  return out;
}

}  // namespace

void append_hex(std::string& out, ByteView bytes) {
  for (const std::uint8_t b : bytes) {
    out.push_back(kHexDigits[b >> 4U]);
    out.push_back(kHexDigits[b & 15U]);
  }
}

std::string to_hex(ByteView bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  append_hex(out, bytes);
  return out;
}

Result<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return Error(ErrorKind::malformed);
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::int8_t high = kHexInverse[static_cast<std::uint8_t>(text[i])];
    const std::int8_t low = kHexInverse[static_cast<std::uint8_t>(text[i + 1])];
    if (high < 0 || low < 0) return Error(ErrorKind::malformed);
    out.push_back(static_cast<std::uint8_t>((high << 4) | low));
  }
  return out;
}

void append_base64(std::string& out, ByteView bytes) {
  append_base64_with(out, bytes, kBase64, true);
}

std::string to_base64(ByteView bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

Result<Bytes> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return Error(ErrorKind::malformed);
  if (text.ends_with('=')) text.remove_suffix(1);
  if (text.ends_with('=')) text.remove_suffix(1);
  return decode_base64(text, kBase64Inverse);
}

void append_base64url(std::string& out, ByteView bytes) {
  append_base64_with(out, bytes, kBase64Url, false);
}

Result<Bytes> from_base64url(std::string_view text) {
  return decode_base64(text, kBase64UrlInverse);
}

}  // namespace paravent::crypto
