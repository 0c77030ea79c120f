// Phone numbers to E.164: "+", country code, national number. Knows how people write them
// (separators, brackets, "00", the "(0)" idiom, the trunk prefix or its absence), and refuses
// letters, extensions and what is no number of its country, rather than guess.

#include <array>
#include <cstdint>

#include "crypto/base/secret_bytes.h"
#include "crypto/tokens/normaliser.h"
#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/phone_plan.h"
#include "crypto/tokens/unicode.h"
#include "crypto/tokens/utf8.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kMaxInput = 128;
constexpr std::size_t kMaxDigits = 20;  // 15 of E.164, and prefixes that go
constexpr std::size_t kMaxE164 = 15;
constexpr std::size_t kMinUnknownE164 = 8;
constexpr std::size_t kNowhere = kMaxDigits;
constexpr std::size_t kFrenchNational = 9;
constexpr std::array<std::string_view, 5> kFrenchOverseas = {"262", "590", "594", "596", "508"};

// What is left of the text without separators. Wiped, as it is the value.
struct Dialled {
  Dialled() = default;
  Dialled(const Dialled&) = delete;
  Dialled& operator=(const Dialled&) = delete;
  ~Dialled() { wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(digits.data()), digits.size())); }

  std::string_view all() const noexcept { return {digits.data(), size}; }

  std::array<char, kMaxDigits> digits{};
  std::size_t size = 0;
  bool plus = false;
  std::size_t bracketed_zero = kNowhere;  // index of the digit of a "(0)"
};

bool is_separator(char32_t point) noexcept {
  return point == '.' || point == '-' || point == '/' || is_white_space(point) ||
         is_invisible(point) || is_dash(point);
}

// Fails on anything that is neither digit, separator, one leading "+" nor a matching bracket.
bool read_dialled(std::string_view value, Dialled& dialled) noexcept {
  bool open = false;
  std::size_t at_open = 0;
  std::size_t at = 0;
  while (at < value.size()) {
    const char32_t point = next_code_point(value, at);
    if (point >= '0' && point <= '9') {
      if (dialled.size == kMaxDigits) return false;
      dialled.digits[dialled.size++] = static_cast<char>(point);
    } else if (point == '+') {
      if (dialled.plus || dialled.size > 0) return false;
      dialled.plus = true;
    } else if (point == '(') {
      if (open) return false;
      open = true;
      at_open = dialled.size;
    } else if (point == ')') {
      if (!open) return false;
      open = false;
      const bool lone_zero = dialled.size == at_open + 1 && dialled.digits[at_open] == '0';
      if (lone_zero) dialled.bracketed_zero = at_open;
    } else if (!is_separator(point)) {
      return false;
    }
  }
  return !open && dialled.size > 0;
}

// The national number without its trunk prefix; empty when it is none of this plan.
std::string_view without_trunk(const PhonePlan& plan, std::string_view digits, bool bare) noexcept {
  if (!plan.trunk.empty() && digits.starts_with(plan.trunk)) {
    const std::string_view rest = digits.substr(plan.trunk.size());
    if (phone_plan_accepts(plan, rest)) return rest;
  }
  return bare && phone_plan_accepts(plan, digits) ? digits : std::string_view{};
}

// One number has one form, behind whichever country code of the French plan it was written.
Status append_e164(std::string_view country_code, std::string_view national, std::string& out) {
  if (in_french_plan(country_code) && national.size() == kFrenchNational) {
    const FrenchPlan french = french_plan_of(national);
    country_code = french.country_code;
    national.remove_prefix(french.skip);
    const PhonePlan* plan = phone_plan_for_digits(country_code);
    if (!phone_plan_accepts(*plan, national)) return Error(ErrorKind::malformed);
  }
  out.push_back('+');
  out.append(country_code);
  out.append(national);
  return {};
}

