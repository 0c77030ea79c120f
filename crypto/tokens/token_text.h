// Token texts: writing them, and reading them strictly. Format: token_format.h,
// docs/token-format.md.
//
// Reading tells what anyone can compute from the text: class, algorithm and key id, and whether the
// checksum holds. It opens nothing, and a text that passes is not thereby genuine: possession of a
// token authorises nothing. Pure functions; any thread. Writers append and keep the caller's
// capacity.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/keys/algorithm.h"
#include "crypto/tokens/token_format.h"

namespace paravent::crypto {

enum class TokenClass : std::uint8_t { vault, derived, pseudonym, address, encrypted, sealed };

// Which class an algorithm's texts belong to. REQUIRES: an algorithm of tokens (1 to 9, 11);
// another one is a broken invariant and ends the process.
TokenClass token_class_of(Algorithm algorithm) noexcept;

// "vault", "derived", "pseudonym", "address", "encrypted", "sealed".
std::string_view token_class_name(TokenClass token_class) noexcept;

// "pvv1..." of a vault row's id: 46 characters.
void write_vault_token(std::uint32_t key_id, std::span<const std::uint8_t, kVaultIdSize> id,
                       std::string& out);

// `body` is header | payload. REQUIRES: a class with a short text (vault, derived, pseudonym,
// address).
void write_short_token(TokenClass token_class, ByteView body, std::string& out);

// `body` is header | payload | four bytes of room, which are overwritten with the checksum.
// REQUIRES: encrypted or sealed, and body.size() >= 10.
void write_long_token(TokenClass token_class, MutableBytes body, std::string& out);

// What the text itself tells.
struct TokenFacts {
  TokenClass token_class = TokenClass::vault;
  Algorithm algorithm = Algorithm::vault_token;
  std::uint32_t key_id = 0;
  std::size_t payload_size = 0;
};

// Checks everything that parse_token checks, without allocating.
Result<TokenFacts> check_token(std::string_view text) noexcept;

struct ParsedToken {
  TokenClass token_class = TokenClass::vault;
  Algorithm algorithm = Algorithm::vault_token;
  std::uint32_t key_id = 0;
  Bytes payload;     // without header and checksum
  std::string text;  // the canonical spelling: short texts in lower case
};

// The whole of `text` is one token: known prefix and format, exact length, checksum, zero spare
// bits, an algorithm of its class. Anything else is ErrorKind::malformed without a sentence. A
// token in `shape: email` is parsed after strip_email_shape.
Result<ParsedToken> parse_token(std::string_view text);

// Whether the text begins as a token does (`pvv1`, `PVD1`, `pve_`, ...), well formed or not.
bool announces_token(std::string_view text) noexcept;

// The local part of `token@domain` where the domain is a plausible host name and the local part may
// be a token that is given this shape (vault, pseudonym); otherwise `text` unchanged.
std::string_view strip_email_shape(std::string_view text) noexcept;

}  // namespace paravent::crypto
