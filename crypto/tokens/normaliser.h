// Normalisers: one spelling for values that mean the same, so that equal data gets equal tokens.
// The result is also what a re-identification shows. Rules per kind: docs/token-format.md; cases:
// tests/crypto/tokens/cases.
//
// Pure functions; any thread. Nothing is allocated once `out` has its capacity (a few times the
// value's size), except that ICU allocates for itself where a value is not plain ASCII. Every
// normaliser is idempotent.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/tokens/kind.h"

namespace paravent::crypto {

struct NormaliserOptions {
  // ISO 3166 code of the country whose habits decide what a value leaves open: how a phone number
  // without "+" is dialled, and whether a date begins with the day (not in US; CA has both habits).
  std::string_view region = "FR";
};

// Appends the normal form of `value`. ErrorKind::malformed without a sentence, and `out` as it was:
// not valid for the kind, not valid UTF-8, or empty once normalised. ErrorKind::usage: a phone
// number and an unknown region.
Status normalise(Kind kind, std::string_view value, const NormaliserOptions& options,
                 std::string& out);

// Kind number * 256 + version of its rules. Part of the context string: a changed rule gives other
// tokens under another id instead of silently unequal ones.
std::uint16_t normaliser_id(Kind kind) noexcept;

// Whether phone numbers can be read the way this country dials.
bool phone_region_known(std::string_view region) noexcept;

// Other forms that this phone number got before docs/decisions/0066: what is kept of whoever it
// tells may still lie under one of them. The caller wipes them.
std::vector<std::string> earlier_phone_forms(std::string_view normal);

// Without ASCII white space at either end: what protect-raw protects.
std::string_view trim(std::string_view text) noexcept;

}  // namespace paravent::crypto
