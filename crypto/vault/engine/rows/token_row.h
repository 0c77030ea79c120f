// TokenRow: what the token store keeps for one vault token (constructions 4.1), and its bytes.
//
//   row   = clear part | nonce 24 | ciphertext | tag 16
//   clear = u8 schema 1 | u32 key_id (of the token) | u32 seal_key_id | u8 kind | u8 flags (1:
//   subject, 2: relationship) |
//           [subject reference 32] | u8 n | n x ( purpose 16 | u32 created day | u32 last contact
//           day )
// Purposes in strictly ascending order of id, 1 to 64. Days since 1970-01-01, UTC. The ciphertext
// is XAES-256-GCM of the value's frame; its AD is ctx | token id | clear part, so that purposes and
// clocks, on which access is decided, cannot be altered either. Of relationship scope the value in
// the frame is relationship 16 | value: its blind index cannot be computed anew without, and in the
// clear part it would join the rows of a relationship. Big endian; one spelling.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/tokens/kind.h"
#include "crypto/vault/engine/base/id.h"
#include "crypto/vault/engine/rows/token_store.h"

namespace paravent::crypto::vault {

inline constexpr std::size_t kMaxRowPurposes = 64;

struct RowPurpose {
  Id id{};
  std::uint32_t created_day = 0;
  std::uint32_t contact_day = 0;
  friend bool operator==(const RowPurpose&, const RowPurpose&) = default;
};

struct TokenRow {
  std::uint32_t key_id = 0;
  std::uint32_t seal_key_id = 0;
  Kind kind = Kind::text;
  std::optional<SubjectReference> subject;
  bool in_relationship = false;
  std::vector<RowPurpose> purposes;
};

// A decoded row: its clear part, and where the rest lies in the bytes decoded from.
struct TokenRowView {
  TokenRow row;
  ByteView clear;
  ByteView nonce;
  ByteView sealed;  // ciphertext | tag
};

enum class Contact : std::uint8_t { nothing_new, new_day, new_purpose };

// Notes a use of the row today for this purpose. new_day: only a clock moved on; new_purpose: the
// row must be stored before anybody relies on it (a 65th purpose is not added).
Contact note_contact(TokenRow& row, const Id& purpose, std::uint32_t today);

std::uint32_t day_of(WallTime time) noexcept;
WallTime time_of_day(std::uint32_t day) noexcept;

std::string encode_clear_part(const TokenRow& row);
// Strict; borrows from `bytes`. ErrorKind::malformed.
Result<TokenRowView> decode_token_row(ByteView bytes);
// A clear part and nothing else (row_facts.h). As strict.
Result<TokenRow> decode_token_facts(ByteView facts);
// Of a clear part what a look-up asks for, without making a TokenRow of it: whose it is, and how a
// use for `purpose` on day `today` stands. As strict as decode_token_facts(), and agrees with
// note_contact().
struct ContactFacts {
  std::uint32_t key_id = 0;
  std::uint32_t seal_key_id = 0;
  Contact contact = Contact::new_purpose;
};
Result<ContactFacts> read_contact(ByteView facts, const Id& purpose, std::uint32_t today);
// How many of a row's bytes are its clear part; 0: its sizes contradict each other.
std::size_t clear_part_size(std::string_view row) noexcept;

// ctx | id | clear part
std::string row_ad(std::string_view ctx, const Id& id, std::string_view clear);

}  // namespace paravent::crypto::vault
