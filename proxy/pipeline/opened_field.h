// OpenedField: a field that the policy opens, while a request is read: its text without wrappings,
// and the part of it in which fields are looked for.
//
// Owned by the ExchangeBuffers, which keep and wipe the text. unwrap() and wrap() are inverse: with
// nothing replaced inside, wrap() would spell the value as it came, but for percent-encoding, which
// has many spellings; so a field in which nothing is replaced stays as it is.

#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "policies/model/inside.h"
#include "policies/plan/inside_plan.h"
#include "proxy/body/field.h"

namespace paravent::proxy {

struct OpenedField {
  const policies::InsidePlan* plan = nullptr;
  std::uint32_t job = 0;  // of the opened field, in ExchangeBuffers::jobs
  std::string text;       // without its wrappings: wiped
  body::Span inside;      // of `text`
  std::array<bool, policies::kMaxWrappings> padded{};
};

// Fills text, inside and padded from the decoded value. malformed: it is not what the plan says;
// too_large: more than may come of it. `scratch` is wiped by the caller.
[[nodiscard]] body::ScanStatus unwrap(std::string_view value, OpenedField& field,
                                      std::string& scratch);

// Puts the wrappings around `text`, in place.
void wrap(const OpenedField& field, std::string& text, std::string& scratch);

}  // namespace paravent::proxy
