// The way back from an enciphered address (ipcrypt, docs/token-format.md 6). For reverse.h and what
// stands on it; the same include rules apply.
//
// These constructions have no integrity: whatever is given opens to some address, and only a
// look-up or a comparison says whether it is the right one. Callers answer `unverified`. Pure
// functions; any thread.

#pragma once

#include <string_view>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/keys/protection_key.h"
#include "crypto/tokens/token_text.h"

namespace paravent::crypto::vault {

// The address behind a token's payload, as normalised text. ErrorKind::refused without a sentence:
// a key of another algorithm, or a payload of another size.
Result<SecretBytes> open_address(const ProtectionKey& key, const ParsedToken& token);

// The address behind an address literal that was written under `shape: ip`. ErrorKind::refused
// without a sentence: no address, or a key of an algorithm that writes no literals.
Result<SecretBytes> open_address_literal(const ProtectionKey& key, std::string_view text);

}  // namespace paravent::crypto::vault
