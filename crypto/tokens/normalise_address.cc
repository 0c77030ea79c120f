// Postal addresses: the words of a text as people see it, on one line, since the same address comes
// in one field here and in an area of several lines there. The case stays: the result is what a
// letter is sent to, and folding it would make two addresses equal only as long as nobody writes
// "rd." for "road". Who wants to compare addresses takes the parts (a postcode, a town).

#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/visible_text.h"

namespace paravent::crypto {

Status normalise_address(std::string_view value, std::string& out) {
  return append_words(value, LineBreaks::commas, out);
}

}  // namespace paravent::crypto
