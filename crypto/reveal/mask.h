// Masking of a clear value on its way out, with what its kind shows by itself
// (crypto/tokens/mask.h). Pure; any thread.

#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/kind.h"

namespace paravent::crypto::reveal {

// Any bytes; what is not UTF-8 is masked whole.
SecretBytes mask_value(Kind kind, ByteView value);

}  // namespace paravent::crypto::reveal
