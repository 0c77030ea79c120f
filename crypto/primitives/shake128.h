// SHAKE-128 (FIPS 202): the generator that published vector files use to describe long inputs and
// to fold many outputs into one number. Not used to protect anything.

#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace paravent::crypto {

// Fills `out` with the extendable output over `message`. Pure; ErrorKind::internal when OpenSSL
// fails.
Status shake128(ByteView message, MutableBytes out) noexcept;

}  // namespace paravent::crypto
