// KeyRecord: one random key of the tree as the key store holds it, wrapped twice: under a key
// derived from the shred secret, then under its parent. And ContextRecord: a context row with the
// parent of its keys.
//
// Stored, all fixed size and big endian (id = the record's own):
//   key      u8 format 2 | u8 class | parent 16 | tenant 16 | domain 16 | purpose 16 | u8 epoch
//   length |
//            u32 epoch index | u64 made, ms | u32 key version | u32 shred secret's number | u8
//            state | u8 flags (1: overridden) | 7 x u64 since, ms | u64 running time at disabling,
//            ms | key check value 8 | wrapped 112
//   context  u8 version 1 | parent 16 | encoded ContextRow (crypto/keys)
// wrapped = nonce 24 | XChaCha20-Poly1305( nonce 24 | XChaCha20-Poly1305( key 32 ) )
// Both wraps bind every field that says what the key is (constructions 4.0), so that a wrapped key
// cannot be moved to another place of the tree; what happens to it in its life (the line of the
// state) is under the store's MAC alone. Of a destroyed key the check value and the wrapped key are
// all zero: nothing but metadata is left. Absent ids are all zero.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/keys/context_row.h"
#include "crypto/keys/epoch.h"
#include "crypto/vault/engine/keys/key_state.h"
#include "crypto/vault/engine/keys/key_store.h"
#include "crypto/vault/engine/keys/root_key.h"

namespace paravent::crypto::vault {

// Stored numbers: never renumber, never reuse.
enum class KeyClass : std::uint8_t {
  tenant = 1,      // parent: the root; destroyed = end of a tenant
  domain = 2,      // parent: the tenant key
  epoch = 3,       // (domain, purpose, epoch), parent: the domain key; destroyed = end of retention
  subject = 4,     // (tenant, subject, purpose), parent: the tenant key; in the subject store
  audit_seed = 5,  // signs a log. Parent: the root, also for a tenant, whose log outlives its keys
  audit_detail = 6,   // (log, month). Parent: the root, for the same reason
  subject_store = 7,  // authenticates the file of the subject keys, and its id names the file
};

inline constexpr std::size_t kTreeKeySize = 32;
inline constexpr std::size_t kWrapOverhead = 24 + 16;
inline constexpr std::size_t kWrappedSize = kTreeKeySize + 2 * kWrapOverhead;

struct KeyRecord {
  Id id{};
  KeyClass key_class = KeyClass::tenant;
  Id parent{};
  Id tenant{};
  Id domain{};
  Id purpose{};
  Epoch epoch{};
  WallTime made{};
  std::uint32_t version = 1;  // within its place, ascending: the highest is the primary
  std::uint32_t shred_number = 0;
  KeyCondition condition{};  // `ended` follows from `since`
  // When each state was last entered, in the order of KeyState; the epoch of WallTime: never.
  std::array<WallTime, kKeyStates> since{};
  // The vault's running time (retention.h) when the keeper found it due and put it out of use;
  // zero: it is not due. How long it waits is not counted by a clock that anybody can set.
  std::chrono::milliseconds guarded_since{};
  KeyCheckValue check{};
  std::array<std::uint8_t, kWrappedSize> wrapped{};
};

// Whether `operation` is allowed now; then the record is changed and dated. The caller stores it. A
// destroyed record has lost its key.
bool apply(KeyRecord& record, KeyOperation operation, WallTime now);

struct ContextRecord {
  Id parent{};  // epoch key; kNoId for the rows of vault tokens, which have no key of their own
  ContextRow row;
};

Bytes encode_key_record(const KeyRecord& record);
Result<KeyRecord> decode_key_record(const Id& id, ByteView bytes);

// label | LP(parent) | LP(key id) | LP(purpose) | LP(tenant) | u64be made | the rest of what the
// key is.
std::string wrap_ad(std::string_view label, const KeyRecord& record);

RecordRef context_ref(std::uint32_t key_id);
Bytes encode_context_record(const ContextRecord& record);
// ErrorKind::malformed also when the row's key id is not the one of the record.
Result<ContextRecord> decode_context_record(const Id& id, ByteView bytes);

}  // namespace paravent::crypto::vault
