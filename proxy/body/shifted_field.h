// A field of a text that is a piece of another one, at its place in that one. Internal to the
// codecs that hand on what another found in a piece of their text.

#pragma once

#include <cstdint>

#include "proxy/body/field.h"

namespace paravent::proxy::body {

inline Span shifted(Span span, std::uint32_t by) noexcept {
  return {span.begin + by, span.end + by};
}

inline Field shifted(Field field, std::uint32_t by) noexcept {
  field.value = shifted(field.value, by);
  field.whole = shifted(field.whole, by);
  return field;
}

}  // namespace paravent::proxy::body
