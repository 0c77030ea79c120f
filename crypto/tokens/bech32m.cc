#include "crypto/tokens/bech32m.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "crypto/primitives/uint128.h"

#if defined(__x86_64__)
#include <tmmintrin.h>
#endif

namespace paravent::crypto {
namespace {

constexpr std::string_view kAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::uint32_t kBech32mConstant = 0x2bc830a3U;
constexpr std::uint32_t kStateMask = (1U << 30U) - 1U;

// One step of BIP-173's polymod: state * x + symbol, modulo the generator. A state is a polynomial
// of degree 5 over GF(32), the highest coefficient in bits 25..29.
constexpr std::uint32_t step(std::uint32_t state, std::uint32_t symbol) noexcept {
  const std::uint32_t top = state >> 25U;
  state = ((state << 5U) & kStateMask) ^ symbol;
  constexpr std::array<std::uint32_t, 5> kGenerator = {0x3b6a57b2U, 0x26508e6dU, 0x1ea119faU,
                                                       0x3d4233ddU, 0x2a1462b3U};
  for (std::size_t i = 0; i < 5; ++i) {
    if (((top >> i) & 1U) != 0) state ^= kGenerator[i];
  }
  return state;
}

// powers[i][s] = s * x^(6+i) modulo the generator. The map is linear, so any number of steps is an
// XOR of look-ups that do not wait for each other; stepping symbol by symbol would be one long
// chain. Plain arrays: the indices are five bits each by construction, and these are the innermost
// look-ups of every token.
struct Powers {
  std::uint32_t of[16][32];  // NOLINT(modernize-avoid-c-arrays)
};

constexpr Powers make_powers() {
  Powers powers{};
  for (std::uint32_t s = 0; s < 32; ++s) {
    std::uint32_t state = step(s << 25U, 0);
    for (auto& row : powers.of) {
      row[s] = state;
      state = step(state, 0);
    }
  }
  return powers;
}

constexpr Powers kPowers = make_powers();

// state * x^(6 + first).
template <std::size_t first>
inline std::uint32_t times_power(std::uint32_t state) noexcept {
  const auto& table = kPowers.of;
  return table[first][state & 31U] ^ table[first + 1][(state >> 5U) & 31U] ^
         table[first + 2][(state >> 10U) & 31U] ^ table[first + 3][(state >> 15U) & 31U] ^
         table[first + 4][(state >> 20U) & 31U] ^ table[first + 5][(state >> 25U) & 31U];
}

// The eight symbols of `word` (40 bits) as a state: the upper two are reduced.
inline std::uint32_t reduced(std::uint64_t word) noexcept {
  const auto head = static_cast<std::uint32_t>(word >> 30U);
  return (static_cast<std::uint32_t>(word) & kStateMask) ^ kPowers.of[0][head & 31U] ^
         kPowers.of[1][(head >> 5U) & 31U];
}

// state * x^8 + the eight symbols of `word`.
inline std::uint32_t advance8(std::uint32_t state, std::uint64_t word) noexcept {
  return times_power<2>(state) ^ reduced(word);
}

// state * x^16 + `first` * x^8 + `second`: only the first term waits for the round before.
inline std::uint32_t advance16(std::uint32_t state, std::uint64_t first,
                               std::uint64_t second) noexcept {
  return times_power<10>(state) ^ times_power<2>(reduced(first)) ^ reduced(second);
}

inline std::uint32_t advance1(std::uint32_t state, std::uint32_t symbol) noexcept {
  return ((state << 5U) & kStateMask) ^ symbol ^ kPowers.of[0][(state >> 25U) & 31U];
}

// state * x^count + the `count` symbols of `word`, for what is left at the end: at most seven.
inline std::uint32_t advance_rest(std::uint32_t state, std::uint64_t word,
                                  unsigned count) noexcept {
  std::uint32_t next = reduced(word);
  if (count < 6) next ^= (state << (5 * count)) & kStateMask;
  for (unsigned k = count < 6 ? 6 - count : 0; k < 6; ++k) {
    next ^= kPowers.of[k + count - 6][(state >> (5 * k)) & 31U];
  }
  return next;
}

// state * x^count + the `count` symbols of `word`, for a count that is known.
template <unsigned count>
inline std::uint32_t advance(std::uint32_t state, std::uint64_t word) noexcept {
  static_assert(count >= 1 && count <= 7);
  std::uint32_t next = static_cast<std::uint32_t>(word) & kStateMask;
  for (unsigned k = 6; k < count; ++k) next ^= kPowers.of[k - 6][(word >> (5 * k)) & 31U];
  if constexpr (count >= 6) {
    next ^= times_power<count - 6>(state);
  } else {
    next ^= (state << (5 * count)) & kStateMask;
    for (unsigned k = 6 - count; k < 6; ++k) {
      next ^= kPowers.of[k + count - 6][(state >> (5 * k)) & 31U];
    }
  }
  return next;
}

// state * x^6: room for the checksum.
inline std::uint32_t advance6(std::uint32_t state) noexcept { return times_power<0>(state); }

constexpr std::uint32_t start_state(std::string_view lower_hrp) noexcept {
  std::uint32_t state = 1;
  for (const char c : lower_hrp) state = step(state, static_cast<std::uint8_t>(c) >> 5U);
  state = step(state, 0);
  for (const char c : lower_hrp) state = step(state, static_cast<std::uint8_t>(c) & 31U);
  return state;
}

// The same, all but the last character ready made for the prefixes of our own tokens.
inline std::uint32_t quick_start_state(std::string_view lower_hrp) noexcept {
  static constexpr std::string_view kOurs = "pvd";
  constexpr std::uint32_t kBeforeLast = [] {
    std::uint32_t state = 1;
    for (int i = 0; i < 3; ++i) state = step(state, 3);  // the upper bits of any small letter
    state = step(state, 0);
    return step(step(state, kOurs[0] & 31U), kOurs[1] & 31U);
  }();
  const bool ours = lower_hrp.size() == kOurs.size() && lower_hrp[0] == kOurs[0] &&
                    lower_hrp[1] == kOurs[1] && lower_hrp[2] >= 'a' && lower_hrp[2] <= 'z';
  if (!ours) return start_state(lower_hrp);
  return advance1(kBeforeLast, static_cast<std::uint8_t>(lower_hrp[2]) & 31U);
}

inline void put_symbols(char* p, std::uint64_t word, unsigned count) noexcept {
  for (unsigned i = 0; i < count; ++i) p[i] = kAlphabet[(word >> (5U * (count - 1 - i))) & 31U];
}

constexpr std::array<std::int8_t, 256> make_inverse() {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    const char c = kAlphabet[i];
    table[static_cast<std::uint8_t>(c)] = static_cast<std::int8_t>(i);
    if (c >= 'a') table[static_cast<std::uint8_t>(c - 'a' + 'A')] = static_cast<std::int8_t>(i);
  }
  return table;
}

constexpr auto kInverse = make_inverse();

constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
constexpr bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
constexpr char lowered(char c) noexcept { return is_upper(c) ? static_cast<char>(c + 32) : c; }

bool mixed_case(std::string_view text) noexcept {
  bool upper = false;
  bool lower = false;
  for (const char c : text) {
    upper = upper || is_upper(c);
    lower = lower || is_lower(c);
  }
  return upper && lower;
}

inline std::uint64_t load40(const std::uint8_t* p) noexcept {
  return (std::uint64_t{load_u32be(p)} << 8U) | std::uint64_t{p[4]};
}

#if defined(__x86_64__)

// The first eighty bits become sixteen characters: each symbol is brought to the top of a 16-bit
// lane's byte pair, shifted down by a multiplication, and looked up in the two halves of the
// alphabet.
__attribute__((target("ssse3"))) inline void put16(char* p, __m128i bytes) noexcept {
  const __m128i first = _mm_setr_epi8(1, 0, 1, 0, 2, 1, 2, 1, 3, 2, 4, 3, 4, 3, -1, 4);
  const __m128i second = _mm_setr_epi8(6, 5, 6, 5, 7, 6, 7, 6, 8, 7, 9, 8, 9, 8, -1, 9);
  const __m128i shifts =
      _mm_setr_epi16(1 << 5, 1 << 10, 1 << 7, 1 << 12, 1 << 9, 1 << 6, 1 << 11, 1 << 8);
  const __m128i five = _mm_set1_epi16(31);
  const __m128i a = _mm_and_si128(_mm_mulhi_epu16(_mm_shuffle_epi8(bytes, first), shifts), five);
  const __m128i b = _mm_and_si128(_mm_mulhi_epu16(_mm_shuffle_epi8(bytes, second), shifts), five);
  const __m128i symbols = _mm_packus_epi16(a, b);
  const auto* alphabet = reinterpret_cast<const __m128i*>(kAlphabet.data());
  const __m128i lower = _mm_shuffle_epi8(_mm_loadu_si128(alphabet), symbols);
  const __m128i upper = _mm_shuffle_epi8(_mm_loadu_si128(alphabet + 1), symbols);
  const __m128i is_upper_half = _mm_cmpgt_epi8(symbols, _mm_set1_epi8(15));
  const __m128i text =
      _mm_or_si128(_mm_and_si128(is_upper_half, upper), _mm_andnot_si128(is_upper_half, lower));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), text);
}

