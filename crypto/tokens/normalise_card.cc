// Payment cards (ISO/IEC 7812-1): 12 to 19 digits without separators, the last one right.

#include "crypto/tokens/ascii.h"
#include "crypto/tokens/luhn.h"
#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/written_text.h"

namespace paravent::crypto {

Status normalise_card(std::string_view value, std::string& out) {
  WrittenText written;
  if (!written.read_identifier(value)) return Error(ErrorKind::malformed);
  const std::string_view number = written.text();
  if (number.size() < 12 || number.size() > 19 || !all_digits(number) || !luhn_valid(number)) {
    return Error(ErrorKind::malformed);
  }
  out.append(number);
  return {};
}

}  // namespace paravent::crypto
