// Values of preserved form on any bytes: no crash, splitting and joining is the identity, and the
// clear part is the same from both sides. The first byte chooses the kind.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "crypto/tokens/preserved_form.h"

namespace pc = paravent::crypto;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr pc::Kind kKinds[] = {pc::Kind::text, pc::Kind::phone, pc::Kind::card, pc::Kind::siren,
                                 pc::Kind::siret};
  const pc::Kind kind = kKinds[data[0] % 5];
  const std::string value(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string text = value;
  pc::PreservedForm form;
  if (!pc::split_preserved(kind, pc::PreservedSide::clear, text, form)) {
    if (text != value) std::abort();
    return 0;
  }
  const std::string clear_part = text;
  for (std::size_t i = 0; i < form.count; ++i) {
    if (form.digits[i] > 9) std::abort();
    form.digits[i] = static_cast<std::uint16_t>(9 - form.digits[i]);
  }
  pc::join_preserved(form, pc::PreservedSide::enciphered, text);

  pc::PreservedForm back;
  std::string again = text;
  if (!pc::split_preserved(kind, pc::PreservedSide::enciphered, again, back) ||
      again != clear_part || back.count != form.count || back.clear_prefix != form.clear_prefix) {
    std::abort();
  }
  for (std::size_t i = 0; i < back.count; ++i) {
    back.digits[i] = static_cast<std::uint16_t>(9 - back.digits[i]);
  }
  pc::join_preserved(back, pc::PreservedSide::clear, again);
  if (again != value) std::abort();
  return 0;
}
