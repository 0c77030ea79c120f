#include "crypto/vault/engine/keys/key_record.h"

#include <algorithm>

#include "crypto/vault/engine/base/byte_reader.h"
#include "crypto/vault/engine/base/stored_time.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::uint8_t kFormat = 2;
constexpr std::uint8_t kOverridden = 1;

Bytes bytes_of(const std::string& text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}

constexpr std::size_t index_of(KeyState state) noexcept {
  return static_cast<std::size_t>(state) - 1;
}

bool all_zero(ByteView bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

Bytes encode_key_record(const KeyRecord& record) {
  std::string out;
  out.reserve(320);
  append_u8(out, kFormat);
  append_u8(out, static_cast<std::uint8_t>(record.key_class));
  append_bytes(out, record.parent);
  append_bytes(out, record.tenant);
  append_bytes(out, record.domain);
  append_bytes(out, record.purpose);
  append_u8(out, static_cast<std::uint8_t>(record.epoch.length));
  append_u32be(out, static_cast<std::uint32_t>(record.epoch.index));
  append_time(out, record.made);
  append_u32be(out, record.version);
  append_u32be(out, record.shred_number);
  append_u8(out, static_cast<std::uint8_t>(record.condition.state));
  append_u8(out, record.condition.overridden ? kOverridden : std::uint8_t{0});
  for (const WallTime time : record.since) append_time(out, time);
  append_u64be(out, static_cast<std::uint64_t>(record.guarded_since.count()));
  append_bytes(out, record.check);
  append_bytes(out, record.wrapped);
  return bytes_of(out);
}

Result<KeyRecord> decode_key_record(const Id& id, ByteView bytes) {
  ByteReader in(bytes);
  KeyRecord record;
  record.id = id;
  const std::uint8_t version = in.u8();
  const std::uint8_t key_class = in.u8();
  record.parent = in.id();
  record.tenant = in.id();
  record.domain = in.id();
  record.purpose = in.id();
  const std::uint8_t length = in.u8();
  record.epoch.index = static_cast<std::int32_t>(in.u32());
  record.made = time_in(in);
  record.version = in.u32();
  record.shred_number = in.u32();
  const auto state = key_state_from_number(in.u8());
  const std::uint8_t flags = in.u8();
  for (WallTime& time : record.since) time = time_in(in);
  record.guarded_since = std::chrono::milliseconds(static_cast<std::int64_t>(in.u64()));
  const ByteView check = in.take(record.check.size());
  const ByteView wrapped = in.take(record.wrapped.size());
  const bool known_class =
      key_class >= 1 && key_class <= 7 && key_class != static_cast<std::uint8_t>(KeyClass::subject);
  if (!in.done() || version != kFormat || id == kNoId || !known_class || record.version == 0 ||
      length > static_cast<std::uint8_t>(EpochLength::month) || !state ||
      (flags != 0 && (flags != kOverridden || *state != KeyState::compromised))) {
    return Error(ErrorKind::malformed);
  }
  record.key_class = static_cast<KeyClass>(key_class);
  record.epoch.length = static_cast<EpochLength>(length);
  if (!epoch_valid(record.epoch)) return Error(ErrorKind::malformed);
  record.condition = {*state, flags == kOverridden,
                      record.since[index_of(KeyState::deactivated)] != WallTime{}};
  std::copy(check.begin(), check.end(), record.check.begin());
  std::copy(wrapped.begin(), wrapped.end(), record.wrapped.begin());
  if (is_destroyed(*state) && (!all_zero(record.check) || !all_zero(record.wrapped))) {
    return Error(ErrorKind::malformed);
  }
  return record;
}

bool apply(KeyRecord& record, KeyOperation operation, WallTime now) {
  const auto next = after(record.condition, operation);
  if (!next) return false;
  if (next->state != record.condition.state) record.since[index_of(next->state)] = now;
  record.condition = *next;
  if (is_destroyed(next->state)) {
    wipe(MutableBytes(record.wrapped));
    record.check = {};
  }
  return true;
}

std::string wrap_ad(std::string_view label, const KeyRecord& record) {
  std::string ad(label);
  append_lp(ad, id_text(record.parent));
  append_lp(ad, id_text(record.id));
  append_lp(ad, id_text(record.purpose));
  append_lp(ad, id_text(record.tenant));
  append_time(ad, record.made);
  append_u8(ad, static_cast<std::uint8_t>(record.key_class));
  append_lp(ad, id_text(record.domain));
  append_u8(ad, static_cast<std::uint8_t>(record.epoch.length));
  append_u32be(ad, static_cast<std::uint32_t>(record.epoch.index));
  append_u32be(ad, record.version);
  append_u32be(ad, record.shred_number);
  return ad;
}

RecordRef context_ref(std::uint32_t key_id) {
  RecordRef ref{RecordType::context, {}};
  store_u32be(ref.id.data() + 12, key_id);
  return ref;
}

Bytes encode_context_record(const ContextRecord& record) {
  std::string out;
  append_u8(out, 1);
  append_bytes(out, record.parent);
  out += encode_context_row(record.row);
  return bytes_of(out);
}

Result<ContextRecord> decode_context_record(const Id& id, ByteView bytes) {
  ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  ContextRecord record;
  record.parent = in.id();
  auto row = decode_context_row(in.take(in.remaining()));
  if (!in.done() || version != 1 || !row) return Error(ErrorKind::malformed);
  if (context_ref(row->key_id).id != id) return Error(ErrorKind::malformed);
  const bool token = row->algorithm == Algorithm::vault_token;
  if (token != (record.parent == kNoId)) return Error(ErrorKind::malformed);
  record.row = std::move(*row);
  return record;
}

}  // namespace paravent::crypto::vault
