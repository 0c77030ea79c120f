#include "proxy/pipeline/generalise/decimal.h"

#include <algorithm>

#include "proxy/pipeline/generalise/scan.h"

namespace paravent::proxy::generalise {
namespace {

constexpr std::size_t kMostText = 64;

struct Parts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  std::int64_t exponent = 0;
};

std::string_view take_digits(std::string_view& rest) noexcept {
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_digit);
  const auto digits = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(digits.size());
  return digits;
}

std::optional<Parts> split(std::string_view text) noexcept {
  if (text.size() > kMostText) return std::nullopt;
  Parts parts;
  if (text.starts_with('-') || text.starts_with('+')) {
    parts.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  parts.whole = take_digits(text);
  if (parts.whole.empty()) return std::nullopt;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    parts.fraction = take_digits(text);
    if (parts.fraction.empty()) return std::nullopt;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    const bool down = text.starts_with('-');
    if (down || text.starts_with('+')) text.remove_prefix(1);
    const auto exponent = text.size() > 3 ? std::nullopt : whole_number(text);
    if (!exponent) return std::nullopt;
    parts.exponent = down ? -*exponent : *exponent;
    text = {};
  }
  if (!text.empty()) return std::nullopt;
  return parts;
}

}  // namespace

std::optional<std::int64_t> read_decimal(std::string_view text, std::uint32_t decimals) noexcept {
  const auto parts = split(text);
  if (!parts) return std::nullopt;
  const std::size_t count = parts->whole.size() + parts->fraction.size();
  const auto digit = [&](std::size_t i) {
    return i < parts->whole.size() ? parts->whole[i] : parts->fraction[i - parts->whole.size()];
  };
  // So many of the digits, counted from the first, are whole units; what follows is less than one.
  const std::int64_t wanted = static_cast<std::int64_t>(parts->whole.size()) + parts->exponent +
                              static_cast<std::int64_t>(decimals);
  std::int64_t units = 0;
  bool more = false;
  for (std::size_t i = 0; i < count; ++i) {
    if (static_cast<std::int64_t>(i) >= wanted) {
      more = more || digit(i) != '0';
      continue;
    }
    units = units * 10 + (digit(i) - '0');
    if (units > kMostUnits) return std::nullopt;
  }
  for (std::int64_t i = static_cast<std::int64_t>(count); units != 0 && i < wanted; ++i) {
    units *= 10;
    if (units > kMostUnits) return std::nullopt;
  }
  if (!parts->negative) return units;
  return more ? -units - 1 : -units;
}

std::uint32_t decimals_of(std::string_view text) noexcept {
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) return 0;
  std::string_view rest = text.substr(point + 1);
  return static_cast<std::uint32_t>(take_digits(rest).size());
}

void append_decimal(std::int64_t units, std::uint32_t decimals, std::string& out) {
  if (units < 0) {
    out.push_back('-');
    units = -units;
  }
  std::int64_t unit = 1;
  for (std::uint32_t i = 0; i < decimals; ++i) unit *= 10;
  append_padded(units / unit, 1, out);
  if (decimals == 0) return;
  out.push_back('.');
  append_padded(units % unit, decimals, out);
}

}  // namespace paravent::proxy::generalise
