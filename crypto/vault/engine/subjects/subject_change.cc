#include "crypto/vault/engine/subjects/subject_change.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "crypto/vault/engine/base/byte_reader.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::uint8_t kRestricted = 1;
constexpr std::uint8_t kObjected = 2;
constexpr std::uint64_t kLastMillisecond = 253402300799999U;  // of the year 9999

std::uint64_t millis(WallTime time) noexcept {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

void write(std::string& out, const SubjectMade& made) {
  append_bytes(out, made.id);
  append_bytes(out, made.tenant);
  append_bytes(out, made.reference);
  append_u8(out, made.identified ? std::uint8_t{1} : std::uint8_t{0});
  append_u32be(out, made.first_day);
}

void write(std::string& out, const SubjectKeyMade& made) {
  append_bytes(out, made.handle);
  append_bytes(out, made.subject);
  append_bytes(out, made.purpose);
  append_bytes(out, made.parent);
  append_u64be(out, millis(made.made));
  append_u32be(out, made.created_day);
  append_u32be(out, made.shred_number);
  append_bytes(out, made.check);
  append_bytes(out, made.wrapped);
}

void write(std::string& out, const SubjectMarked& marked) {
  append_bytes(out, marked.subject);
  append_u8(out, static_cast<std::uint8_t>((marked.restricted ? kRestricted : 0) |
                                           (marked.objected ? kObjected : 0)));
}

void write(std::string& out, const SubjectContact& contact) {
  append_bytes(out, contact.handle);
  append_u32be(out, contact.day);
}

void write(std::string& out, const SubjectEvent& event) {
  append_bytes(out, event.handle);
  append_u32be(out, event.day);
}

void write(std::string& out, const SubjectKeyDisabled& disabled) {
  append_bytes(out, disabled.handle);
  append_u64be(out, millis(disabled.since));
  append_u64be(out, static_cast<std::uint64_t>(disabled.running.count()));
}

void write(std::string& out, const SubjectErased& erased) { append_bytes(out, erased.subject); }

void write(std::string& out, const SubjectKeyDestroyed& gone) { append_bytes(out, gone.handle); }

template <std::size_t N>
void take(ByteReader& in, std::array<std::uint8_t, N>& out) {
  const ByteView bytes = in.take(N);
  std::copy(bytes.begin(), bytes.end(), out.begin());
}

std::optional<WallTime> read_time(ByteReader& in) {
  const std::uint64_t value = in.u64();
  if (value > kLastMillisecond) return std::nullopt;
  return WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(value)));
}

std::optional<SubjectChange> read_made(ByteReader& in) {
  SubjectMade made;
  made.id = in.id();
  made.tenant = in.id();
  take(in, made.reference);
  const std::uint8_t identified = in.u8();
  made.identified = identified == 1;
  made.first_day = in.u32();
  if (identified > 1 || made.id == kNoId || made.tenant == kNoId) return std::nullopt;
  return made;
}

std::optional<SubjectChange> read_key(ByteReader& in) {
  SubjectKeyMade made;
  made.handle = in.id();
  made.subject = in.id();
  made.purpose = in.id();
  made.parent = in.id();
  const auto time = read_time(in);
  made.created_day = in.u32();
  made.shred_number = in.u32();
  take(in, made.check);
  take(in, made.wrapped);
  if (!time || made.handle == kNoId || made.subject == kNoId || made.purpose == kNoId ||
      made.parent == kNoId) {
    return std::nullopt;
  }
  made.made = *time;
  return made;
}

std::optional<SubjectChange> read_mark(ByteReader& in) {
  const Id subject = in.id();
  const std::uint8_t marks = in.u8();
  if (marks > (kRestricted | kObjected)) return std::nullopt;
  return SubjectMarked{subject, (marks & kRestricted) != 0, (marks & kObjected) != 0};
}

std::optional<SubjectChange> read_disabled(ByteReader& in) {
  const Id handle = in.id();
  const auto since = read_time(in);
  const auto running = read_time(in);
  if (!since || !running) return std::nullopt;
  return SubjectKeyDisabled{handle, *since, running->time_since_epoch()};
}

template <typename Change>
SubjectChange read_dated(ByteReader& in) {
  const Id id = in.id();
  return Change{id, in.u32()};
}

std::optional<SubjectChange> read_change(ByteReader& in) {
  switch (in.u8()) {
    case 1:
      return read_made(in);
    case 2:
      return read_key(in);
    case 3:
      return read_mark(in);
    case 4:
      return read_dated<SubjectContact>(in);
    case 5:
      return read_dated<SubjectEvent>(in);
    case 6:
      return read_disabled(in);
    case 7:
      return SubjectErased{in.id()};
    case 8:
      return SubjectKeyDestroyed{in.id()};
    default:
      return std::nullopt;
  }
}

}  // namespace

void append_subject_change(std::string& out, const SubjectChange& change) {
  append_u8(out, static_cast<std::uint8_t>(change.index() + 1));
  std::visit([&out](const auto& held) { write(out, held); }, change);
}

Result<std::vector<SubjectChange>> decode_subject_changes(ByteView bytes) {
  std::vector<SubjectChange> changes;
  ByteReader in(bytes);
  while (in.remaining() > 0 && !in.failed()) {
    auto change = read_change(in);
    if (!change || in.failed()) return Error(ErrorKind::malformed);
    changes.push_back(std::move(*change));
  }
  return changes;
}

}  // namespace paravent::crypto::vault
