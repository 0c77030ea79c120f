#include "proxy/body/form.h"

#include <array>
#include <bit>
#include <cstring>

#include "proxy/body/find_stop.h"
#include "proxy/body/removal.h"
#include "proxy/body/utf8.h"

namespace paravent::proxy::body {
namespace {

constexpr std::uint8_t kNoDigit = 0xFF;

constexpr std::array<std::uint8_t, 256> make_hex_values() {
  std::array<std::uint8_t, 256> table{};
  table.fill(kNoDigit);
  for (unsigned i = 0; i < 10; ++i) table['0' + i] = static_cast<std::uint8_t>(i);
  for (unsigned i = 0; i < 6; ++i) {
    table['a' + i] = static_cast<std::uint8_t>(10 + i);
    table['A' + i] = static_cast<std::uint8_t>(10 + i);
  }
  return table;
}
constexpr auto kHexValue = make_hex_values();

constexpr std::array<bool, 256> make_unreserved() {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789-._~")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}
constexpr auto kUnreserved = make_unreserved();

unsigned hex_at(const char* p) noexcept { return kHexValue[static_cast<unsigned char>(*p)]; }

// The byte that "%XY" at `p` stands for; -1 where it is not well-formed.
int escaped_byte(const char* p, const char* end) noexcept {
  if (end - p < 3) return -1;
  const unsigned high = hex_at(p + 1);
  const unsigned low = hex_at(p + 2);
  if ((high | low) > 15U) return -1;
  return static_cast<int>(high * 16 + low);
}

// Reads one name and leaves `p` at the '=' or '&' or end behind it.
ScanStatus read_name(const char*& p, const char* end, const FormLimits& limits,
                     std::string& scratch, std::string_view& name) {
  const char* const begin = p;
  bool encoded = false;
  bool ascii = true;
  for (;;) {
    p = find_stop<HighBytes::stop, '=', '&', '%', '+', ';', '\x7f'>(p, end);
    if (p == end || *p == '=' || *p == '&') break;
    if (*p == '%') {
      if (escaped_byte(p, end) <= 0) return ScanStatus::malformed;  // %00 ends a C string early
      encoded = true;
      p += 3;
    } else if (*p == '+') {
      encoded = true;
      ++p;
    } else if (static_cast<unsigned char>(*p) >= 0x80U) {
      ascii = false;
      ++p;
    } else {
      return ScanStatus::malformed;
    }
  }
  name = std::string_view(begin, static_cast<std::size_t>(p - begin));
  if (encoded) {
    scratch.clear();
    decode_form_value(name, scratch);
    name = scratch;
  }
  if (name.size() > limits.name_bytes) return ScanStatus::too_large;
  if ((encoded || !ascii) && !is_valid_utf8(name)) return ScanStatus::malformed;
  return ScanStatus::ok;
}

// The '&' or the end behind the value at `p`; nullptr where the value is malformed. Escapes are
// common in what people write: the stops of sixteen bytes are told once and gone through one by
// one. No hex digit is a stop, so what lies behind a '%' needs no leap.
const char* value_end(const char* p, const char* end) noexcept {
#if defined(__SSE2__)
  for (; end - p >= 16; p += 16) {
    unsigned stops = stops_of_sixteen<HighBytes::pass, '&', '%', ';', '\x7f'>(p);
    for (; stops != 0; stops &= stops - 1) {
      const char* const stop = p + std::countr_zero(stops);
      if (*stop == '&') return stop;
      if (*stop != '%' || escaped_byte(stop, end) < 0) return nullptr;
    }
  }
#endif
  for (;; ++p) {
    p = find_stop<HighBytes::pass, '&', '%', ';', '\x7f'>(p, end);
    if (p == end || *p == '&') return p;
    if (*p != '%' || escaped_byte(p, end) < 0) return nullptr;
  }
}

#if defined(__SSE2__)
// Copies `size` bytes, each '+' as a space. How many of them stand in front of the first '%'.
template <int size>
int copy_plain(const char* from, char* to) noexcept {
  static_assert(size == 16 || size == 8);
  const auto* source = reinterpret_cast<const __m128i*>(from);
  const __m128i bytes = size == 16 ? _mm_loadu_si128(source) : _mm_loadl_epi64(source);
  const __m128i plus = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('+'));
  const __m128i spaced = _mm_xor_si128(bytes, _mm_and_si128(plus, _mm_set1_epi8('+' ^ ' ')));
  auto* target = reinterpret_cast<__m128i*>(to);
  if constexpr (size == 16) {
    _mm_storeu_si128(target, spaced);
  } else {
    _mm_storel_epi64(target, spaced);
  }
  const auto escapes =
      static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('%'))));
  return std::countr_zero(escapes | 1U << size);
}
#endif

}  // namespace

