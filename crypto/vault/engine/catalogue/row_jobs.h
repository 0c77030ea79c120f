// What is still to be done to the rows of a vault behind the back of its traffic, as the key store
// keeps it, so that a restart goes on with it (row_keeper.h does it).
//
// Stored, big endian, one spelling:
//   rows   u8 1 | u8 wishes (1: re-seal) | u64 purged until, ms      id = 15 zeros | 1
//   index  u8 2 | u32 version | u32 version before, 0: none | key 16 | key before 16
//                                                                    id: the domain's
//          u8 1 | u32 version | u32 version before: of a store from before domain keys rotated,
//          read as hanging on the oldest key, never written
// A blind index has a version of its own, from 1, as the key version of its context: another
// version is another key. It is derived from the version of the domain key that is named beside it
// (all zero: from the domain's oldest), so that it outlives a rotation of that key until the index
// has moved. While there is a version before, values are searched under both.

#pragma once

#include <cstdint>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/base/id.h"
#include "crypto/vault/engine/keys/key_store.h"

namespace paravent::crypto::vault {

struct RowWishes {
  bool reseal = false;      // rows under an older key are to be sealed under the current one
  WallTime purged_until{};  // no row is left whose key was destroyed until then
  friend bool operator==(const RowWishes&, const RowWishes&) = default;
};

struct IndexVersions {
  std::uint32_t current = 1;
  std::uint32_t before = 0;  // 0: none, every entry is under the current one
  Id key{};                  // version of the domain key; kNoId: its oldest
  Id key_before{};           // kNoId where there is no version before
  friend bool operator==(const IndexVersions&, const IndexVersions&) = default;
};

// Each strict; ErrorKind::malformed.
Bytes encode_row_wishes(const RowWishes& wishes);
Result<RowWishes> decode_row_wishes(ByteView bytes);
Bytes encode_index_versions(const IndexVersions& versions);
Result<IndexVersions> decode_index_versions(ByteView bytes);

inline constexpr RecordRef kRowWishesRef{RecordType::rows,
                                         {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

}  // namespace paravent::crypto::vault
