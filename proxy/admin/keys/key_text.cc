#include "proxy/admin/keys/key_text.h"

#include <array>

#include "crypto/base/encoding.h"
#include "crypto/keys/epoch.h"
#include "proxy/admin/utc_text.h"
#include "proxy/body/json.h"

namespace paravent::proxy::admin {
namespace {

using crypto::vault::KeyClass;
using crypto::vault::KeyInfo;
using crypto::vault::KeyState;

// ,"name":"value" (the first without its comma); nothing where the value is empty.
void member(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  if (out.back() != '{') out.push_back(',');
  out.append("\"").append(name).append("\":");
  body::encode_json_string(value, out);
}

void raw_member(std::string& out, std::string_view name, std::string_view value) {
  if (out.back() != '{') out.push_back(',');
  out.append("\"").append(name).append("\":").append(value);
}

std::string period_text(const crypto::CalendarPeriod& period) {
  std::string out = "P";
  if (period.months != 0) out += std::to_string(period.months) + "M";
  if (period.days != 0 || period.months == 0) out += std::to_string(period.days) + "D";
  return out;
}

std::string_view counts_from_name(crypto::vault::CountsFrom from) noexcept {
  switch (from) {
    case crypto::vault::CountsFrom::collection:
      return "collection";
    case crypto::vault::CountsFrom::contact:
      return "last-contact";
    case crypto::vault::CountsFrom::event:
      break;
  }
  return "event";
}

// null: nothing ended it so far.
std::string rule_json(const crypto::vault::RetentionRule& rule) {
  if (rule == crypto::vault::kKeepForEver) return "null";
  std::string out = "{";
  member(out, "from", counts_from_name(rule.from));
  member(out, "active", period_text(rule.active));
  member(out, "archive", period_text(rule.archive));
  return out + "}";
}

}  // namespace

std::string_view key_class_name(KeyClass key_class) noexcept {
  switch (key_class) {
    case KeyClass::tenant:
      return "tenant";
    case KeyClass::domain:
      return "domain";
    case KeyClass::epoch:
      return "epoch";
    case KeyClass::subject:
      return "subject";
    case KeyClass::audit_seed:
      return "audit-seed";
    case KeyClass::audit_detail:
      return "audit-detail";
    case KeyClass::subject_store:
      return "subject-store";
  }
  return "";
}

std::string key_id_text(std::uint32_t key_id) {
  std::array<std::uint8_t, 4> bytes{};
  crypto::store_u32be(bytes.data(), key_id);
  return crypto::to_hex(bytes);
}

std::optional<crypto::vault::Id> id_from_hex(std::string_view text) {
  const auto bytes = crypto::from_hex(text);
  if (!bytes || bytes->size() != sizeof(crypto::vault::Id)) return std::nullopt;
  return crypto::vault::id_from(crypto::as_text(*bytes));
}

std::string key_description(const KeyInfo& key) {
  std::string out(key_class_name(key.record.key_class));
  if (key.record.key_class == KeyClass::epoch) {
    out += " " + crypto::epoch_text(key.record.epoch) + " of " + key.purpose;
  }
  if (!key.domain.empty()) out += " in " + key.domain;
  if (!key.tenant.empty()) out += " of tenant " + key.tenant;
  return out + ", version " + std::to_string(key.record.version);
}

void append_key(const KeyInfo& key, std::string& out) {
  const auto& record = key.record;
  std::string one = "{";
  member(one, "id", crypto::vault::id_hex(record.id));
  member(one, "class", key_class_name(record.key_class));
  member(one, "tenant", key.tenant);
  member(one, "domain", key.domain);
  member(one, "purpose", key.purpose);
  if (record.key_class == KeyClass::epoch || record.key_class == KeyClass::audit_detail) {
    member(one, "epoch", crypto::epoch_text(record.epoch));
  }
  raw_member(one, "version", std::to_string(record.version));
  member(one, "state", crypto::vault::key_state_name(record.condition.state));
  if (record.condition.overridden) raw_member(one, "overridden", "true");
  raw_member(one, "primary", key.primary ? "true" : "false");
  raw_member(one, "contexts", std::to_string(key.key_ids.size()));
  std::string since = "{";
  for (std::size_t i = 0; i < record.since.size(); ++i) {
    if (record.since[i] == crypto::WallTime{}) continue;
    member(since, crypto::vault::key_state_name(static_cast<KeyState>(i + 1)),
           utc_text(record.since[i]));
  }
  raw_member(one, "since", since + "}");
  if (key.due) {
    member(one, "disable_due", utc_text(key.due->disable));
    member(one, "destroyed_by", utc_text(key.due->limit));
  }
  if (key.held_until) member(one, "held_until", utc_text(*key.held_until));
  out.append(one).append("}");
}

void append_hold(const crypto::vault::HoldInfo& hold, std::string& out) {
  std::string one = "{";
  member(one, "id", crypto::vault::id_hex(hold.record.id));
  member(one, "tenant", hold.tenant);
  member(one, "purpose", hold.purpose);
  if (hold.record.subject) member(one, "subject", crypto::to_hex(*hold.record.subject));
  member(one, "reason", hold.record.reason);
  member(one, "made", utc_text(hold.record.made));
  member(one, "until", utc_text(hold.record.until));
  out.append(one).append("}");
}

void append_freeze(const crypto::vault::FreezeInfo& freeze, std::string& out) {
  using crypto::vault::Freeze;
  std::string one = "{";
  raw_member(one, "frozen", freeze.keeper.frozen() ? "true" : "false");
  if (freeze.keeper.frozen()) {
    member(one, "since", utc_text(freeze.keeper.frozen_since));
    std::string because = "[";
    if (freeze.keeper.frozen_by(Freeze::clock)) because += "\"clock\"";
    if (freeze.keeper.frozen_by(Freeze::retention)) {
      because += because.size() > 1 ? ",\"retention\"" : "\"retention\"";
    }
    raw_member(one, "because", because + "]");
  }
  std::string pending = "[";
  for (const auto& change : freeze.pending) {
    if (pending.size() > 1) pending += ",";
    std::string item = "{";
    member(item, "tenant", change.tenant);
    member(item, "purpose", change.purpose);
    raw_member(item, "holds", rule_json(change.record.rule));
    raw_member(item, "asked", rule_json(*change.record.pending));
    pending += item + "}";
  }
  raw_member(one, "pending", pending + "]");
  out.append(one).append("}");
}

}  // namespace paravent::proxy::admin
