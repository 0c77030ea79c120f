// Dialling plans: what the phone normaliser knows of each country. A closed table, from the ITU's
// national numbering plans (E.164); python3-phonenumbers is its oracle in the tests.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace paravent::crypto {

struct PhonePlan {
  std::string_view region;        // ISO 3166
  std::string_view country_code;  // of E.164, without "+"
  std::string_view trunk;         // dialled before a national number, not part of it; may be empty
  std::uint8_t min_length;        // of the national number, in digits
  std::uint8_t max_length;
  std::string_view first_digits;  // that a national number may begin with
  // Whether a number without trunk prefix is still read as national (spreadsheets eat leading
  // zeros). Not where numbers have many lengths: there it could as well be a local number without
  // its area.
  bool bare;
};

// nullptr when unknown.
const PhonePlan* phone_plan_for_region(std::string_view region) noexcept;

// The plan whose country code `digits` begins with; nullptr when unknown. No known code is the
// beginning of another one.
const PhonePlan* phone_plan_for_digits(std::string_view digits) noexcept;

// Whether `national` (digits only) may be a national number of the plan.
bool phone_plan_accepts(const PhonePlan& plan, std::string_view national) noexcept;

// France and its overseas departments share one plan: the country code of a nine-digit national
// number (33 where its prefix tells no place, as of 07, 08 and 09), and how many of its digits that
// code replaces (3 for Saint-Pierre-et-Miquelon, else 0).
struct FrenchPlan {
  std::string_view country_code;
  std::size_t skip = 0;
};
FrenchPlan french_plan_of(std::string_view national) noexcept;

// Whether the region dials within the French plan.
bool in_french_plan(std::string_view country_code) noexcept;

}  // namespace paravent::crypto
