// Wrapping of subject keys: as every key of the tree, twice, under a key derived from the shred
// secret and then under one derived from the tenant's key (constructions 4.0). Both wraps bind
// every clear field, so that a wrapped key cannot be moved to another person or purpose.
//
// Pure functions on the caller's memory; any thread.

#pragma once

#include "crypto/base/result.h"
#include "crypto/base/secret_bytes.h"
#include "crypto/vault/engine/subject_change.h"

namespace paravent::crypto::vault {

// The outer wrapping key of a tenant's subject keys. `tenant_key`: 32 bytes.
SecretBytes subject_wrapping_key(ByteView tenant_key);

// Fills in `check` and `wrapped` of a key of this tenant whose other fields are set. `shred_wrap`:
// the shred secret's wrapping key of the number in `made`.
void wrap_subject_key(SubjectKeyMade& made, const Id& tenant, ByteView key, ByteView shred_wrap,
                      ByteView outer);

// ErrorKind::data without a sentence: the wrap does not open. `key`: 32 bytes, then all zero.
Status unwrap_subject_key(const SubjectKeyMade& made, const Id& tenant, ByteView shred_wrap,
                          ByteView outer, MutableBytes key);

}  // namespace paravent::crypto::vault
