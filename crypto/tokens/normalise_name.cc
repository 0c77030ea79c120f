// Names: the words of a text as people see it, in their case, since "de Gaulle" is not "De Gaulle"
// and a letter must address its reader correctly.

#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/visible_text.h"

namespace paravent::crypto {

Status normalise_name(std::string_view value, std::string& out) {
  return append_words(value, LineBreaks::spaces, out);
}

}  // namespace paravent::crypto
