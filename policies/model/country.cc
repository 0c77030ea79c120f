#include "policies/model/country.h"

namespace paravent::policies {
namespace {

// Codes one after the other, separated by blanks: found by a search that starts at every third
// byte.
constexpr std::string_view kCountries =
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR "
    "BS "
    "BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC "
    "EE "
    "EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK "
    "HM "
    "HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB "
    "LC "
    "LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ "
    "NA "
    "NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU "
    "RW "
    "SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN "
    "TO "
    "TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW ";

constexpr std::string_view kEea =
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE "
    "AX GF GP MF MQ RE YT IS LI NO ";

constexpr std::string_view kAdequate = "AD AR CA CH FO GB GG IL IM JE JP KR NZ UY ";

constexpr bool holds(std::string_view table, std::string_view code) noexcept {
  if (code.size() != 2) return false;
  for (std::size_t i = 0; i + 3 <= table.size(); i += 3) {
    if (table.substr(i, 2) == code) return true;
  }
  return false;
}

static_assert(kCountries.size() == 249 * 3);
static_assert(kEea.size() == (27 + 7 + 3) * 3);

}  // namespace

bool is_country(std::string_view code) noexcept { return holds(kCountries, code); }
bool is_eea(std::string_view code) noexcept { return holds(kEea, code); }
bool is_adequate(std::string_view code) noexcept { return holds(kAdequate, code); }

}  // namespace paravent::policies
