#include "crypto/tokens/preserved_form.h"

#include <algorithm>
#include <cstdlib>

#include "crypto/base/bytes.h"
#include "crypto/base/secret_bytes.h"

namespace paravent::crypto {
namespace {

constexpr std::uint16_t kWrongBy = 5;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool has_check_digit(Kind kind) noexcept {
  return kind == Kind::card || kind == Kind::siren || kind == Kind::siret;
}

// Digits of the country code that a number behind its "+" begins with: the ITU's list (E.164
// assignments, annex to bulletin 991), in which no code is the beginning of another.
std::size_t country_code_size(std::string_view digits) noexcept {
  constexpr std::string_view kTwoDigits[] = {
      "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46",
      "47", "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63",
      "64", "65", "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98"};
  if (digits.starts_with('1') || digits.starts_with('7')) return 1;
  const auto* found = std::find(std::begin(kTwoDigits), std::end(kTwoDigits), digits.substr(0, 2));
  return found == std::end(kTwoDigits) ? 3 : 2;
}

// The characters in front that stay as they are.
std::size_t clear_prefix_of(Kind kind, std::string_view value) noexcept {
  if (kind != Kind::phone || !value.starts_with('+')) return 0;
  const std::string_view digits = value.substr(1);
  return std::min(value.size(), 1 + country_code_size(digits));
}

// The digit that makes digits | check pass Luhn's test (ISO/IEC 7812-1, annex B).
std::uint16_t luhn_digit(std::span<const std::uint16_t> digits) noexcept {
  unsigned sum = 0;
  bool doubled = true;
  for (std::size_t i = digits.size(); i-- > 0; doubled = !doubled) {
    const unsigned value = doubled ? 2U * digits[i] : digits[i];
    sum += value > 9 ? value - 9 : value;
  }
  return static_cast<std::uint16_t>((10 - sum % 10) % 10);
}

std::uint16_t check_digit(std::span<const std::uint16_t> digits, PreservedSide side) noexcept {
  const std::uint16_t right = luhn_digit(digits);
  return side == PreservedSide::clear ? right : static_cast<std::uint16_t>((right + kWrongBy) % 10);
}

}  // namespace

bool kind_preserves(Kind kind) noexcept {
  return kind == Kind::text || kind == Kind::phone || has_check_digit(kind);
}

Status split_preserved(Kind kind, PreservedSide side, std::span<char> value, PreservedForm& form) {
  if (!kind_preserves(kind)) std::abort();
  form = {};
  if (value.size() > kMaxPreservedValue) return Error(ErrorKind::malformed);
  form.clear_prefix = clear_prefix_of(kind, {value.data(), value.size()});
  form.checked = has_check_digit(kind);
  const std::size_t most = kMaxPreservedDigits + (form.checked ? 1 : 0);
  std::array<std::uint16_t, kMaxPreservedDigits + 1> found;
  std::size_t count = 0;
  for (const char c : value.subspan(form.clear_prefix)) {
    if (!is_digit(c)) continue;
    if (count == most) {
      count = 0;
      break;
    }
    found[count++] = static_cast<std::uint16_t>(c - '0');
  }
  form.count = form.checked && count > 0 ? count - 1 : count;
  std::copy_n(found.begin(), form.count, form.digits.begin());
  const bool right = form.count >= kMinPreservedDigits &&
                     (!form.checked || found[form.count] == check_digit(form.used(), side));
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(found.data()), sizeof found));
  if (!right) {
    wipe(form);
    return Error(ErrorKind::malformed);
  }
  for (char& c : value.subspan(form.clear_prefix)) {
    if (is_digit(c)) c = '0';
  }
  return {};
}

void join_preserved(const PreservedForm& form, PreservedSide side, std::span<char> value) noexcept {
  std::size_t next = 0;
  for (char& c : value.subspan(form.clear_prefix)) {
    if (!is_digit(c)) continue;
    const std::uint16_t digit =
        next < form.count ? form.digits[next] : check_digit({form.digits.data(), form.count}, side);
    c = static_cast<char>('0' + digit);
    ++next;
  }
  if (next != form.count + (form.checked ? 1 : 0)) std::abort();
}

void wipe(PreservedForm& form) noexcept {
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(form.digits.data()), sizeof form.digits));
  form.count = 0;
}

}  // namespace paravent::crypto
