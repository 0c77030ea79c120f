// Masking of a clear value on its way out (constructions 4.10): at most four characters or a
// quarter, whichever is less; a mask of fixed width; a result that is no valid value of its kind.
//
// Characters are grapheme clusters (UAX 29). E-mail: the first character, and the domain only where
// it is one of the mass providers, which tells nothing about a person; the blanks around "@" keep
// the result from being an address. Addresses of machines: nothing. Pure; any thread.

#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/kind.h"

namespace paravent::crypto::reveal {

// Any bytes; what is not UTF-8 is masked whole.
SecretBytes mask_value(Kind kind, ByteView value);

}  // namespace paravent::crypto::reveal
