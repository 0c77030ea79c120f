#include "crypto/tokens/bech32m.h"

#include <array>
#include <cstring>

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

using Powers = std::array<std::array<std::uint32_t, 32>, 8>;

// powers[i][s] = s * x^(6+i) modulo the generator. The map is linear, so any number of steps is an
// XOR of look-ups that do not wait for each other; stepping symbol by symbol would be one long
// chain.
constexpr Powers make_powers() {
  Powers powers{};
  for (std::uint32_t s = 0; s < 32; ++s) {
    std::uint32_t state = step(s << 25U, 0);
    for (auto& row : powers) {
      row[s] = state;
      state = step(state, 0);
    }
  }
  return powers;
}

constexpr Powers kPowers = make_powers();

// state * x^8 + the eight symbols of `word` (40 bits).
inline std::uint32_t advance8(std::uint32_t state, std::uint64_t word) noexcept {
  const auto head = static_cast<std::uint32_t>(word >> 30U);
  const std::uint32_t data = (static_cast<std::uint32_t>(word) & kStateMask) ^
                             kPowers[0][head & 31U] ^ kPowers[1][head >> 5U];
  return data ^ kPowers[2][state & 31U] ^ kPowers[3][(state >> 5U) & 31U] ^
         kPowers[4][(state >> 10U) & 31U] ^ kPowers[5][(state >> 15U) & 31U] ^
         kPowers[6][(state >> 20U) & 31U] ^ kPowers[7][state >> 25U];
}

inline std::uint32_t advance1(std::uint32_t state, std::uint32_t symbol) noexcept {
  return ((state << 5U) & kStateMask) ^ symbol ^ kPowers[0][state >> 25U];
}

// state * x^6: room for the checksum.
inline std::uint32_t advance6(std::uint32_t state) noexcept {
  std::uint32_t next = 0;
  for (std::size_t i = 0; i < 6; ++i) next ^= kPowers[i][(state >> (5 * i)) & 31U];
  return next;
}

constexpr std::uint32_t start_state(std::string_view lower_hrp) noexcept {
  std::uint32_t state = 1;
  for (const char c : lower_hrp) state = step(state, static_cast<std::uint8_t>(c) >> 5U);
  state = step(state, 0);
  for (const char c : lower_hrp) state = step(state, static_cast<std::uint8_t>(c) & 31U);
  return state;
}

// Two symbols to two characters at once.
using Pairs = std::array<std::array<char, 2>, 1024>;

constexpr Pairs make_pairs() {
  Pairs pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i] = {kAlphabet[i >> 5U], kAlphabet[i & 31U]};
  }
  return pairs;
}

constexpr Pairs kPairs = make_pairs();

inline void put_pair(char* p, std::uint64_t ten_bits) noexcept {
  std::memcpy(p, kPairs[ten_bits & 1023U].data(), 2);
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

// Writes the payload's symbols at p and continues the state over them.
char* write_payload(char* p, ByteView payload, std::uint32_t& state) noexcept {
  std::size_t i = 0;
  for (; i + 5 <= payload.size(); i += 5) {
    const std::uint64_t word =
        (std::uint64_t{load_u32be(payload.data() + i)} << 8U) | std::uint64_t{payload[i + 4]};
    state = advance8(state, word);
    put_pair(p, word >> 30U);
    put_pair(p + 2, word >> 20U);
    put_pair(p + 4, word >> 10U);
    put_pair(p + 6, word);
    p += 8;
  }
  std::uint64_t rest = 0;
  unsigned bits = 0;
  for (; i < payload.size(); ++i, bits += 8) rest = (rest << 8U) | payload[i];
  const unsigned spare = (5U - bits % 5U) % 5U;
  rest <<= spare;
  for (unsigned left = bits + spare; left > 0; left -= 5) {
    const auto symbol = static_cast<std::uint32_t>(rest >> (left - 5U)) & 31U;
    state = advance1(state, symbol);
    *p++ = kAlphabet[symbol];
  }
  return p;
}

}  // namespace

void append_bech32m(std::string& out, std::string_view hrp, ByteView payload) {
  const std::size_t start = out.size();
  out.resize(start + hrp.size() + 1 + (payload.size() * 8 + 4) / 5 + kBech32mCheckSize);
  char* p = out.data() + start;
  std::memcpy(p, hrp.data(), hrp.size());
  p += hrp.size();
  *p++ = '1';
  std::uint32_t state = start_state(hrp);
  p = write_payload(p, payload, state);
  const std::uint32_t check = advance6(state) ^ kBech32mConstant;
  put_pair(p, check >> 20U);
  put_pair(p + 2, check >> 10U);
  put_pair(p + 4, check);
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
  std::uint32_t state = start_state(hrp);
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
