// Wrapping of subject keys: as every key of the tree (key_wrap.h), under the shred secret and then
// under the tenant's key; bound beside that to the subject and the day, so that a wrapped key
// cannot be moved to another person.
//
// Pure functions on the caller's memory; any thread.

#pragma once

#include "crypto/base/result.h"
#include "crypto/vault/engine/subjects/subject_change.h"

namespace paravent::crypto::vault {

// Fills in `check` and `wrapped` of a key of this tenant whose other fields are set. `shred_wrap`:
// the wrapping key of the shred secret of the number in `made`. `outer`: what the children of
// made.parent are wrapped under. 32 bytes each.
void wrap_subject_key(SubjectKeyMade& made, const Id& tenant, ByteView key, ByteView shred_wrap,
                      ByteView outer);

// ErrorKind::malformed without a sentence: the wrap does not open. `key`: 32 bytes, then wiped.
Status unwrap_subject_key(const SubjectKeyMade& made, const Id& tenant, ByteView shred_wrap,
                          ByteView outer, MutableBytes key);

}  // namespace paravent::crypto::vault
