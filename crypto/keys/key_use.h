// KeyUse: the static table of everything a key may be used for (constructions 4.0). One key, one
// use, one algorithm: a use key is HKDF-Expand of its parent with the use and the context in the
// info, so two uses never share key bytes.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/secret_bytes.h"

namespace paravent::crypto {

enum class KeyUse : std::uint8_t {
  enc_rand,
  enc_nonce,
  enc_det,
  prf_pseudonym,
  prf_index,
  prf_subject,
  fpe_ff1,
  ip_det,
  ip_pfx,
  ip_ndx,
  vault_row,
  audit_detail,
  map_cookie,
  kcv,
  prf_shape,
  enc_subject,
};

struct KeyUseInfo {
  KeyUse use;
  std::string_view name;  // in the HKDF info; ASCII, never changed once released
  std::size_t length;     // bytes of key
};

// In the order of the enumeration.
std::span<const KeyUseInfo> key_uses() noexcept;
const KeyUseInfo& key_use_info(KeyUse use) noexcept;

inline constexpr std::size_t kParentKeySize = 32;

// HKDF-Expand(SHA-256, parent, "paravent/v1/" | use | 0x00 | ctx, L). Pure; any thread; about 1 us
// plus the locked mapping, so once per key, not per value. A parent of another size than 32 bytes
// is a broken invariant and ends the process.
SecretBytes derive_use_key(ByteView parent, KeyUse use, std::string_view ctx);

// The same without the mapping, for keys that serve one value: the caller owns and wipes `out`, of
// exactly the use's length.
void derive_use_key(ByteView parent, KeyUse use, std::string_view ctx, MutableBytes out);

}  // namespace paravent::crypto
