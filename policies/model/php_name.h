// The name under which PHP registers a form, query or cookie variable (php_register_variable_ex in
// PHP's main/php_variables.c; the tests' cases are what PHP 8.2 made of them): leading spaces go;
// before the first bracket ' ' and '.' become '_'; a first '[' that nothing closes becomes '_', and
// so do ' ', '.' and '[' behind it; what follows a closed bracket and is no bracket that closes is
// ignored.
//
// Two names that PHP takes for one give one text here, `a_b[c][]`. Pure; any thread.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "policies/model/vocabulary.h"

namespace paravent::policies {

inline constexpr std::size_t kMaxPhpName = 4096;

// What PHP reads into variables.
constexpr bool is_php_carrier(Carrier carrier) noexcept {
  return carrier == Carrier::form || carrier == Carrier::multipart || carrier == Carrier::query ||
         carrier == Carrier::cookie;
}

// A view of `name` where it is its own normal form, else of `buffer`. REQUIRES: a buffer as long as
// the name.
std::string_view php_name(std::string_view name, char* buffer) noexcept;

// The same for names that a policy writes.
std::string php_name(std::string_view name);
// Of a name with `*`, only what stands before the first bracket is folded: behind it brackets and
// stars mean what they say.
std::string php_pattern(std::string_view pattern);

}  // namespace paravent::policies
