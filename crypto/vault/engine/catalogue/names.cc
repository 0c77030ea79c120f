#include "crypto/vault/engine/catalogue/names.h"

#include <algorithm>
#include <cstdlib>

#include "crypto/vault/engine/base/byte_reader.h"

namespace paravent::crypto::vault {

std::string_view name_kind_text(NameKind kind) noexcept {
  switch (kind) {
    case NameKind::tenant:
      return "tenant";
    case NameKind::domain:
      return "domain";
    case NameKind::purpose:
      return "purpose";
    case NameKind::space:
      return "space";
  }
  std::abort();
}

Bytes encode_name_record(const NameRecord& record) {
  std::string out;
  append_u8(out, 1);
  append_u8(out, static_cast<std::uint8_t>(record.kind));
  append_bytes(out, record.owner);
  append_lp(out, record.name);
  const ByteView bytes = as_bytes(out);
  return {bytes.begin(), bytes.end()};
}

Result<NameRecord> decode_name_record(const Id& id, ByteView bytes) {
  ByteReader in(bytes);
  const std::uint8_t version = in.u8();
  const std::uint8_t kind = in.u8();
  NameRecord record;
  record.owner = in.id();
  record.name = as_text(in.lp());
  const bool tenant = kind == static_cast<std::uint8_t>(NameKind::tenant);
  if (!in.done() || version != 1 || kind < 1 || kind > 4 || id == kNoId || record.name.empty() ||
      record.name.size() > kMaxNameSize || tenant != (record.owner == kNoId)) {
    return Error(ErrorKind::malformed);
  }
  record.id = id;
  record.kind = static_cast<NameKind>(kind);
  return record;
}

Status NameRegistry::add(NameRecord record) {
  Key key{record.kind, record.owner, record.name};
  if (by_id_.contains(record.id) || by_name_.contains(key)) {
    return Error(ErrorKind::data, "The " + std::string(name_kind_text(record.kind)) + " \"" +
                                      record.name + "\" exists twice in the key store.");
  }
  by_name_.emplace(std::move(key), record.id);
  by_id_.emplace(record.id, std::move(record));
  return {};
}

void NameRegistry::rename(const Id& id, std::string_view new_name) {
  const auto it = by_id_.find(id);
  if (it == by_id_.end()) std::abort();
  NameRecord& record = it->second;
  by_name_.erase(Key{record.kind, record.owner, record.name});
  record.name = new_name;
  if (!by_name_.emplace(Key{record.kind, record.owner, record.name}, id).second) std::abort();
}

std::optional<Id> NameRegistry::find(NameKind kind, const Id& owner, std::string_view name) const {
  const auto it = by_name_.find(Key{kind, owner, std::string(name)});
  if (it == by_name_.end()) return std::nullopt;
  return it->second;
}

const NameRecord* NameRegistry::by_id(const Id& id) const {
  const auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : &it->second;
}

bool NameRegistry::has_tenants() const {
  const auto it = by_name_.lower_bound(Key{NameKind::tenant, kNoId, std::string()});
  return it != by_name_.end() && std::get<0>(it->first) == NameKind::tenant;
}

std::vector<std::pair<std::string, Id>> NameRegistry::tenants() const {
  std::vector<std::pair<std::string, Id>> out;
  for (auto it = by_name_.lower_bound(Key{NameKind::tenant, kNoId, std::string()});
       it != by_name_.end() && std::get<0>(it->first) == NameKind::tenant; ++it) {
    out.emplace_back(std::get<2>(it->first), it->second);
  }
  return out;
}

std::vector<Id> NameRegistry::all(NameKind kind, const Id& owner) const {
  std::vector<Id> out;
  for (auto it = by_name_.lower_bound(Key{kind, owner, std::string()});
       it != by_name_.end() && std::get<0>(it->first) == kind && std::get<1>(it->first) == owner;
       ++it) {
    out.push_back(it->second);
  }
  return out;
}

std::vector<UnknownName> NameRegistry::unknown(std::span<const PolicyNames> policies) const {
  std::vector<UnknownName> out;
  const auto note = [&out](UnknownName name) {
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
  };
  for (const PolicyNames& policy : policies) {
    const std::optional<Id> tenant = find(NameKind::tenant, kNoId, policy.tenant);
    if (!tenant) note({NameKind::tenant, policy.tenant, policy.tenant});
    const auto check = [&](NameKind kind, const std::vector<std::string>& names) {
      for (const std::string& name : names) {
        if (!tenant || !find(kind, *tenant, name)) note({kind, policy.tenant, name});
      }
    };
    check(NameKind::domain, policy.domains);
    check(NameKind::purpose, policy.purposes);
  }
  return out;
}

}  // namespace paravent::crypto::vault
