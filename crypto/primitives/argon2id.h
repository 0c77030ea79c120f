// Argon2id (RFC 9106), version 1.3, by libsodium, which does one lane only: what turns a
// pass-phrase into a key. Slow and memory-hungry on purpose; never on the data path. Pure; any
// thread.

#pragma once

#include <cstdint>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace paravent::crypto {

inline constexpr std::size_t kArgon2SaltSize = 16;

// salt: 16 bytes; out: 16 bytes or more; passes >= 1; memory_kib >= 8. ErrorKind::usage: a size
// that is none of these; internal: the memory is not there.
Status argon2id(ByteView password, ByteView salt, std::uint32_t passes, std::uint32_t memory_kib,
                MutableBytes out);

}  // namespace paravent::crypto
