// The layer that binds a value to its data subject, under the layer of its context's key
// (constructions 4.0; docs/token-format.md 6):
//
//   handle 16 | XChaCha20-Poly1305(enc.subject, nonce, AD = handle | outer AD, frame)
//
// where enc.subject is derived from the subject key and the context, and nonce and outer AD are
// those of the layer around it, whose key is another one. Both keys are needed to open; nothing
// outside the outer layer links two values of one person. Pure functions on the caller's memory.

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/token_format.h"

namespace paravent::crypto {

using SubjectHandle = std::array<std::uint8_t, kSubjectHandleSize>;

// A subject key, for one purpose, and the handle that it is found by. For the length of one
// request.
struct SubjectSeal {
  SubjectHandle handle{};
  SecretBytes key;  // kParentKeySize; empty: there is none
};

// In place: `layer` is handle 16 (written here) | frame | room for the tag 16. REQUIRES: there is a
// key.
void seal_subject_layer(const SubjectSeal& subject, std::string_view ctx, ByteView nonce,
                        ByteView outer_ad, MutableBytes layer);

// What the outer layer held, with the subject key that its handle names: the frame, clear, whose
// bytes begin behind the handle. In place; ErrorKind::malformed without a sentence, and then all
// zero. REQUIRES: layer.size() > kSubjectOverhead.
Result<ByteView> open_subject_layer(ByteView subject_key, std::string_view ctx, ByteView nonce,
                                    ByteView outer_ad, MutableBytes layer);

}  // namespace paravent::crypto
