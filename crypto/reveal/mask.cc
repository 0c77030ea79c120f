#include "crypto/reveal/mask.h"

#include <string>

#include "crypto/tokens/mask.h"

namespace paravent::crypto::reveal {

SecretBytes mask_value(Kind kind, ByteView value) {
  MaskForm form = mask_form(kind);
  form.mask = "***";
  std::string text;
  append_masked(kind, as_text(value), form, text);
  SecretBytes out = SecretBytes::copy_of(text);
  wipe(text);
  return out;
}

}  // namespace paravent::crypto::reveal
