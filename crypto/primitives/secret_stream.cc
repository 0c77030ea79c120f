#include "crypto/primitives/secret_stream.h"

#include <sodium.h>

#include "crypto/primitives/sodium_ready.h"

namespace paravent::crypto {
namespace {

using State = crypto_secretstream_xchacha20poly1305_state;

static_assert(kStreamKeySize == crypto_secretstream_xchacha20poly1305_KEYBYTES);
static_assert(kStreamHeaderSize == crypto_secretstream_xchacha20poly1305_HEADERBYTES);
static_assert(kStreamChunkOverhead == crypto_secretstream_xchacha20poly1305_ABYTES);

// Made of bytes only, so that any address will do.
static_assert(alignof(State) == 1);

State* state_in(SecretBytes& bytes) noexcept {
  return reinterpret_cast<State*>(bytes.mutable_bytes().data());
}

}  // namespace

Result<StreamSealer> StreamSealer::start(ByteView key, MutableBytes header) {
  require_sodium();
  SecretBytes state(sizeof(State));
  if (key.size() != kStreamKeySize || header.size() != kStreamHeaderSize ||
      crypto_secretstream_xchacha20poly1305_init_push(state_in(state), header.data(), key.data()) !=
          0) {
    return Error(ErrorKind::usage);
  }
  return StreamSealer(std::move(state));
}

Status StreamSealer::seal(ByteView ad, ByteView plain, StreamPart part, MutableBytes out) noexcept {
  const unsigned char tag = part == StreamPart::last
                                ? crypto_secretstream_xchacha20poly1305_TAG_FINAL
                                : crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
  if (out.size() != plain.size() + kStreamChunkOverhead ||
      crypto_secretstream_xchacha20poly1305_push(state_in(state_), out.data(), nullptr,
                                                 plain.data(), plain.size(), ad.data(), ad.size(),
                                                 tag) != 0) {
    return Error(ErrorKind::usage);
  }
  return {};
}

Result<StreamOpener> StreamOpener::start(ByteView key, ByteView header) {
  require_sodium();
  SecretBytes state(sizeof(State));
  if (key.size() != kStreamKeySize || header.size() != kStreamHeaderSize ||
      crypto_secretstream_xchacha20poly1305_init_pull(state_in(state), header.data(), key.data()) !=
          0) {
    return Error(ErrorKind::usage);
  }
  return StreamOpener(std::move(state));
}

Result<StreamPart> StreamOpener::open(ByteView ad, ByteView sealed, MutableBytes plain) noexcept {
  unsigned char tag = 0;
  const bool opened = sealed.size() >= kStreamChunkOverhead &&
                      plain.size() == sealed.size() - kStreamChunkOverhead &&
                      crypto_secretstream_xchacha20poly1305_pull(
                          state_in(state_), plain.data(), nullptr, &tag, sealed.data(),
                          sealed.size(), ad.data(), ad.size()) == 0;
  const bool last = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
  if (!opened || (!last && tag != crypto_secretstream_xchacha20poly1305_TAG_MESSAGE)) {
    wipe(plain);
    return Error(ErrorKind::malformed);
  }
  return last ? StreamPart::last : StreamPart::more;
}

}  // namespace paravent::crypto
