#include "crypto/vectors/ff1_digits.h"

#include <algorithm>
#include <boost/json/array.hpp>

#include "crypto/primitives/ff1.h"

namespace paravent::crypto {

std::vector<std::string_view> characters_of(std::string_view utf8) {
  std::vector<std::string_view> characters;
  for (std::size_t i = 0; i < utf8.size();) {
    std::size_t size = 1;
    while (i + size < utf8.size() && (static_cast<unsigned char>(utf8[i + size]) & 0xc0U) == 0x80) {
      ++size;
    }
    characters.push_back(utf8.substr(i, size));
    i += size;
  }
  return characters;
}

std::optional<Digits> digits_of_text(std::string_view text, std::string_view alphabet) {
  const auto characters = characters_of(alphabet);
  if (characters.size() > Ff1::kMaxRadix) return std::nullopt;
  Digits digits;
  for (const std::string_view character : characters_of(text)) {
    const auto at = std::find(characters.begin(), characters.end(), character);
    if (at == characters.end()) return std::nullopt;
    digits.push_back(static_cast<std::uint16_t>(at - characters.begin()));
  }
  return digits;
}

std::optional<Digits> digits_of_list(const boost::json::value& list) {
  const auto* array = list.if_array();
  if (array == nullptr) return std::nullopt;
  Digits digits;
  for (const auto& entry : *array) {
    const auto* number = entry.if_int64();
    if (number == nullptr || *number < 0 || *number > 65535) return std::nullopt;
    digits.push_back(static_cast<std::uint16_t>(*number));
  }
  return digits;
}

bool is_small_domain(std::uint64_t radix, std::size_t length) noexcept {
  std::uint64_t domain = 1;
  for (std::size_t i = 0; i < length && domain < Ff1::kMinDomain; ++i) domain *= radix;
  return domain < Ff1::kMinDomain;
}

}  // namespace paravent::crypto
