// The format of an encrypted file (docs/file-format.md), for whoever writes and whoever opens one.
//
//   "paravent-file-1" LF token LF  header of the stream, 24 bytes  chunk ... last chunk
//
// The token stands for the file's key, as 64 lower-case hexadecimal digits: a value like any other,
// with a policy, a purpose and an end of its own. The rest is libsodium's secretstream under that
// key in chunks of 64 KiB (plus 17 bytes each); the last one is shorter than that, possibly empty,
// and marked as the last. Both lines are associated data of every chunk.

#pragma once

#include <cstddef>
#include <string_view>

#include "crypto/primitives/secret_stream.h"

namespace paravent::crypto {

inline constexpr std::string_view kFileMagic = "paravent-file-1\n";
inline constexpr std::size_t kFileKeySize = kStreamKeySize;
inline constexpr std::size_t kFileChunk = std::size_t{64} * 1024;
// Of both lines together.
inline constexpr std::size_t kMaxFileLines = 1024;

}  // namespace paravent::crypto