// A country that the table does not know: its number as it stands, less the idiom.
Status append_unknown_country(std::string_view digits, std::size_t zero, std::string& out) {
  const std::size_t start = out.size();
  out.push_back('+');
  out.append(digits.substr(0, zero));
  if (zero < digits.size()) out.append(digits.substr(zero + 1));
  const std::string_view kept = std::string_view(out).substr(start + 1);
  // A "(0)" inside the country code could leave the code of a country that is known.
  if (kept.empty() || kept.front() == '0' || kept.size() < kMinUnknownE164 ||
      kept.size() > kMaxE164 || phone_plan_for_digits(kept) != nullptr) {
    return Error(ErrorKind::malformed);
  }
  return {};
}

// `digits` begins with a country code; `zero` is the index of a "(0)" in it, if any.
Status append_international(std::string_view digits, std::size_t zero, std::string& out) {
  const PhonePlan* plan = phone_plan_for_digits(digits);
  if (plan == nullptr) return append_unknown_country(digits, zero, out);
  const std::size_t code = plan->country_code.size();
  std::string_view rest = digits.substr(code);
  const bool keeps_zero = plan->first_digits.front() == '0';
  if (zero == code && !keeps_zero && plan->trunk != "0") rest.remove_prefix(1);
  const std::string_view national = without_trunk(*plan, rest, true);
  if (national.empty()) return Error(ErrorKind::malformed);
  return append_e164(plan->country_code, national, out);
}

Status append_national(const PhonePlan& plan, std::string_view digits, std::string& out) {
  if (in_french_plan(plan.country_code)) {
    // From overseas too, a ten-digit number is one of the common plan, whose prefixes tell where it
    // rings.
    const PhonePlan* french = phone_plan_for_region("FR");
    const std::string_view common = without_trunk(*french, digits, false);
    if (!common.empty()) return append_e164(french->country_code, common, out);
  }
  const std::string_view national = without_trunk(plan, digits, plan.bare);
  if (!national.empty()) return append_e164(plan.country_code, national, out);
  // The international form with the "+" forgotten.
  if (!digits.starts_with(plan.country_code)) return Error(ErrorKind::malformed);
  return append_international(digits, kNowhere, out);
}

}  // namespace

Status normalise_phone(std::string_view value, std::string_view region, std::string& out) {
  const PhonePlan* plan = phone_plan_for_region(region);
  if (plan == nullptr) return Error(ErrorKind::usage);
  Dialled dialled;
  if (value.size() > kMaxInput || !read_dialled(value, dialled)) {
    return Error(ErrorKind::malformed);
  }
  std::string_view digits = dialled.all();
  std::size_t exit_prefix = 0;
  if (!dialled.plus && digits.starts_with("00")) exit_prefix = 2;
  if (!dialled.plus && plan->country_code == "1" && digits.starts_with("011")) exit_prefix = 3;
  if (!dialled.plus && exit_prefix == 0) return append_national(*plan, digits, out);
  digits.remove_prefix(exit_prefix);
  if (digits.empty()) return Error(ErrorKind::malformed);
  const bool idiom = dialled.bracketed_zero != kNowhere && dialled.bracketed_zero >= exit_prefix;
  return append_international(digits, idiom ? dialled.bracketed_zero - exit_prefix : kNowhere, out);
}

std::vector<std::string> earlier_phone_forms(std::string_view normal) {
  std::vector<std::string> forms;
  const std::string_view digits = normal.substr(normal.empty() ? 0 : 1);
  const PhonePlan* plan = phone_plan_for_digits(digits);
  if (plan == nullptr || !in_french_plan(plan->country_code)) return forms;
  std::string common(digits.substr(plan->country_code.size()));
  // Within the plan, Saint-Pierre-et-Miquelon's code is the prefix of its short numbers.
  if (common.size() < kFrenchNational) common.insert(0, plan->country_code);
  forms.reserve(kFrenchOverseas.size());  // no copy is left behind
  for (const std::string_view code : kFrenchOverseas) {
    if (!phone_plan_accepts(*phone_plan_for_digits(code), common)) continue;
    forms.emplace_back("+").append(code).append(common);
    if (forms.back() != normal) continue;
    wipe(forms.back());
    forms.pop_back();
  }
  wipe(common);
  return forms;
}

}  // namespace paravent::crypto
