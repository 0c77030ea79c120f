// What memory a vault may take for tokens when nobody says: a share of what the process may have
// (process_memory.h).
//
// A most, not a need: both memories begin small and grow with what they hold.

#pragma once

#include <cstdint>

#include "crypto/vault/engine/vault/vault.h"

namespace paravent::crypto::vault {

// Of so many bytes an eighth for the store and a sixteenth for known tokens; where that is less
// than a vault takes of itself (VaultMemory) that, but no more than twice the share. And less where
// the system refuses to promise it.
VaultMemory memory_share(std::uint64_t bytes);

}  // namespace paravent::crypto::vault
