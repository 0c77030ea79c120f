// BindingPlan: from the names in one ContextSpec to context rows and keys of the catalogue, staged
// where they are missing. Private to vault and reverse; not thread safe, the vault serialises.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "crypto/base/clock.h"
#include "crypto/base/result.h"
#include "crypto/keys/epoch.h"
#include "crypto/vault/api/messages.h"
#include "crypto/vault/engine/catalogue/catalogue.h"

namespace paravent::crypto::vault {

// What one spec turned into. Nothing of it may be handed out before the catalogue's commit().
struct BindingPlan {
  std::uint32_t key_id = 0;
  std::uint32_t seal_key_id = 0;      // vault tokens: the row under which new rows are sealed
  std::uint32_t previous_key_id = 0;  // 0: none, or the overlap is over
  Epoch epoch;
  WallTime valid_until;
};

// What the scope of a vault token's row begins with whose values are a data subject's each.
inline constexpr std::string_view kBoundScope = "s";

// Whether values open with a recipient's key, which is not in the tree: the parent of their rows is
// that key's id.
constexpr bool is_sealed(Algorithm algorithm) noexcept {
  return algorithm == Algorithm::sealed || algorithm == Algorithm::sealed_single;
}

// ErrorKind::configuration: an unknown name, or a spec that contradicts itself; data: a key is
// missing or cannot be made.
Result<BindingPlan> plan_binding(Catalogue& catalogue, const Id& tenant, const ContextSpec& spec,
                                 WallTime now);

// The scope that a row's scope_id stands for (of the context, not of a value); nullopt: none.
std::optional<Scope> scope_of_row(std::string_view scope_id) noexcept;

// The row that this spec was bound to in the epoch of `as_of`; nullptr when it never was. Makes
// nothing. REQUIRES: an algorithm whose row hangs on an epoch key (neither vault_token nor sealed).
const ContextRecord* find_bound(const Catalogue& catalogue, const Id& tenant,
                                const ContextSpec& spec, WallTime as_of);

}  // namespace paravent::crypto::vault
