// What languages somebody prefers, reduced to the first one without its region.
//
//   "fr-FR,fr;q=0.9,en;q=0.8" -> "fr"      Accept-Language (RFC 9110 12.5.4)
//   "pt_BR" -> "pt"                        one tag (RFC 5646), also with the underscore of POSIX
// Pure; no heap once `out` has room; any thread. Idempotent.

#pragma once

#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace paravent::proxy {

// Appends two or three lower-case letters: of the greatest weight, the first of equals.
// `malformed`, and `out` as it was: any part of the list is no language range, or none names a
// language
// ("*", weight 0, "i-" and "x-" tags).
crypto::Status main_language(std::string_view text, std::string& out);

}  // namespace paravent::proxy
