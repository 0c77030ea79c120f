// libsodium must be initialised before it picks the implementations for this CPU.

#pragma once

namespace paravent::crypto {

// Initialises libsodium on the first call of the process; thread safe, a flag test afterwards. Ends
// the process when libsodium cannot start.
void require_sodium() noexcept;

}  // namespace paravent::crypto
