#include "crypto/tokens/kind.h"

#include <array>

namespace paravent::crypto {
namespace {

struct Entry {
  Kind kind;
  std::string_view name;
};

constexpr std::array<Entry, 5> kKinds = {{
    {Kind::text, "text"},
    {Kind::name, "name"},
    {Kind::email, "email"},
    {Kind::phone, "phone"},
    {Kind::ip, "ip"},
}};

}  // namespace

std::string_view kind_name(Kind kind) noexcept {
  for (const Entry& entry : kKinds) {
    if (entry.kind == kind) return entry.name;
  }
  return {};
}

std::optional<Kind> kind_from_name(std::string_view name) noexcept {
  for (const Entry& entry : kKinds) {
    if (entry.name == name) return entry.kind;
  }
  return std::nullopt;
}

std::optional<Kind> kind_from_number(std::uint8_t number) noexcept {
  for (const Entry& entry : kKinds) {
    if (static_cast<std::uint8_t>(entry.kind) == number) return entry.kind;
  }
  return std::nullopt;
}

}  // namespace paravent::crypto
