// Countries and what the GDPR says about sending personal data there (chapter V): inside the EEA,
// covered by an adequacy decision (Article 45), or neither. Static tables; pure functions.
//
// The adequacy list is the one of the Commission's decisions known at kAdequacyAsOf; a country that
// is missing costs its users a `safeguard`, never a silent transfer.

#pragma once

#include <string_view>

namespace paravent::policies {

inline constexpr std::string_view kAdequacyAsOf = "2025-12";

// ISO 3166-1 alpha-2, upper case.
bool is_country(std::string_view code) noexcept;
// The 27 member states with the outermost regions that have a code of their own (TFEU 355(1)) and
// Åland, Iceland, Liechtenstein, Norway.
bool is_eea(std::string_view code) noexcept;
// Article 45 decisions for a whole country or its commercial organisations (CA). Not the US: there
// only companies certified under the Data Privacy Framework, which is a `safeguard`.
bool is_adequate(std::string_view code) noexcept;

}  // namespace paravent::policies
