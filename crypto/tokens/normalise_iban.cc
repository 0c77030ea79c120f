// Account numbers (ISO 13616): upper case, no separators, the length of the country, both check
// digits right.

#include <algorithm>
#include <array>
#include <cstdint>

#include "crypto/tokens/ascii.h"
#include "crypto/tokens/mod97.h"
#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/written_text.h"

namespace paravent::crypto {
namespace {

struct IbanCountry {
  std::string_view code;
  std::uint8_t length;
};

// SWIFT's registry of IBAN formats, in order of the codes.
constexpr std::array<IbanCountry, 89> kCountries = {{
    {"AD", 24}, {"AE", 23}, {"AL", 28}, {"AT", 20}, {"AZ", 28}, {"BA", 20}, {"BE", 16}, {"BG", 22},
    {"BH", 22}, {"BI", 27}, {"BR", 29}, {"BY", 28}, {"CH", 21}, {"CR", 22}, {"CY", 28}, {"CZ", 24},
    {"DE", 22}, {"DJ", 27}, {"DK", 18}, {"DO", 28}, {"EE", 20}, {"EG", 29}, {"ES", 24}, {"FI", 18},
    {"FK", 18}, {"FO", 18}, {"FR", 27}, {"GB", 22}, {"GE", 22}, {"GI", 23}, {"GL", 18}, {"GR", 27},
    {"GT", 28}, {"HN", 28}, {"HR", 21}, {"HU", 28}, {"IE", 22}, {"IL", 23}, {"IQ", 23}, {"IS", 26},
    {"IT", 27}, {"JO", 30}, {"KW", 30}, {"KZ", 20}, {"LB", 28}, {"LC", 32}, {"LI", 21}, {"LT", 20},
    {"LU", 20}, {"LV", 21}, {"LY", 25}, {"MC", 27}, {"MD", 24}, {"ME", 22}, {"MK", 19}, {"MN", 20},
    {"MR", 27}, {"MT", 31}, {"MU", 30}, {"NI", 28}, {"NL", 18}, {"NO", 15}, {"OM", 23}, {"PK", 24},
    {"PL", 28}, {"PS", 29}, {"PT", 25}, {"QA", 29}, {"RO", 24}, {"RS", 22}, {"RU", 33}, {"SA", 24},
    {"SC", 31}, {"SD", 18}, {"SE", 24}, {"SI", 19}, {"SK", 24}, {"SM", 27}, {"SO", 23}, {"ST", 25},
    {"SV", 28}, {"TL", 23}, {"TN", 24}, {"TR", 26}, {"UA", 29}, {"VA", 22}, {"VG", 24}, {"XK", 20},
    {"YE", 30},
}};

// 0 when the country has none.
std::size_t length_of(std::string_view country) noexcept {
  const auto* found =
      std::lower_bound(kCountries.begin(), kCountries.end(), country,
                       [](const IbanCountry& a, std::string_view b) { return a.code < b; });
  return found != kCountries.end() && found->code == country ? found->length : 0;
}

}  // namespace

Status normalise_iban(std::string_view value, std::string& out) {
  WrittenText written;
  if (!written.read_identifier(value)) return Error(ErrorKind::malformed);
  const std::string_view iban = written.text();
  constexpr std::size_t kHead = 4;  // country, check digits
  if (iban.size() <= kHead || iban.size() != length_of(iban.substr(0, 2))) {
    return Error(ErrorKind::malformed);
  }
  // 00, 01 and 99 leave the same rests as 97, 98 and 02, which alone are given out.
  const std::string_view check = iban.substr(2, 2);
  if (!all_digits(check) || check < "02" || check > "98") return Error(ErrorKind::malformed);
  if (mod97(iban.substr(0, kHead), mod97(iban.substr(kHead))) != 1) {
    return Error(ErrorKind::malformed);
  }
  out.append(iban);
  return {};
}

}  // namespace paravent::crypto