__attribute__((target("ssse3"))) inline __m128i load_ten(const std::uint8_t* ten) noexcept {
  const __m128i low = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(ten));
  std::uint16_t high = 0;
  std::memcpy(&high, ten + 8, sizeof high);
  return _mm_unpacklo_epi64(low, _mm_cvtsi32_si128(high));
}

// The `rest` bytes of a payload behind its groups of ten, and the checksum: the first sixteen
// symbols at once, which are all where there are six bytes or fewer.
template <unsigned rest>
__attribute__((target("ssse3"))) void write_end(char* p, const std::uint8_t* bytes,
                                                std::uint32_t state) noexcept {
  constexpr unsigned kSpare = (5U - rest * 8 % 5U) % 5U;
  constexpr unsigned kAll = (rest * 8 + kSpare) / 5 + kBech32mCheckSize;
  constexpr unsigned kAtOnce = kAll < 16 ? kAll : 16;
  static_assert(rest < 10);
  UInt128 word = 0;
  for (unsigned i = 0; i < rest; ++i) word = (word << 8U) | bytes[i];
  word <<= kSpare;
  if constexpr (rest > 5) {
    constexpr unsigned kLast = kAll - kBech32mCheckSize - 8;
    state = advance8(state, load40(bytes));
    state = advance<kLast>(state, static_cast<std::uint64_t>(word) & ((1U << (5 * kLast)) - 1U));
  } else if constexpr (rest > 0) {
    state = advance<kAll - kBech32mCheckSize>(state, static_cast<std::uint64_t>(word));
  }
  const std::uint32_t check = advance6(state) ^ kBech32mConstant;
  const UInt128 text = ((word << 30U) | check) << (128 - 5 * kAll);
  const auto in_order = [](UInt128 half) {
    return static_cast<long long>(__builtin_bswap64(static_cast<std::uint64_t>(half)));
  };
  std::array<char, 16> symbols;
  put16(symbols.data(), _mm_set_epi64x(in_order(text), in_order(text >> 64U)));
  std::copy_n(symbols.data(), kAtOnce, p);
  put_symbols(p + kAtOnce, check, kAll - kAtOnce);
}

