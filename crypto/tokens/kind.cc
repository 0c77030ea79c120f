#include "crypto/tokens/kind.h"

#include <array>

namespace paravent::crypto {
namespace {

constexpr std::array<KindInfo, 15> kKinds = {{
    {Kind::text, "text"},
    {Kind::name, "name"},
    {Kind::email, "email"},
    {Kind::phone, "phone"},
    {Kind::ip, "ip"},
    {Kind::address, "address"},
    {Kind::birth_date, "birth-date"},
    {Kind::iban, "iban"},
    {Kind::card, "card"},
    {Kind::nir, "nir"},
    {Kind::siren, "siren"},
    {Kind::siret, "siret"},
    {Kind::gps, "gps"},
    {Kind::user_agent, "user-agent"},
    {Kind::url, "url"},
}};

}  // namespace

std::span<const KindInfo> kinds() noexcept { return kKinds; }

std::string_view kind_name(Kind kind) noexcept {
  for (const KindInfo& entry : kKinds) {
    if (entry.kind == kind) return entry.name;
  }
  return {};
}

std::optional<Kind> kind_from_name(std::string_view name) noexcept {
  for (const KindInfo& entry : kKinds) {
    if (entry.name == name) return entry.kind;
  }
  return std::nullopt;
}

std::optional<Kind> kind_from_number(std::uint8_t number) noexcept {
  for (const KindInfo& entry : kKinds) {
    if (static_cast<std::uint8_t>(entry.kind) == number) return entry.kind;
  }
  return std::nullopt;
}

}  // namespace paravent::crypto
