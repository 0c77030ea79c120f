// Opening sealed values: what the holder of a recipient's private key does, away from the gateway,
// with nothing but that key, the token and the exported context of its key id. Needs no store, no
// vault and no staircase: nobody who runs the gateway could grant or refuse it.
//
// Pure function; any thread. Layouts: docs/token-format.md 6.

#pragma once

#include <string_view>

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/token_text.h"

namespace paravent::crypto::reveal {

// The clear value as it was normalised. `private_key`: raw X25519, 32 bytes. ErrorKind::refused
// without a sentence for everything else: another recipient, another context, any altered bit, a
// token of another class.
Result<SecretBytes> open_sealed(const SecretBytes& private_key, std::string_view ctx,
                                const ParsedToken& token);

}  // namespace paravent::crypto::reveal
