// Coordinates in decimal degrees (WGS 84): "latitude,longitude", or one of them alone. At most
// seven decimals (a centimetre; what lies beyond is noise of floating-point numbers and is rounded
// away), no trailing zeros, no "-0", and 180 for -180. Degrees, minutes and seconds are refused:
// too many ways to write them. The comma separates; there is no decimal comma.

#include <cstdint>
#include <optional>

#include "crypto/tokens/ascii.h"
#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/written_text.h"

namespace paravent::crypto {
namespace {

constexpr int kDecimals = 7;
constexpr std::int64_t kUnit = 10'000'000;  // of the last decimal, in one degree
constexpr std::int64_t kMaxLatitude = 90 * kUnit;
constexpr std::int64_t kMaxLongitude = 180 * kUnit;

// Degrees before the point; npos-free: digits, at most `limit` once leading zeros are gone.
std::optional<std::int64_t> whole_degrees(std::string_view digits) noexcept {
  if (digits.empty() || !all_digits(digits)) return std::nullopt;
  std::int64_t degrees = 0;
  for (const char c : digits) {
    degrees = degrees * 10 + (c - '0');
    if (degrees > 180) return std::nullopt;
  }
  return degrees;
}

// [+-] digits [. digits], in units and within +-`most`.
std::optional<std::int64_t> read_degrees(std::string_view text, std::int64_t most) noexcept {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  const auto degrees = whole_degrees(text.substr(0, point));
  if (!degrees) return std::nullopt;
  std::int64_t units = *degrees * kUnit;
  bool up = false;
  bool more = false;
  if (point != std::string_view::npos) {
    const std::string_view decimals = text.substr(point + 1);
    if (decimals.empty() || !all_digits(decimals)) return std::nullopt;
    std::int64_t scale = kUnit / 10;
    for (std::size_t i = 0; i < decimals.size(); ++i, scale /= 10) {
      units += (decimals[i] - '0') * scale;
      if (scale == 0) more = more || decimals[i] != '0';
    }
    up = decimals.size() > kDecimals && decimals[kDecimals] >= '5';
  }
  if (units > most || (units == most && more)) return std::nullopt;
  units += up ? 1 : 0;
  return negative && units != kMaxLongitude ? -units : units;
}

void append_degrees(std::int64_t units, std::string& out) {
  if (units < 0) {
    out.push_back('-');
    units = -units;
  }
  const auto digits = [&out](std::int64_t value, std::int64_t scale) {
    for (; scale > 0; scale /= 10) out.push_back(static_cast<char>('0' + value / scale % 10));
  };
  const std::int64_t degrees = units / kUnit;
  digits(degrees, degrees >= 100 ? 100 : degrees >= 10 ? 10 : 1);
  if (units % kUnit == 0) return;
  out.push_back('.');
  digits(units % kUnit, kUnit / 10);
  while (out.back() == '0') out.pop_back();
}

std::string_view without_spaces(std::string_view text) noexcept {
  if (text.starts_with(' ')) text.remove_prefix(1);
  if (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// RFC 5870, without altitude and parameters.
bool take_geo_scheme(std::string_view& text) noexcept {
  constexpr std::string_view kScheme = "geo:";
  if (text.size() < kScheme.size()) return false;
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    if (to_lower(text[i]) != kScheme[i]) return false;
  }
  text.remove_prefix(kScheme.size());
  return true;
}

}  // namespace

Status normalise_gps(std::string_view value, std::string& out) {
  WrittenText written;
  if (!written.read(value)) return Error(ErrorKind::malformed);
  std::string_view text = written.text();
  const bool geo = take_geo_scheme(text);
  std::size_t cut = text.find(',');
  if (cut == std::string_view::npos && !geo) cut = text.find(' ');
  if (cut == std::string_view::npos) {
    // Which axis it is on is not known here.
    const auto alone = geo ? std::nullopt : read_degrees(text, kMaxLongitude);
    if (!alone) return Error(ErrorKind::malformed);
    append_degrees(*alone, out);
    return {};
  }
  const auto latitude = read_degrees(without_spaces(text.substr(0, cut)), kMaxLatitude);
  const auto longitude = read_degrees(without_spaces(text.substr(cut + 1)), kMaxLongitude);
  if (!latitude || !longitude) return Error(ErrorKind::malformed);
  append_degrees(*latitude, out);
  out.push_back(',');
  append_degrees(*longitude, out);
  return {};
}

}  // namespace paravent::crypto
