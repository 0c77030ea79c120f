// Free text: nothing is changed, because nothing may be lost.

#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/utf8.h"

namespace paravent::crypto {

Status normalise_text(std::string_view value, std::string& out) {
  if (!is_utf8(value)) return Error(ErrorKind::malformed);
  out.append(value);
  return {};
}

}  // namespace paravent::crypto
