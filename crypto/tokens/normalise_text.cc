// Free text: not one byte is changed, not even by NFC. It is what people get back: joiners hold an
// emoji or a Persian word together, directional marks keep a Hebrew sentence in order. It is also
// what a field is taken for of which nothing is known (a document, a signature, a key), and there a
// byte that changed is damage. Who compares values gives the field a kind that has a normal form.

#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/utf8.h"

namespace paravent::crypto {

Status normalise_text(std::string_view value, std::string& out) {
  if (!is_utf8(value)) return Error(ErrorKind::malformed);
  out.append(value);
  return {};
}

}  // namespace paravent::crypto
