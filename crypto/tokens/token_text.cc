#include "crypto/tokens/token_text.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "crypto/base/encoding.h"
#include "crypto/tokens/bech32m.h"
#include "crypto/tokens/crc32c.h"
#include "crypto/tokens/frame.h"
#include "crypto/tokens/token_header.h"

namespace paravent::crypto {
namespace {

constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> make_base64url_inverse() {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < kBase64Url.size(); ++i) {
    table[static_cast<std::uint8_t>(kBase64Url[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}

constexpr auto kBase64UrlInverse = make_base64url_inverse();

constexpr std::size_t kMaxShortBody = kTokenHeaderSize + kSivSize + kMaxDerivedBucket;

std::string_view short_hrp(TokenClass token_class) noexcept {
  switch (token_class) {
    case TokenClass::vault:
      return kVaultHrp;
    case TokenClass::derived:
      return kDerivedHrp;
    case TokenClass::pseudonym:
      return kPseudonymHrp;
    case TokenClass::address:
      return kAddressHrp;
    case TokenClass::encrypted:
    case TokenClass::sealed:
      break;
  }
  std::abort();
}

bool is_bucket_plus(std::size_t size, std::size_t overhead, std::size_t max_bucket) noexcept {
  return size > overhead && size - overhead <= max_bucket && is_bucket(size - overhead);
}

// Whether values of this algorithm may have this many payload bytes. False for what is no token.
bool legal_payload(Algorithm algorithm, std::size_t size) noexcept {
  switch (algorithm) {
    case Algorithm::vault_token:
      return size == kVaultIdSize;
    case Algorithm::derived:
      return is_bucket_plus(size, kSivSize, kMaxDerivedBucket);
    case Algorithm::pseudonym:
      return size == kPseudonymSize;
    case Algorithm::encrypted:
      return is_bucket_plus(size, kNonceSize + kTagSize, kMaxEncryptedBucket);
    case Algorithm::encrypted_subject:
      return is_bucket_plus(size, kNonceSize + kSubjectOverhead + kTagSize, kMaxEncryptedBucket);
    case Algorithm::address:
    case Algorithm::address_prefix:
      return size == kAddressSize;
    case Algorithm::address_random:
      return size == kAddressRandomSize;
    case Algorithm::sealed:
      return is_bucket_plus(size, kEncapsulationSize + kNonceSize + kTagSize, kMaxEncryptedBucket);
    case Algorithm::sealed_single:
      return is_bucket_plus(size, kSingleEncapsulationSize + kTagSize, kMaxEncryptedBucket);
    case Algorithm::format_preserving:
    case Algorithm::vault_row:
    case Algorithm::audit_detail:
    case Algorithm::map_cookie:
    case Algorithm::subject_reference:
    case Algorithm::vault_row_subject:
      break;
  }
  return false;
}

// Reads the header of a body of `body_size` bytes, of which the first six are at `header`.
Result<TokenFacts> read_header(TokenClass expected, const std::uint8_t* header,
                               std::size_t body_size) noexcept {
  if (header[0] != kTokenFormat) return Error(ErrorKind::malformed);
  const auto algorithm = algorithm_from(header[1]);
  const std::size_t payload_size = body_size - kTokenHeaderSize;
  if (!algorithm || !legal_payload(*algorithm, payload_size) ||
      token_class_of(*algorithm) != expected) {
    return Error(ErrorKind::malformed);
  }
  return TokenFacts{expected, *algorithm, load_u32be(header + 2), payload_size};
}

// Decodes the short text into the beginning of `body`.
Result<TokenFacts> check_short(TokenClass expected, std::string_view text,
                               MutableBytes body) noexcept {
  const std::size_t overhead = kTokenPrefixSize + kBech32mCheckSize;
  if (text.size() <= overhead || text.size() > kMaxShortTokenLength) {
    return Error(ErrorKind::malformed);
  }
  const std::size_t size = bech32m_payload_size(text.size() - overhead);
  if (size <= kTokenHeaderSize ||
      !decode_bech32m_payload(text, short_hrp(expected), body.first(size))) {
    return Error(ErrorKind::malformed);
  }
  return read_header(expected, body.data(), size);
}

// Decodes whole groups of base64url characters: text.size() is a multiple of 4 except for the end
// of a text. False: a foreign character or spare bits that are not zero.
bool decode_chunk(std::string_view text, std::uint8_t* out) noexcept {
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const int value = kBase64UrlInverse[static_cast<std::uint8_t>(c)];
    if (value < 0) return false;
    held = (held << 6U) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      *out++ = static_cast<std::uint8_t>(held >> bits);
      held &= (1U << bits) - 1U;
    }
  }
  return held == 0;
}

// In chunks on the stack, so that looking at a foreign text never allocates whatever its length.
Result<TokenFacts> check_long(TokenClass expected, std::string_view text) noexcept {
  text.remove_prefix(kTokenPrefixSize);
  const std::size_t size = text.size() * 6 / 8;
  if (text.size() % 4 == 1 || text.size() > kMaxLongTokenLength ||
      size <= kTokenHeaderSize + kCrcSize) {
    return Error(ErrorKind::malformed);
  }
  constexpr std::size_t kChunk = 1024;
  std::array<std::uint8_t, kChunk / 4 * 3> buffer{};
  if (!decode_chunk(text.substr(0, 8), buffer.data())) return Error(ErrorKind::malformed);
  const auto facts = read_header(expected, buffer.data(), size - kCrcSize);
  if (!facts) return facts;

  std::uint32_t crc = 0;
  std::array<std::uint8_t, kCrcSize> check{};
  std::size_t done = 0;
  const std::size_t covered = size - kCrcSize;
  for (std::size_t at = 0; at < text.size(); at += kChunk) {
    const std::string_view part = text.substr(at, kChunk);
    if (!decode_chunk(part, buffer.data())) return Error(ErrorKind::malformed);
    const std::size_t count = part.size() * 6 / 8;
    const std::size_t in_body = done < covered ? std::min(count, covered - done) : 0;
    crc = crc32c(ByteView(buffer).first(in_body), crc);
    for (std::size_t i = in_body; i < count; ++i) check[done + i - covered] = buffer[i];
    done += count;
  }
  if (load_u32be(check.data()) != crc) return Error(ErrorKind::malformed);
  return facts;
}

// The class that the first four characters announce.
struct Announced {
  bool known = false;
  bool is_short = false;
  TokenClass token_class = TokenClass::vault;
};

Announced announced_class(std::string_view text) noexcept {
  // Most values are no token, which their first letter tells.
  if (text.size() <= kTokenPrefixSize || (text[0] != 'p' && text[0] != 'P')) return {};
  const std::string_view prefix = text.substr(0, kTokenPrefixSize);
  if (prefix == kEncryptedPrefix) return {true, false, TokenClass::encrypted};
  if (prefix == kSealedPrefix) return {true, false, TokenClass::sealed};
  if (prefix[3] != '1') return {};
  // The HRP itself, and its case, is compared when the text is decoded.
  switch (prefix[2]) {
    case 'v':
    case 'V':
      return {true, true, TokenClass::vault};
    case 'd':
    case 'D':
      return {true, true, TokenClass::derived};
    case 'h':
    case 'H':
      return {true, true, TokenClass::pseudonym};
    case 'i':
    case 'I':
      return {true, true, TokenClass::address};
    default:
      return {};
  }
}

bool host_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.';
}

}  // namespace

TokenClass token_class_of(Algorithm algorithm) noexcept {
  switch (algorithm) {
    case Algorithm::vault_token:
      return TokenClass::vault;
    case Algorithm::derived:
      return TokenClass::derived;
    case Algorithm::pseudonym:
      return TokenClass::pseudonym;
    case Algorithm::encrypted:
    case Algorithm::encrypted_subject:
      return TokenClass::encrypted;
    case Algorithm::address:
    case Algorithm::address_prefix:
    case Algorithm::address_random:
      return TokenClass::address;
    case Algorithm::sealed:
    case Algorithm::sealed_single:
      return TokenClass::sealed;
    case Algorithm::format_preserving:
    case Algorithm::vault_row:
    case Algorithm::audit_detail:
    case Algorithm::map_cookie:
    case Algorithm::subject_reference:
    case Algorithm::vault_row_subject:
      break;
  }
  std::abort();
}

std::string_view token_class_name(TokenClass token_class) noexcept {
  constexpr std::array<std::string_view, 6> kNames = {"vault",   "derived",   "pseudonym",
                                                      "address", "encrypted", "sealed"};
  return kNames[static_cast<std::size_t>(token_class)];
}

void write_vault_token(std::uint32_t key_id, std::span<const std::uint8_t, kVaultIdSize> id,
                       std::string& out) {
  std::array<std::uint8_t, kTokenHeaderSize + kVaultIdSize> body{};
  const TokenHeader header = token_header(key_id, Algorithm::vault_token);
  std::memcpy(body.data(), header.data(), header.size());
  std::memcpy(body.data() + header.size(), id.data(), id.size());
  append_bech32m(out, kVaultHrp, body);
}

void write_short_token(TokenClass token_class, ByteView body, std::string& out) {
  append_bech32m(out, short_hrp(token_class), body);
}

void write_long_token(TokenClass token_class, MutableBytes body, std::string& out) {
  if (body.size() < kTokenHeaderSize + kCrcSize) std::abort();
  const std::size_t covered = body.size() - kCrcSize;
  store_u32be(body.data() + covered, crc32c(body.first(covered)));
  out.append(token_class == TokenClass::encrypted ? kEncryptedPrefix : kSealedPrefix);
  append_base64url(out, body);
}

Result<TokenFacts> check_token(std::string_view text) noexcept {
  const Announced announced = announced_class(text);
  if (!announced.known) return Error(ErrorKind::malformed);
  if (!announced.is_short) return check_long(announced.token_class, text);
  std::array<std::uint8_t, kMaxShortBody> body;
  return check_short(announced.token_class, text, body);
}

Result<ParsedToken> parse_token(std::string_view text) {
  const auto facts = check_token(text);
  if (!facts) return facts.error();
  ParsedToken token{facts->token_class, facts->algorithm, facts->key_id, {}, std::string(text)};
  if (announced_class(text).is_short) {
    token.payload.resize(kTokenHeaderSize + facts->payload_size);
    const Status decoded =
        decode_bech32m_payload(text, short_hrp(token.token_class), token.payload);
    if (!decoded) return decoded.error();
    for (char& c : token.text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  } else {
    auto body = from_base64url(text.substr(kTokenPrefixSize));
    if (!body) return body.error();
    token.payload = std::move(*body);
    token.payload.resize(kTokenHeaderSize + facts->payload_size);
  }
  token.payload.erase(token.payload.begin(),
                      token.payload.begin() + static_cast<std::ptrdiff_t>(kTokenHeaderSize));
  return token;
}

std::string_view strip_email_shape(std::string_view text) noexcept {
  static_assert(kVaultTokenLength < kPseudonymLength);
  if (text.size() <= kVaultTokenLength) return text;
  const std::size_t at = text.find('@');
  if (at != kVaultTokenLength && at != kPseudonymLength) return text;
  const std::string_view domain = text.substr(at + 1);
  constexpr std::size_t kMaxDomain = 253;
  if (domain.empty() || domain.size() > kMaxDomain ||
      !std::all_of(domain.begin(), domain.end(), host_character)) {
    return text;
  }
  return text.substr(0, at);
}

bool announces_token(std::string_view text) noexcept { return announced_class(text).known; }

}  // namespace paravent::crypto
