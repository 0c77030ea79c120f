// User agents (RFC 9110 10.1.5) and what scripts report in their place: the words of a text.
// Nothing is parsed here; that is what generalising is for.

#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/visible_text.h"

namespace paravent::crypto {

Status normalise_user_agent(std::string_view value, std::string& out) {
  return append_words(value, LineBreaks::spaces, out);
}

}  // namespace paravent::crypto
