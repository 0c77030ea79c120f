#include "policies/model/decimal.h"

#include <charconv>

namespace paravent::policies {
namespace {

constexpr std::size_t kMaxDigits = 15;

std::size_t digits_at(std::string_view text) {
  const std::size_t end = text.find_first_not_of("0123456789");
  return end == std::string_view::npos ? text.size() : end;
}

}  // namespace

std::optional<Decimal> parse_decimal(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative) rest.remove_prefix(1);
  const std::size_t whole = digits_at(rest);
  if (whole == 0 || (whole > 1 && rest.starts_with('0'))) return std::nullopt;
  rest.remove_prefix(whole);
  std::size_t fraction = 0;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    fraction = digits_at(rest);
    if (fraction == 0 || rest[fraction - 1] == '0') return std::nullopt;
    rest.remove_prefix(fraction);
  }
  if (!rest.empty() || whole + fraction > kMaxDigits) return std::nullopt;
  Decimal decimal{std::string(text), 0};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), decimal.value);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (negative && decimal.value == 0) return std::nullopt;
  return decimal;
}

}  // namespace paravent::policies
