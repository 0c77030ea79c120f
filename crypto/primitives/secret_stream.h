// A sequence of sealed chunks of which none can be altered, moved, repeated or cut off, and whose
// end is known: libsodium's crypto_secretstream_xchacha20poly1305, for backups.
//
// key: 32 bytes, used for one stream only; header: 24 bytes, made by the sealer. Each chunk grows
// by 17 bytes. Keeps its state in locked memory; movable, one thread at a time.

#pragma once

#include <cstddef>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"

namespace paravent::crypto {

inline constexpr std::size_t kStreamKeySize = 32;
inline constexpr std::size_t kStreamHeaderSize = 24;
inline constexpr std::size_t kStreamChunkOverhead = 17;

enum class StreamPart : bool { more, last };

class StreamSealer {
 public:
  // ErrorKind::usage: a wrong size.
  static Result<StreamSealer> start(ByteView key, MutableBytes header);

  // out.size() == plain.size() + 17, else ErrorKind::usage. Nothing may follow the last part.
  Status seal(ByteView ad, ByteView plain, StreamPart part, MutableBytes out) noexcept;

 private:
  explicit StreamSealer(SecretBytes state) noexcept : state_(std::move(state)) {}
  SecretBytes state_;
};

class StreamOpener {
 public:
  static Result<StreamOpener> start(ByteView key, ByteView header);

  // plain.size() == sealed.size() - 17. Answers whether it was the last part. Whatever does not
  // open is ErrorKind::malformed without a sentence, and `plain` is then all zero.
  Result<StreamPart> open(ByteView ad, ByteView sealed, MutableBytes plain) noexcept;

 private:
  explicit StreamOpener(SecretBytes state) noexcept : state_(std::move(state)) {}
  SecretBytes state_;
};

}  // namespace paravent::crypto
