// SubjectChange: one step in the life of data subjects and their keys, as the subject store writes
// it; and the bytes of a list of such steps.
//
// A store is what is left after all its changes in order. Stored, big endian, one spelling, each
// change u8 type | fields of fixed size:
//   1 subject   id 16 | tenant 16 | reference 32 | u8 identified | u32 first day
//   2 key       handle 16 | subject 16 | purpose 16 | parent 16 | u64 made, ms | u32 created day |
//               u32 shred secret's number | key check value 8 | wrapped 112
//   3 mark      subject 16 | u8 marks (1 restricted, 2 objected)
//   4 contact   handle 16 | u32 day of the last contact
//   5 event     handle 16 | u32 day (0: taken back): the end of a contract, a case closed
//   6 disabled  handle 16 | u64 since, ms (0: enabled again) | u64 running time then, ms
//   7 erased    subject 16: the subject with all its keys
//   8 destroyed handle 16: one key
// Days since 1970-01-01, UTC. wrapped: as of every key (key_record.h), the clear fields in the AD.

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/base/id.h"
#include "crypto/vault/engine/keys/key_record.h"

namespace paravent::crypto::vault {

// identified: the reference is the keyed hash of a value, so that the person is found again. Else
// it is random.
struct SubjectMade {
  Id id{};
  Id tenant{};
  SubjectReference reference{};
  bool identified = false;
  std::uint32_t first_day = 0;
  friend bool operator==(const SubjectMade&, const SubjectMade&) = default;
};

// A wrapped subject key: of one subject for one purpose. Its id is the handle that lies, encrypted,
// in every value under it.
struct SubjectKeyMade {
  Id handle{};
  Id subject{};
  Id purpose{};
  Id parent{};  // the tenant's key that it is wrapped under
  WallTime made{};
  std::uint32_t created_day = 0;
  std::uint32_t shred_number = 0;
  KeyCheckValue check{};
  std::array<std::uint8_t, kWrappedSize> wrapped{};
  friend bool operator==(const SubjectKeyMade&, const SubjectKeyMade&) = default;
};

struct SubjectMarked {
  Id subject{};
  bool restricted = false;
  bool objected = false;
  friend bool operator==(const SubjectMarked&, const SubjectMarked&) = default;
};

struct SubjectContact {
  Id handle{};
  std::uint32_t day = 0;
  friend bool operator==(const SubjectContact&, const SubjectContact&) = default;
};

struct SubjectEvent {
  Id handle{};
  std::uint32_t day = 0;
  friend bool operator==(const SubjectEvent&, const SubjectEvent&) = default;
};

// running: the vault's running time, by which the guard before destruction counts.
struct SubjectKeyDisabled {
  Id handle{};
  WallTime since{};  // the epoch's beginning, 0: enabled again
  std::chrono::milliseconds running{};
  friend bool operator==(const SubjectKeyDisabled&, const SubjectKeyDisabled&) = default;
};

struct SubjectErased {
  Id subject{};
  friend bool operator==(const SubjectErased&, const SubjectErased&) = default;
};

struct SubjectKeyDestroyed {
  Id handle{};
  friend bool operator==(const SubjectKeyDestroyed&, const SubjectKeyDestroyed&) = default;
};

// In the order of the stored type numbers, which begin at 1.
using SubjectChange =
    std::variant<SubjectMade, SubjectKeyMade, SubjectMarked, SubjectContact, SubjectEvent,
                 SubjectKeyDisabled, SubjectErased, SubjectKeyDestroyed>;

// The longest change in bytes.
inline constexpr std::size_t kMaxSubjectChangeSize = 1 + 4 * 16 + 8 + 4 + 4 + 8 + kWrappedSize;

void append_subject_change(std::string& out, const SubjectChange& change);
// Strict, in order; ErrorKind::malformed without a sentence.
Result<std::vector<SubjectChange>> decode_subject_changes(ByteView bytes);

}  // namespace paravent::crypto::vault
