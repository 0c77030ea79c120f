#include "policies/model/small_values.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace paravent::policies {
namespace {

struct SmallName {
  std::string_view words;  // in lower case; two of them must follow one another
  std::string_view what;
};

constexpr std::string_view kPostcode = "a postcode";
constexpr std::string_view kBirthDate = "a birth date";
constexpr std::string_view kGender = "a gender or title";
constexpr std::string_view kNir = "a social security number, once birth and place are known,";
constexpr std::string_view kAge = "an age";
constexpr std::string_view kDepartment = "a department";

constexpr std::array<SmallName, 29> kNames = {{{"postcode", kPostcode},
                                               {"post code", kPostcode},
                                               {"postalcode", kPostcode},
                                               {"postal code", kPostcode},
                                               {"code postal", kPostcode},
                                               {"codepostal", kPostcode},
                                               {"zip", kPostcode},
                                               {"zipcode", kPostcode},
                                               {"cp", kPostcode},
                                               {"plz", kPostcode},
                                               {"postleitzahl", kPostcode},
                                               {"birthday", kBirthDate},
                                               {"birthdate", kBirthDate},
                                               {"birth date", kBirthDate},
                                               {"date birth", kBirthDate},
                                               {"date of birth", kBirthDate},
                                               {"dob", kBirthDate},
                                               {"naissance", kBirthDate},
                                               {"geburtsdatum", kBirthDate},
                                               {"gender", kGender},
                                               {"sex", kGender},
                                               {"sexe", kGender},
                                               {"civilite", kGender},
                                               {"geschlecht", kGender},
                                               {"anrede", kGender},
                                               {"nir", kNir},
                                               {"age", kAge},
                                               {"department", kDepartment},
                                               {"departement", kDepartment}}};

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// " billing zip " for billing_zip and billingZip: words in lower case between single spaces.
std::string words_of(std::string_view name) {
  std::string out = " ";
  bool after_lower = false;
  for (const char c : name) {
    const bool letter = is_lower(c) || is_upper(c);
    if ((!letter || (is_upper(c) && after_lower)) && out.back() != ' ') out += ' ';
    if (letter) out += is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
    after_lower = is_lower(c);
  }
  if (out.back() != ' ') out += ' ';
  return out;
}

// The field's own name: behind the last dot of json, the whole of a flat one.
std::string_view own_name(const FieldSelector& selector) {
  if (selector.carrier != Carrier::json) return selector.name;
  for (auto step = selector.steps.rbegin(); step != selector.steps.rend(); ++step) {
    if (!step->key.empty()) return step->key;
  }
  return {};
}

}  // namespace

std::optional<std::string_view> known_small(crypto::Kind kind, const FieldSelector& selector) {
  if (kind == crypto::Kind::birth_date) return kBirthDate;
  if (kind == crypto::Kind::nir) return kNir;
  // Of any other kind than free text the kind says more than the name does.
  if (kind != crypto::Kind::text && kind != crypto::Kind::name) return std::nullopt;
  const std::string words = words_of(own_name(selector));
  const auto found = std::find_if(kNames.begin(), kNames.end(), [&](const SmallName& known) {
    return words.find(" " + std::string(known.words) + " ") != std::string::npos;
  });
  if (found == kNames.end()) return std::nullopt;
  return found->what;
}

}  // namespace paravent::policies
