// NameRegistry: the names that policies use for tenants, domains, purposes and spaces, and the
// random, immutable ids behind them. Names may be renamed; ids are what contexts and rows hold.
//
// Tenants, domains and purposes exist only by registration (a typing error in a policy must not
// found a new tenant with empty stores); spaces appear by being used. Domains, purposes and spaces
// belong to a tenant. In memory only: the vault writes the records. Not thread safe.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/vault/engine/base/id.h"

namespace paravent::crypto::vault {

// Stored numbers: never renumber, never reuse.
enum class NameKind : std::uint8_t { tenant = 1, domain = 2, purpose = 3, space = 4 };

inline constexpr std::size_t kMaxNameSize = 255;

std::string_view name_kind_text(NameKind kind) noexcept;

// The names that one policy stands on.
struct PolicyNames {
  std::string tenant;
  std::vector<std::string> domains;
  std::vector<std::string> purposes;
};

struct UnknownName {
  NameKind kind = NameKind::tenant;
  std::string tenant;  // the policy's tenant
  std::string name;
  friend bool operator==(const UnknownName&, const UnknownName&) = default;
};

// One OLD=NEW of `policy apply --rename`.
struct Renaming {
  std::string old_name;
  std::string new_name;
};

struct NameRecord {
  NameKind kind = NameKind::tenant;
  Id id{};
  Id owner{};  // the tenant; kNoId for a tenant itself
  std::string name;
};

// u8 version 1 | u8 kind | owner 16 | LP(name); the id is the record's own. Strict.
Bytes encode_name_record(const NameRecord& record);
Result<NameRecord> decode_name_record(const Id& id, ByteView bytes);

class NameRegistry {
 public:
  // ErrorKind::data: the id or the name is taken.
  Status add(NameRecord record);
  // Replaces the name of `id`. REQUIRES: id is known, and new_name free among its siblings.
  void rename(const Id& id, std::string_view new_name);

  std::optional<Id> find(NameKind kind, const Id& owner, std::string_view name) const;
  const NameRecord* by_id(const Id& id) const;
  bool has_tenants() const;
  std::vector<std::pair<std::string, Id>> tenants() const;
  // Every id of this kind that belongs to `owner`, by name.
  std::vector<Id> all(NameKind kind, const Id& owner) const;

  // In the order of the policies, each name once.
  std::vector<UnknownName> unknown(std::span<const PolicyNames> policies) const;

 private:
  using Key = std::tuple<NameKind, Id, std::string>;

  std::map<Id, NameRecord> by_id_;
  std::map<Key, Id> by_name_;
};

}  // namespace paravent::crypto::vault