ScanStatus scan_form(std::string_view text, const FormLimits& limits, std::string& scratch,
                     FlatVisitor& visitor) {
  if (!fits_offsets(text)) return ScanStatus::too_large;
  const char* const base = text.data();
  const char* const end = base + text.size();
  std::size_t fields = 0;
  for (const char* p = base; p != end;) {
    if (*p == '&') {
      ++p;
      continue;
    }
    const char* const begin = p;
    std::string_view name;
    const ScanStatus status = read_name(p, end, limits, scratch, name);
    if (status != ScanStatus::ok) return status;
    if (++fields > limits.fields) return ScanStatus::too_large;
    if (p != end && *p == '=') ++p;
    const char* const value = p;
    p = value_end(p, end);
    if (p == nullptr) return ScanStatus::malformed;
    Field field;
    field.value = span_of(base, value, p);
    field.whole = span_of(base, begin, p);
    if (!visitor.on_field(name, field)) return ScanStatus::stopped;
  }
  return ScanStatus::ok;
}

void decode_form_value(std::string_view raw, std::string& out) {
  // What is written is never longer than what was read, so the pieces below stay inside.
  const std::size_t start = out.size();
  out.resize(start + raw.size());
  char* to = out.data() + start;
  const char* p = raw.data();
  const char* const end = p + raw.size();
  while (p != end) {
#if defined(__SSE2__)
    if (end - p >= 8) {
      const int size = end - p >= 16 ? 16 : 8;
      const int plain = size == 16 ? copy_plain<16>(p, to) : copy_plain<8>(p, to);
      p += plain;
      to += plain;
      if (plain == size) continue;
    }
#endif
    // What is not ASCII comes as several escapes in a row.
    int byte = -1;
    while (p != end && *p == '%' && (byte = escaped_byte(p, end)) >= 0) {
      *to++ = static_cast<char>(byte);
      p += 3;
    }
    if (byte >= 0) continue;
    *to++ = *p == '+' ? ' ' : *p;
    ++p;
  }
  // Nothing of a value may stay behind the end, where whoever wipes the text does not look.
  const auto behind = static_cast<std::size_t>(out.data() + out.size() - to);
  if (behind == 0) return;
  std::memset(to, 0, behind);
  out.resize(out.size() - behind);
}

void encode_form_value(std::string_view text, std::string& out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::size_t i = 0;
  while (i != text.size()) {
    const std::size_t run = i;
    while (i != text.size() && kUnreserved[static_cast<unsigned char>(text[i])]) ++i;
    out.append(text.substr(run, i - run));
    if (i == text.size()) return;
    // A space too becomes %20: '+' means a space only to those who read it as a form.
    const auto byte = static_cast<unsigned char>(text[i++]);
    const std::array<char, 3> escape = {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
    out.append(escape.data(), escape.size());
  }
}

void form_edits(std::string_view text, std::span<const FieldEdit> fields, std::vector<Edit>& out) {
  const std::size_t first = out.size();
  for (const FieldEdit& edit : fields) {
    const Field& field = edit.field;
    if (!edit.remove) {
      const bool bare = field.value.begin == 0 || text[field.value.begin - 1] != '=';
      out.push_back({field.value, edit.replacement, bare ? "=" : std::string_view()});
      continue;
    }
    Span& run = removal_run(out, first, field.whole);
    if (run.end < text.size()) {
      ++run.end;
    } else if (run.begin > 0) {
      --run.begin;
    }
  }
}

}  // namespace paravent::proxy::body
