// BoundRow: what the token store keeps for a vault token that belongs to one data subject
// (row schema 2): the value once for each purpose, each copy under that purpose's epoch key and
// that purpose's subject key, so that it ends with either. And its bytes.
//
//   row  = u8 schema 2 | u32 key_id (of the token) | u8 kind | u8 flags (2: relationship) | u8 n |
//          n x copy
//   copy = purpose 16 | u32 seal_key_id | u32 created day | mark 8 | nonce 24 | sealed
//   sealed = XAES-256-GCM(vault.row, nonce, AD, subject layer)           layer | tag 16
//   AD   = ctx | token id | the row's first 7 bytes | the copy's first 32
// Copies in strictly ascending order of purpose, 1 to 64, all of one size. The subject layer
// (crypto/tokens/subject_layer.h) holds the handle and the value's frame; of relationship scope the
// value in the frame is relationship 16 | value, as in schema 1. mark = the first 8 bytes of
// SHA-256("paravent/v1/handle" | handle | token id | purpose): whoever has the handle sees whether
// the copy is under it, and nobody else can join rows by it. Clocks are in the subject store. Big
// endian; one spelling.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/tokens/kind.h"
#include "crypto/tokens/subject_layer.h"
#include "crypto/vault/engine/base/id.h"

namespace paravent::crypto::vault {

using HandleMark = std::array<std::uint8_t, 8>;

struct BoundCopy {
  Id purpose{};
  std::uint32_t seal_key_id = 0;
  std::uint32_t created_day = 0;
  HandleMark mark{};
  std::string sealed;  // nonce | ciphertext | tag; empty: not sealed yet
};

struct BoundRow {
  std::uint32_t key_id = 0;
  Kind kind = Kind::text;
  bool in_relationship = false;
  std::vector<BoundCopy> copies;
};

inline constexpr std::uint8_t kBoundRowSchema = 2;

// Which layout a stored row has; 0 for an empty one.
inline std::uint8_t row_schema(ByteView bytes) noexcept {
  return bytes.empty() ? std::uint8_t{0} : bytes[0];
}

// REQUIRES: copies in order, all sealed.
std::string encode_bound_row(const BoundRow& row);
// Strict; ErrorKind::malformed.
Result<BoundRow> decode_bound_row(ByteView bytes);
// The same of a row's facts (row_facts.h): head, count and the copies' clear bytes, nothing sealed.
Result<BoundRow> decode_bound_facts(ByteView facts);
// Makes them. False: the row's sizes contradict each other.
bool join_bound_facts(std::string_view row, std::string& facts);

// The key id of the token whose row this is, of either schema. ErrorKind::malformed.
Result<std::uint32_t> token_key_id(ByteView row);

HandleMark handle_mark(const SubjectHandle& handle, const Id& token, const Id& purpose);

// The copy for this purpose; nullptr when there is none.
BoundCopy* copy_for(BoundRow& row, const Id& purpose);
const BoundCopy* copy_for(const BoundRow& row, const Id& purpose);
// The same, made in its place when it is missing; nullptr: the row has 64 already.
BoundCopy* ensure_copy(BoundRow& row, const Id& purpose);

// ctx | token id | row's and copy's clear bytes
std::string copy_ad(std::string_view ctx, const Id& id, const BoundRow& row, const BoundCopy& copy);

}  // namespace paravent::crypto::vault
