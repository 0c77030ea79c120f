// Text as a carrier writes it.

#pragma once

#include <string>
#include <string_view>

#include "policies/plan/field_action.h"

namespace paravent::proxy {

// `text` behind `out`, in the quotes and escapes of the carrier; false, and nothing written, where
// it would not stay one value there. `boundary`: of a multipart body.
bool append_for_carrier(policies::Carrier carrier, std::string_view text, std::string_view boundary,
                        std::string& out);

}  // namespace paravent::proxy
