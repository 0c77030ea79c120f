// French companies (SIREN, nine digits) and their establishments (SIRET, the SIREN and five more),
// without separators, as INSEE's Sirene register checks them.

#include "crypto/tokens/ascii.h"
#include "crypto/tokens/luhn.h"
#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/written_text.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kSirenSize = 9;
constexpr std::size_t kSiretSize = 14;

// La Poste has more establishments than Luhn leaves it numbers: theirs, but for the head office,
// have a sum of digits that five divides.
constexpr std::string_view kLaPoste = "356000000";
constexpr std::string_view kLaPosteHeadOffice = "35600000000048";

bool siret_valid(std::string_view number) noexcept {
  if (number.starts_with(kLaPoste) && number != kLaPosteHeadOffice) {
    return digit_sum(number) % 5 == 0;
  }
  return luhn_valid(number);
}

}  // namespace

Status normalise_siren(std::string_view value, std::string& out) {
  WrittenText written;
  if (!written.read_identifier(value)) return Error(ErrorKind::malformed);
  const std::string_view number = written.text();
  if (number.size() != kSirenSize || !all_digits(number) || !luhn_valid(number)) {
    return Error(ErrorKind::malformed);
  }
  out.append(number);
  return {};
}

Status normalise_siret(std::string_view value, std::string& out) {
  WrittenText written;
  if (!written.read_identifier(value)) return Error(ErrorKind::malformed);
  const std::string_view number = written.text();
  if (number.size() != kSiretSize || !all_digits(number) ||
      !luhn_valid(number.substr(0, kSirenSize)) || !siret_valid(number)) {
    return Error(ErrorKind::malformed);
  }
  out.append(number);
  return {};
}

}  // namespace paravent::crypto
