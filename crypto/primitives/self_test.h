// Start-up checks of the cryptographic libraries: versions, and one known answer per primitive.
//
// Called once by every command that touches keys, before any key is loaded. A failure means that
// the installed libraries must not be used: ErrorKind::verification with a sentence naming the
// part.

#pragma once

#include "crypto/base/result.h"

namespace paravent::crypto {

// OpenSSL >= 3.0.10 at run time (CVE-2023-2975), libsodium initialised, every primitive right.
Status run_self_tests();

}  // namespace paravent::crypto