// The whole payload and its checksum. False, and nothing was written, where an odd number of bytes
// lies behind the groups of ten, as in no token of ours.
__attribute__((target("ssse3"))) bool write_wide(char* p, ByteView payload,
                                                 std::uint32_t state) noexcept {
  if (payload.size() % 2 != 0) return false;
  const std::uint8_t* bytes = payload.data();
  const std::uint8_t* const end = bytes + payload.size() / 10 * 10;
  for (; bytes != end; bytes += 10, p += 16) {
    put16(p, load_ten(bytes));
    state = advance16(state, load40(bytes), load40(bytes + 5));
  }
  switch (payload.size() % 10) {
    case 0:
      write_end<0>(p, bytes, state);
      break;
    case 2:
      write_end<2>(p, bytes, state);
      break;
    case 4:
      write_end<4>(p, bytes, state);
      break;
    case 6:
      write_end<6>(p, bytes, state);
      break;
    default:
      write_end<8>(p, bytes, state);
      break;
  }
  return true;
}

bool has_wide_shuffle() noexcept {
  static const bool has = __builtin_cpu_supports("ssse3") != 0;
  return has;
}

#else

bool write_wide(char*, ByteView, std::uint32_t) noexcept { return false; }
constexpr bool has_wide_shuffle() noexcept { return false; }

