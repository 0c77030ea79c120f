#include "crypto/vault/engine/catalogue/retention.h"

#include <algorithm>

#include "crypto/vault/engine/base/byte_reader.h"
#include "crypto/vault/engine/base/stored_time.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kFormatWithDoubt = 2;  // of the keeper's record
constexpr std::uint8_t kAllFreezes = 3;

Bytes bytes_of(const std::string& text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

void append_rule(std::string& out, const RetentionRule& rule) {
  append_u8(out, static_cast<std::uint8_t>(rule.from));
  for (const CalendarPeriod& period : {rule.active, rule.archive}) {
    append_u32be(out, period.months);
    append_u32be(out, period.days);
  }
}

bool read_rule(ByteReader& in, RetentionRule& rule) {
  const std::uint8_t from = in.u8();
  rule.from = static_cast<CountsFrom>(from);
  for (CalendarPeriod* period : {&rule.active, &rule.archive}) {
    period->months = in.u32();
    period->days = in.u32();
  }
  return from <= static_cast<std::uint8_t>(CountsFrom::contact) && !in.failed();
}

}  // namespace

WallTime retention_end(const RetentionRule& rule, WallTime start) {
  return add_period(add_period(start, rule.active), rule.archive);
}

bool shortens(const RetentionRule& rule, const RetentionRule& next) {
  // Of people whose event nobody has recorded, nothing was ended so far.
  if (rule.from == CountsFrom::event && next.from != CountsFrom::event) return true;
  // Months have no fixed length: shorter is what ends earlier from any first of a month of a cycle
  // of leap years.
  for (int month = 0; month < 48; ++month) {
    const auto first =
        std::chrono::sys_days(std::chrono::year(2024) / 1 / 1 + std::chrono::months(month));
    if (retention_end(next, WallTime(first)) < retention_end(rule, WallTime(first))) return true;
  }
  return false;
}

std::optional<DueTimes> due_times(const KeyRecord& key, const RetentionRule* rule) {
  if (key.epoch.length == EpochLength::none) return std::nullopt;
  DueTimes due{};
  if (key.key_class == KeyClass::epoch && rule != nullptr) {
    due.limit = retention_end(*rule, epoch_start(key.epoch));
  } else if (key.key_class == KeyClass::audit_detail) {
    const CalendarPeriod life = rule != nullptr ? rule->active : kAuditDetailLife;
    due.limit = add_period(epoch_end(key.epoch), life);
  } else {
    return std::nullopt;
  }
  // While an epoch runs its key is in use; the policy check warns of a retention that is as short.
  due.disable = std::max(due.limit - kDisableAhead, epoch_end(key.epoch));
  return due;
}

Bytes encode_retention(const RetentionRecord& record) {
  std::string out;
  append_u8(out, kFormat);
  append_rule(out, record.rule);
  append_u8(out, record.pending ? std::uint8_t{1} : std::uint8_t{0});
  if (record.pending) append_rule(out, *record.pending);
  return bytes_of(out);
}

Result<RetentionRecord> decode_retention(ByteView bytes) {
  ByteReader in(bytes);
  RetentionRecord record;
  bool good = in.u8() == kFormat;
  good = read_rule(in, record.rule) && good;
  const std::uint8_t pending = in.u8();
  if (pending == 1) {
    record.pending.emplace();
    good = read_rule(in, *record.pending) && good;
  }
  if (!good || pending > 1 || !in.done()) return Error(ErrorKind::malformed);
  return record;
}

Bytes encode_hold(const HoldRecord& record) {
  std::string out;
  append_u8(out, kFormat);
  append_bytes(out, record.tenant);
  append_bytes(out, record.purpose);
  append_u8(out, record.subject ? std::uint8_t{1} : std::uint8_t{0});
  if (record.subject) append_bytes(out, *record.subject);
  append_time(out, record.made);
  append_time(out, record.until);
  append_lp(out, record.reason);
  return bytes_of(out);
}

Result<HoldRecord> decode_hold(const Id& id, ByteView bytes) {
  ByteReader in(bytes);
  HoldRecord record;
  record.id = id;
  const bool format = in.u8() == kFormat;
  record.tenant = in.id();
  record.purpose = in.id();
  const std::uint8_t subject = in.u8();
  if (subject == 1) {
    const ByteView reference = in.take(record.subject.emplace().size());
    std::copy(reference.begin(), reference.end(), record.subject->begin());
  }
  record.made = time_in(in);
  record.until = time_in(in);
  record.reason = as_text(in.lp());
  if (!format || id == kNoId || record.tenant == kNoId || subject > 1 || !in.done() ||
      record.reason.empty() || record.reason.size() > kMaxHoldReason) {
    return Error(ErrorKind::malformed);
  }
  return record;
}

Bytes encode_keeper(const KeeperRecord& record) {
  const bool doubts = record.confirmed < record.doubted_until;
  std::string out;
  append_u8(out, doubts ? kFormatWithDoubt : kFormat);
  append_u64be(out, static_cast<std::uint64_t>(record.running.count()));
  append_time(out, record.seen);
  append_u8(out, record.freezes);
  append_time(out, record.frozen_since);
  if (doubts) {
    append_time(out, record.confirmed);
    append_time(out, record.doubted_until);
  }
  return bytes_of(out);
}

Result<KeeperRecord> decode_keeper(ByteView bytes) {
  ByteReader in(bytes);
  KeeperRecord record;
  const std::uint8_t format = in.u8();
  record.running = std::chrono::milliseconds(static_cast<std::int64_t>(in.u64()));
  record.seen = time_in(in);
  record.freezes = in.u8();
  record.frozen_since = time_in(in);
  bool known = format == kFormat;
  if (format == kFormatWithDoubt) {
    record.confirmed = time_in(in);
    record.doubted_until = time_in(in);
    known = record.confirmed < record.doubted_until;
  }
  if (!known || record.freezes > kAllFreezes || record.running.count() < 0 || !in.done()) {
    return Error(ErrorKind::malformed);
  }
  return record;
}

}  // namespace paravent::crypto::vault
