// From a surrogate's text, where that text names no key, to what describe() can be asked about.

#include <array>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "crypto/tokens/shape_text.h"
#include "crypto/vault/engine/catalogue/binding_plan.h"
#include "crypto/vault/engine/reverse/reverse.h"
#include "crypto/vault/engine/rows/bound_row.h"
#include "crypto/vault/engine/vault/shape_key.h"
#include "crypto/vault/engine/vault/vault_state.h"

namespace paravent::crypto::vault {
namespace {

Error unavailable() noexcept { return Error(ErrorKind::refused); }

// Whether a vault token in some shape has this text.
bool may_be_shaped(std::string_view text) {
  for (const Shape shape : {Shape::phone, Shape::digits_digits, Shape::hex16, Shape::uuid}) {
    if (matches_shape(shape, 0, text)) return true;
  }
  // Any length that a policy may give them, which is the text's own.
  constexpr std::size_t kLongest = 255;
  if (text.empty() || text.size() > kLongest) return false;
  const auto length = static_cast<std::uint8_t>(text.size());
  for (const Shape shape : {Shape::digits, Shape::alphanumeric}) {
    if (mintable(shape, length) && matches_shape(shape, length, text)) return true;
  }
  return false;
}

struct Aliases {
  std::vector<AliasKey> keys;
  bool some_out_of_use = false;
};

Aliases aliases_of(const Catalogue& catalogue, const Id& tenant, std::string_view text) {
  Aliases out;
  for (const Id& domain : catalogue.names().all(NameKind::domain, tenant)) {
    const auto key = ShapeKey::open(catalogue, tenant, domain);
    // A domain whose key is destroyed has no texts any more.
    if (key) {
      out.keys.push_back(key->alias(text));
    } else if (key.error().kind() == ErrorKind::sealed) {
      out.some_out_of_use = true;
    }
  }
  return out;
}

ParsedToken vault_token_of(std::uint32_t key_id, const Id& id) {
  std::string text;
  write_vault_token(key_id, id, text);
  auto token = parse_token(text);
  if (!token) std::abort();
  return std::move(*token);
}

}  // namespace

Result<std::vector<ParsedToken>> ReverseVault::find_shaped(const Id& tenant,
                                                           std::string_view text) const {
  auto found = look_for_shaped(tenant, text);
  if (!found) return found.error();
  if (found->tokens.empty()) return unavailable();
  return std::move(found->tokens);
}

Result<ReverseVault::ShapedTokens> ReverseVault::look_for_shaped(const Id& tenant,
                                                                 std::string_view text) const {
  // No shaped text begins as a token does (name_search.cc), so this one is a damaged token.
  if (!may_be_shaped(text) || announces_token(text)) return Error(ErrorKind::malformed);
  Vault::State& state = *vault_.state_;
  Aliases aliases;
  {
    const std::scoped_lock lock(state.mutex);
    aliases = aliases_of(*state.catalogue, tenant, text);
  }
  std::vector<std::optional<Id>> holders(aliases.keys.size());
  if (!state.tokens->find_aliases(aliases.keys, holders)) return Error(ErrorKind::unreachable);
  std::vector<Id> ids;
  for (const std::optional<Id>& holder : holders) {
    if (holder && *holder != kNoId) ids.push_back(*holder);
  }
  // A text that nobody has takes the same steps as one that somebody has.
  if (ids.empty()) ids.push_back(random_id());
  std::vector<std::optional<std::string>> rows(ids.size());
  if (!state.tokens->resolve(ids, rows)) return Error(ErrorKind::unreachable);
  ShapedTokens found;
  found.may_be_hidden = aliases.some_out_of_use;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!rows[i]) continue;
    const auto key_id = token_key_id(as_bytes(*rows[i]));
    if (key_id) found.tokens.push_back(vault_token_of(*key_id, ids[i]));
  }
  return found;
}

Result<BareValue> ReverseVault::find_bare(const Id& tenant, const ContextSpec& spec,
                                          std::string_view text, WallTime as_of) const {
  if (spec.algorithm != Algorithm::format_preserving && spec.algorithm != Algorithm::address &&
      spec.algorithm != Algorithm::address_prefix) {
    return Error(ErrorKind::malformed);
  }
  Vault::State& state = *vault_.state_;
  const std::scoped_lock lock(state.mutex);
  const ContextRecord* record = find_bound(*state.catalogue, tenant, spec, as_of);
  if (record == nullptr) return unavailable();
  return BareValue{record->row.key_id, spec.algorithm, std::string(text)};
}

}  // namespace paravent::crypto::vault
