#include "crypto/tokens/phone_plan.h"

#include <algorithm>
#include <array>

#include "crypto/tokens/normaliser.h"

namespace paravent::crypto {
namespace {

constexpr std::string_view kNonZero = "123456789";
constexpr std::string_view kFrom2 = "23456789";

// Where several regions share a country code their rows agree in everything else.
constexpr std::array<PhonePlan, 47> kPlans = {{
    {"FR", "33", "0", 9, 9, kNonZero, true},   {"RE", "262", "0", 9, 9, "2689", true},
    {"YT", "262", "0", 9, 9, "2689", true},    {"GP", "590", "0", 9, 9, "5689", true},
    {"BL", "590", "0", 9, 9, "5689", true},    {"MF", "590", "0", 9, 9, "5689", true},
    {"GF", "594", "0", 9, 9, "5689", true},    {"MQ", "596", "0", 9, 9, "5689", true},
    {"PM", "508", "0", 6, 9, "4578", true},    {"NC", "687", "", 6, 6, "0234578", true},
    {"PF", "689", "", 6, 8, "48", true},       {"WF", "681", "", 6, 6, "4578", true},
    {"AD", "376", "", 6, 9, kNonZero, true},   {"AT", "43", "0", 4, 13, kNonZero, false},
    {"BE", "32", "0", 8, 9, kNonZero, true},   {"BG", "359", "0", 7, 9, kFrom2, false},
    {"CA", "1", "1", 10, 10, kFrom2, true},    {"CH", "41", "0", 9, 12, kFrom2, true},
    {"CI", "225", "", 10, 10, "02", true},     {"CM", "237", "", 9, 9, "26", true},
    {"CZ", "420", "", 9, 9, kFrom2, true},     {"DE", "49", "0", 4, 13, kNonZero, false},
    {"DK", "45", "", 8, 8, kFrom2, true},      {"DZ", "213", "0", 8, 9, kNonZero, true},
    {"ES", "34", "", 9, 9, "56789", true},     {"FI", "358", "0", 5, 12, kNonZero, false},
    {"GB", "44", "0", 9, 10, kNonZero, true},  {"GR", "30", "", 10, 10, "26789", true},
    {"HR", "385", "0", 8, 9, kNonZero, true},  {"HU", "36", "06", 8, 9, kNonZero, true},
    {"IE", "353", "0", 7, 9, kNonZero, false}, {"IT", "39", "", 6, 12, "013578", true},
    {"VA", "39", "", 6, 12, "013578", true},   {"LU", "352", "", 4, 11, kFrom2, true},
    {"MA", "212", "0", 9, 9, "5678", true},    {"MC", "377", "0", 8, 9, "34689", true},
    {"NL", "31", "0", 9, 9, kNonZero, true},   {"NO", "47", "", 8, 8, kFrom2, true},
    {"PL", "48", "", 9, 9, kNonZero, true},    {"PT", "351", "", 9, 9, "236789", true},
    {"RO", "40", "0", 9, 9, "23789", true},    {"SE", "46", "0", 7, 9, kNonZero, false},
    {"SI", "386", "0", 8, 8, kNonZero, true},  {"SK", "421", "0", 9, 9, kFrom2, true},
    {"SN", "221", "", 9, 9, "3789", true},     {"TN", "216", "", 8, 8, "234579", true},
    {"US", "1", "1", 10, 10, kFrom2, true},
}};

// Mobile numbers have nine or ten digits, their mailboxes a digit or two more behind the "3".
bool italian_length_fits(std::string_view national) noexcept {
  const std::size_t length = national.size();
  switch (national.front()) {
    case '0':
      return length <= 11;
    case '1':
      return length >= 9 && length <= 10 &&
             std::string_view("4679").find(national[1]) != std::string_view::npos;
    case '3':
      return length >= 11 ? national[1] >= '2' && national[1] <= '8' : length >= 9;
    case '8':
      return length == 6 || (length >= 8 && length <= 10);
    default:
      return length == 10;
  }
}

// Nine digits for mobile numbers (04xx), eight for all others, with Liège (042, 043) among them.
bool belgian_length_fits(std::string_view national) noexcept {
  if (national.front() != '4') return national.size() == 8;
  return national.size() == 9 || national[1] == '2' || national[1] == '3';
}

// An exchange code begins like an area code, but for a freephone range of the Caribbean.
bool american_exchange_fits(std::string_view national) noexcept {
  return national[3] >= '2' || national.starts_with("80014");
}

// Digits as a number: of two codes without leading zeros, the same where they are the same. At most
// nine digits.
constexpr unsigned number_of(std::string_view digits) noexcept {
  unsigned number = 0;
  for (const char c : digits) number = number * 10 + static_cast<unsigned>(c - '0');
  return number;
}

// What one length range cannot say.
bool length_fits(const PhonePlan& plan, std::string_view national) noexcept {
  const std::size_t length = national.size();
  switch (number_of(plan.country_code)) {
    case 1:
      return american_exchange_fits(national);
    case 32:
      return belgian_length_fits(national);
    case 39:
      return italian_length_fits(national);
    case 41:  // a mailbox, or any other number
      return length == (national.starts_with("860") ? 12 : 9);
    case 49:  // a pager
      return length > 4 || national.starts_with("16");
    case 352:
      if (national.front() == '6') return length == 9;
      // Otherwise a number whose writer forgot the "+" would be read as a long national one.
      return length <= 6 || !national.starts_with(plan.country_code);
    case 376:
      return length != 7;
    case 508:
      return length == 6 || (length == 9 && national.front() >= '7');
    case 689:
      return length == 6 || length == 8;
    default:
      return true;
  }
}

}  // namespace

const PhonePlan* phone_plan_for_region(std::string_view region) noexcept {
  const auto* plan = std::find_if(kPlans.begin(), kPlans.end(),
                                  [&](const PhonePlan& p) { return p.region == region; });
  return plan == kPlans.end() ? nullptr : plan;
}

const PhonePlan* phone_plan_for_digits(std::string_view digits) noexcept {
  const auto* plan = std::find_if(kPlans.begin(), kPlans.end(), [&](const PhonePlan& p) {
    return digits.starts_with(p.country_code);
  });
  return plan == kPlans.end() ? nullptr : plan;
}

bool phone_plan_accepts(const PhonePlan& plan, std::string_view national) noexcept {
  return national.size() >= plan.min_length && national.size() <= plan.max_length &&
         plan.first_digits.find(national.front()) != std::string_view::npos &&
         length_fits(plan, national);
}

FrenchPlan french_plan_of(std::string_view national) noexcept {
  switch (number_of(national.substr(0, 3))) {
    case 508:
      return {"508", 3};
    case 262:
    case 263:
    case 269:
    case 639:
    case 692:
    case 693:
      return {"262", 0};
    case 590:
    case 690:
    case 691:
      return {"590", 0};
    case 594:
    case 694:
      return {"594", 0};
    case 596:
    case 696:
    case 697:
      return {"596", 0};
    default:
      return {"33", 0};
  }
}

bool in_french_plan(std::string_view country_code) noexcept {
  switch (number_of(country_code)) {
    case 33:
    case 262:
    case 508:
    case 590:
    case 594:
    case 596:
      return true;
    default:
      return false;
  }
}

bool phone_region_known(std::string_view region) noexcept {
  return phone_plan_for_region(region) != nullptr;
}

}  // namespace paravent::crypto
