// KeyWrap: the two wraps of a key of the tree (constructions 4.0): XChaCha20-Poly1305 under a key
// from the shred secret, then under a key from the parent, each bound to what the record says the
// key is. Pure functions; the caller owns every secret.

#pragma once

#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/vault/engine/keys/key_record.h"

namespace paravent::crypto::vault {

// The key that the children of `parent` are wrapped under. Not the parent itself: a domain key is
// also the parent of use keys, and one key has one use. REQUIRES: 32 bytes.
SecretBytes child_wrapping_key(ByteView parent);

// Fills in check value and wrapped key. `shred` is the wrapping key of the secret that
// record.shred_number names, `outer` the parent's child_wrapping_key or the root's. `binding`: what
// else a store of its own binds its keys to; empty for keys of the tree. REQUIRES: 32 bytes each.
void wrap_key(KeyRecord& record, ByteView key, ByteView shred, ByteView outer,
              std::string_view binding = {});

// The inverse, into 32 bytes. ErrorKind::malformed without a sentence, whatever was altered; `out`
// is then wiped.
Status unwrap_key(const KeyRecord& record, ByteView shred, ByteView outer, MutableBytes out,
                  std::string_view binding = {});

}  // namespace paravent::crypto::vault
