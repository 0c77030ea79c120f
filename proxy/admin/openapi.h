// The description of the admin API, as /openapi.json serves it: the file beside this one, embedded
// when the program is built.

#pragma once

#include <string_view>

namespace paravent::proxy::admin {

std::string_view openapi_document() noexcept;

}  // namespace paravent::proxy::admin
