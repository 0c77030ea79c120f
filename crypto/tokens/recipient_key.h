// Keys of the recipients of sealed values, as text. X25519 (RFC 7748), 32 bytes each, in Bech32m so
// that a typing error is seen: "pvpub1..." goes into a policy, "pvpriv1..." stays with whoever
// opens the values and never comes near the gateway.
//
// One spelling: lower case, 32 bytes. Pure functions; any thread.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/keys/protection_key.h"

namespace paravent::crypto {

inline constexpr std::string_view kPublicKeyHrp = "pvpub";
inline constexpr std::string_view kPrivateKeyHrp = "pvpriv";

// ErrorKind::malformed without a sentence: not the one spelling of 32 bytes; a public key also when
// it is one of the few points of low order. That check costs a scalar multiplication, once per
// policy.
Result<std::array<std::uint8_t, kRecipientKeySize>> parse_public_key(std::string_view text);
Result<SecretBytes> parse_private_key(std::string_view text);

// REQUIRES: 32 bytes; another size is a broken invariant and ends the process.
void append_public_key(ByteView key, std::string& out);
// The caller wipes `out`.
void append_private_key(ByteView key, std::string& out);

// What names a recipient inside the encapsulation of a content key: the first 16 bytes of
// SHA-256("paravent/v1/recipient" | public key).
using RecipientKeyId = std::array<std::uint8_t, 16>;
RecipientKeyId recipient_key_id(ByteView public_key) noexcept;

// The `info` that a content key is encapsulated with: "paravent/v1/seal-key" | LP(recipient key
// id).
std::string content_key_info(ByteView public_key);

// The `info` of a value that is sealed by itself: "paravent/v1/seal" | ctx.
std::string sealed_value_info(std::string_view ctx);

}  // namespace paravent::crypto
