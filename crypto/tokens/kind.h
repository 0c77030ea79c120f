// Kind: what sort of personal data a field holds. It chooses the normaliser, the padding bucket
// and, unless the policy names a space, what a value may be compared with. A closed set; the
// numbers are part of the stored formats (frame type, normaliser id) and are never reused.

#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace paravent::crypto {

enum class Kind : std::uint8_t {
  text = 1,
  name = 2,
  email = 3,
  phone = 4,
  ip = 5,
  address = 6,  // postal
  birth_date = 7,
  iban = 8,
  card = 9,  // payment card
  nir = 10,  // French social security number
  siren = 11,
  siret = 12,
  gps = 13,
  user_agent = 14,
  url = 15,
};

struct KindInfo {
  Kind kind;
  std::string_view name;  // the policy's word
};

// By number.
std::span<const KindInfo> kinds() noexcept;
std::string_view kind_name(Kind kind) noexcept;
std::optional<Kind> kind_from_name(std::string_view name) noexcept;
std::optional<Kind> kind_from_number(std::uint8_t number) noexcept;

}  // namespace paravent::crypto
