#include "crypto/vault/engine/vault/shape_key.h"

#include <array>

#include "crypto/keys/context_row.h"
#include "crypto/keys/key_use.h"
#include "crypto/tokens/shape_text.h"

namespace paravent::crypto::vault {
namespace {

constexpr std::string_view kAliasLabel = "alias";

std::array<std::uint8_t, 2> length_prefix(std::size_t size) noexcept {
  return {static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size)};
}

}  // namespace

bool has_own_text(Shape shape) noexcept {
  return shape >= Shape::phone && shape <= Shape::alphanumeric;
}

bool mintable(Shape shape, std::uint8_t length) noexcept {
  if (shape == Shape::none || shape == Shape::email) return true;
  return has_own_text(shape) && is_shape_drawn(shape, length);
}

Result<ShapeKey> ShapeKey::open(const Catalogue& catalogue, const Id& tenant, const Id& domain) {
  const auto domain_key =
      catalogue.keys().oldest({.key_class = KeyClass::domain, .tenant = tenant, .domain = domain});
  if (!domain_key) return Error(ErrorKind::data, "The key of a domain is missing.");
  const auto parent = catalogue.keys().open_kept(*domain_key);
  if (!parent) return parent.error();
  ContextRow row;
  row.tenant_id = id_text(tenant);
  row.domain_id = id_text(domain);
  const SecretBytes key = derive_use_key(parent->bytes(), KeyUse::prf_shape, context_string(row));
  return ShapeKey(HmacSha256(key.bytes()));
}

void ShapeKey::write_text(Shape shape, std::uint8_t length, const Id& id, std::uint8_t attempt,
                          std::string& out) const {
  const std::string_view name = shape_name(shape);
  const auto lp = length_prefix(name.size());
  const std::array<std::uint8_t, 1> size{effective_shape_length(shape, length)};
  const std::array<std::uint8_t, 1> last{attempt};
  const Sha256Digest random = mac_.mac({lp, as_bytes(name), size, id, last});
  out.clear();
  append_shape(shape, length, random, out);
}

AliasKey ShapeKey::alias(std::string_view text) const {
  const auto lp = length_prefix(text.size());
  return mac_.mac({as_bytes(kAliasLabel), lp, as_bytes(text)});
}

}  // namespace paravent::crypto::vault
