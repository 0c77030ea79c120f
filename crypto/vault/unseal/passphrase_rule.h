// Which pass-phrases are long enough to stand against guessing at leisure, because the record that
// they are tried on may be stolen with the key store.
//
// CNIL's recommendation on passwords of 14 October 2022 asks for 80 bits of guessing entropy where
// nothing throttles the guesser: 12 characters of four classes, 14 of three, or seven words. Asked
// only when a pass-phrase is set; a set one is never judged again. Pure.

#pragma once

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace paravent::crypto::vault {

inline constexpr std::size_t kMaxPassphrase = 1024;

// ErrorKind::usage with what is wanted; the sentence says nothing of what was given.
Status check_passphrase(ByteView passphrase);

}  // namespace paravent::crypto::vault