#endif

// The payload's symbols at p, and the checksum behind them.
void write_narrow(char* p, ByteView payload, std::uint32_t state) noexcept {
  std::size_t i = 0;
  for (; i + 5 <= payload.size(); i += 5, p += 8) {
    const std::uint64_t word = load40(payload.data() + i);
    state = advance8(state, word);
    put_symbols(p, word, 8);
  }
  std::uint64_t rest = 0;
  unsigned bits = 0;
  for (; i < payload.size(); ++i, bits += 8) rest = (rest << 8U) | payload[i];
  const unsigned spare = (5U - bits % 5U) % 5U;
  rest <<= spare;
  const unsigned count = (bits + spare) / 5;
  put_symbols(p, rest, count);
  put_symbols(p + count, advance6(advance_rest(state, rest, count)) ^ kBech32mConstant,
              kBech32mCheckSize);
}

}  // namespace

void append_bech32m(std::string& out, std::string_view hrp, ByteView payload) {
  const std::size_t start = out.size();
  out.resize(start + hrp.size() + 1 + (payload.size() * 8 + 4) / 5 + kBech32mCheckSize);
  char* p = out.data() + start;
  for (const char c : hrp) *p++ = c;
  *p++ = '1';
  const std::uint32_t state = quick_start_state(hrp);
  if (!has_wide_shuffle() || !write_wide(p, payload, state)) write_narrow(p, payload, state);
}

Result<Bech32m> decode_bech32m(std::string_view text, std::size_t max_length) {
  const std::size_t separator = text.rfind('1');
  if (text.size() > max_length || separator == std::string_view::npos || separator == 0 ||
      text.size() - separator - 1 < kBech32mCheckSize || mixed_case(text)) {
    return Error(ErrorKind::malformed);
  }
  Bech32m decoded;
  for (const char c : text.substr(0, separator)) {
    if (c < '!' || c > '~') return Error(ErrorKind::malformed);
    decoded.hrp.push_back(lowered(c));
  }
  std::uint32_t state = start_state(decoded.hrp);
  for (const char c : text.substr(separator + 1)) {
    const int symbol = kInverse[static_cast<std::uint8_t>(c)];
    if (symbol < 0) return Error(ErrorKind::malformed);
    state = advance1(state, static_cast<std::uint32_t>(symbol));
    decoded.symbols.push_back(static_cast<std::uint8_t>(symbol));
  }
  if (state != kBech32mConstant) return Error(ErrorKind::malformed);
  decoded.symbols.resize(decoded.symbols.size() - kBech32mCheckSize);
  return decoded;
}

Status decode_bech32m_payload(std::string_view text, std::string_view hrp,
                              MutableBytes payload) noexcept {
  const std::size_t prefix = hrp.size() + 1;
  if (text.size() < prefix + kBech32mCheckSize || text[hrp.size()] != '1') {
    return Error(ErrorKind::malformed);
  }
  const std::size_t count = text.size() - prefix - kBech32mCheckSize;
  if (payload.empty() || bech32m_payload_size(count) != payload.size() || mixed_case(text)) {
    return Error(ErrorKind::malformed);
  }
  for (std::size_t i = 0; i < hrp.size(); ++i) {
    if (lowered(text[i]) != hrp[i]) return Error(ErrorKind::malformed);
  }
  std::uint32_t state = quick_start_state(hrp);
  std::uint32_t held = 0;
  unsigned bits = 0;
  std::size_t written = 0;
  for (std::size_t i = prefix; i < text.size(); ++i) {
    const int value = kInverse[static_cast<std::uint8_t>(text[i])];
    if (value < 0) return Error(ErrorKind::malformed);
    const auto symbol = static_cast<std::uint32_t>(value);
    state = advance1(state, symbol);
    if (i >= prefix + count) continue;
    held = (held << 5U) | symbol;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      payload[written++] = static_cast<std::uint8_t>(held >> bits);
      held &= (1U << bits) - 1U;
    }
  }
  if (state != kBech32mConstant || held != 0) return Error(ErrorKind::malformed);
  return {};
}

}  // namespace paravent::crypto
