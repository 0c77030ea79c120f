// The way back from a value of preserved form (FF1, docs/token-format.md 6). For reverse.h and what
// stands on it; the same include rules apply.
//
// No integrity: any value of the form opens to some other one, so the answer is `unverified`;
// whoever asks says which field and which time it comes from, which is how the key was found. The
// check digit of cards, SIREN and SIRET must be the wrong one that protection wrote: so the clear
// number itself, and nine in ten typing errors, do not open. Pure function; any thread.

#pragma once

#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/kind.h"

namespace paravent::crypto::vault {

// `key`: fpe.ff1 of the context (32 bytes). ErrorKind::refused without a sentence: no value of that
// form, or a kind that has none.
Result<SecretBytes> open_preserved(ByteView key, std::string_view ctx, Kind kind,
                                   std::string_view value);

}  // namespace paravent::crypto::vault
