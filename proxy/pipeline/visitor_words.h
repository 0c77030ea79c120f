// What a visitor is told of a refusal, in French and English.

#pragma once

#include <string_view>

#include "proxy/pipeline/refusal.h"

namespace paravent::proxy {

// UTF-8 without HTML's own characters.
struct VisitorWords {
  std::string_view french_heading;
  std::string_view french;
  std::string_view english;
};

// What to do about it; the operator finds the reason in the problem's type and the counters.
VisitorWords visitor_words(Reason reason) noexcept;

}  // namespace paravent::proxy
