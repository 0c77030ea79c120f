// What is known of how many different values a field can have, by its kind or its name alone: the
// fields of everyday forms that a table of all values fits into memory. For the linter, which asks
// for a reason before such a field gets a result that equal values share.
//
// Names are looked at in English, French and German, word by word: `billing_zip`, `codePostal`,
// `date-naissance`. A guess, and only ever a question to the author: `values: N` settles it.

#pragma once

#include <optional>
#include <string_view>

#include "crypto/tokens/kind.h"
#include "policies/model/selector.h"

namespace paravent::policies {

// "a postcode", "a birth date", ...: the words for a diagnostic.
std::optional<std::string_view> known_small(crypto::Kind kind, const FieldSelector& selector);

}  // namespace paravent::policies
