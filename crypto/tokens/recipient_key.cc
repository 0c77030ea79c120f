#include "crypto/tokens/recipient_key.h"

#include <algorithm>
#include <cstdlib>

#include "crypto/primitives/sha256.h"
#include "crypto/primitives/x25519.h"
#include "crypto/tokens/bech32m.h"

namespace paravent::crypto {
namespace {

void append_key(std::string_view hrp, ByteView key, std::string& out) {
  if (key.size() != kRecipientKeySize) std::abort();
  append_bech32m(out, hrp, key);
}

bool has_upper_case(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

Status decode_key(std::string_view hrp, std::string_view text, MutableBytes key) noexcept {
  // Bech32m would take all upper case as well.
  if (has_upper_case(text)) return Error(ErrorKind::malformed);
  return decode_bech32m_payload(text, hrp, key);
}

}  // namespace

Result<std::array<std::uint8_t, kRecipientKeySize>> parse_public_key(std::string_view text) {
  std::array<std::uint8_t, kRecipientKeySize> key{};
  if (Status status = decode_key(kPublicKeyHrp, text, key); !status) return status.error();
  // Whatever the sender's key, it would agree with one of these points on a secret that everybody
  // knows (RFC 7748 6.1).
  constexpr std::array<std::uint8_t, kRecipientKeySize> kAnyScalar = {1};
  std::array<std::uint8_t, kRecipientKeySize> shared;
  if (!x25519(kAnyScalar, key, shared)) return Error(ErrorKind::malformed);
  return key;
}

Result<SecretBytes> parse_private_key(std::string_view text) {
  SecretBytes key(kRecipientKeySize);
  if (Status status = decode_key(kPrivateKeyHrp, text, key.mutable_bytes()); !status) {
    return status.error();
  }
  return key;
}

void append_public_key(ByteView key, std::string& out) { append_key(kPublicKeyHrp, key, out); }
void append_private_key(ByteView key, std::string& out) { append_key(kPrivateKeyHrp, key, out); }

RecipientKeyId recipient_key_id(ByteView public_key) noexcept {
  constexpr std::string_view kLabel = "paravent/v1/recipient";
  const Sha256Digest digest = Sha256().update(as_bytes(kLabel)).update(public_key).finish();
  RecipientKeyId id;
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

std::string content_key_info(ByteView public_key) {
  const RecipientKeyId id = recipient_key_id(public_key);
  std::string info = "paravent/v1/seal-key";
  append_lp(info, as_text(id));
  return info;
}

std::string sealed_value_info(std::string_view ctx) {
  return std::string("paravent/v1/seal").append(ctx);
}

}  // namespace paravent::crypto
