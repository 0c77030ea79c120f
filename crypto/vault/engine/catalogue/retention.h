// Retention of keys (constructions 4.11): how long the keys of a purpose live, what holds their
// destruction up, and what the retention keeper remembers. Plain data, its stored form, and the
// arithmetic of when a key is due.
//
// A key's limit is counted from the beginning of its epoch, so that the earliest record under it
// never outlives its own. It is disabled early enough for 72 hours of running time and a day to
// spare before that.
//
// Stored, big endian, one spelling (id = the record's own):
//   retention  u8 1 | rule | u8 pending | [rule]      rule = u8 from | 4 x u32: months and days
//              active, months and days archived       id: the purpose's
//   hold       u8 1 | tenant 16 | purpose 16 | u8 subject | [subject reference 32] | u64 made, ms |
//              u64 until, ms | LP(reason)
//   keeper     u8 1 | u64 running time, ms | u64 wall clock last seen, ms | u8 freezes | u64 frozen
//              since, ms; where keys were made by a clock that ran ahead, u8 2 in front, and
//              behind: u64 confirmed, ms | u64 doubted until, ms

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "crypto/base/bytes.h"
#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/keys/calendar.h"
#include "crypto/vault/engine/base/id.h"
#include "crypto/vault/engine/keys/key_record.h"
#include "crypto/vault/engine/keys/key_store.h"

namespace paravent::crypto::vault {

// How long a disabled key waits, in running time of the gateway, before its bytes go.
inline constexpr std::chrono::hours kDestructionGuard{72};
// How long before its limit a key is disabled: the guard, and a day in which the gateway may stand
// still.
inline constexpr std::chrono::hours kDisableAhead{96};
// How long an audit log keeps its details when nothing else was set (constructions 4.11); counts
// from the end of their month.
inline constexpr CalendarPeriod kAuditDetailLife{12, 0};
// From when on no key backup should exist that still holds what was destroyed.
inline constexpr CalendarPeriod kKeyBackupLife{0, 30};

// From what the life of a person's data counts (subject keys). Epochs count from collection.
enum class CountsFrom : std::uint8_t {
  collection = 0,  // the last contact: the epochs of values that count from collection end earlier
  event = 1,       // the end of a contract, a case closed
  contact = 2,
};

struct RetentionRule {
  CountsFrom from = CountsFrom::collection;
  CalendarPeriod active;
  CalendarPeriod archive;  // zero: none
  friend bool operator==(const RetentionRule&, const RetentionRule&) = default;
};

// The latest time at which something collected at `start` may still open.
WallTime retention_end(const RetentionRule& rule, WallTime start);
// Whether `next` would destroy anything earlier than `rule`.
bool shortens(const RetentionRule& rule, const RetentionRule& next);
// What stands for the retention of a purpose that has none: it ends nothing.
inline constexpr RetentionRule kKeepForEver{CountsFrom::event, {12 * 1000, 0}, {}};

struct RetentionRecord {
  RetentionRule rule;
  std::optional<RetentionRule> pending;  // shorter, and not yet confirmed by an operator
  friend bool operator==(const RetentionRecord&, const RetentionRecord&) = default;
};

inline constexpr std::size_t kMaxHoldReason = 1000;

// Nothing that it covers is destroyed before `until`: a purpose, or one person in it, or in all.
struct HoldRecord {
  Id id{};
  Id tenant{};
  Id purpose{};                             // kNoId: every purpose
  std::optional<SubjectReference> subject;  // none: everybody
  WallTime made{};
  WallTime until{};
  std::string reason;
};

// Why nothing is destroyed; any number of them.
enum class Freeze : std::uint8_t {
  clock = 1,      // the wall clock jumped by more than a day
  retention = 2,  // a policy load shortened a retention
};

struct KeeperRecord {
  std::chrono::milliseconds running{};  // of this gateway since the vault was made, roughly
  WallTime seen{};                      // the wall clock, when this was stored
  std::uint8_t freezes = 0;
  WallTime frozen_since{};
  // An operator said at `confirmed` that the wall clock is right, when keys were there of times up
  // to `doubted_until`: what lies between the two says nothing about the time. Both or neither.
  WallTime confirmed{};
  WallTime doubted_until{};

  bool doubts(WallTime made) const noexcept { return made > confirmed && made <= doubted_until; }
  bool frozen() const noexcept { return freezes != 0; }
  bool frozen_by(Freeze cause) const noexcept {
    return (freezes & static_cast<std::uint8_t>(cause)) != 0;
  }
  void freeze(Freeze cause, WallTime now) noexcept {
    if (!frozen()) frozen_since = now;
    freezes = static_cast<std::uint8_t>(freezes | static_cast<std::uint8_t>(cause));
  }
};

// When a key is to be disabled, and the limit by which its bytes are gone.
struct DueTimes {
  WallTime disable;
  WallTime limit;
};

// nullopt: nothing ends this key by itself. `rule`: of its purpose, when there is one.
std::optional<DueTimes> due_times(const KeyRecord& key, const RetentionRule* rule);

// Each strict; ErrorKind::malformed.
Bytes encode_retention(const RetentionRecord& record);
Result<RetentionRecord> decode_retention(ByteView bytes);
Bytes encode_hold(const HoldRecord& record);
Result<HoldRecord> decode_hold(const Id& id, ByteView bytes);
Bytes encode_keeper(const KeeperRecord& record);
Result<KeeperRecord> decode_keeper(ByteView bytes);

inline constexpr RecordRef kKeeperRef{RecordType::keeper,
                                      {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

}  // namespace paravent::crypto::vault
