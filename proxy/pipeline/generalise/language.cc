#include "proxy/pipeline/generalise/language.h"

#include <algorithm>
#include <optional>

#include "proxy/pipeline/generalise/scan.h"

namespace paravent::proxy {
namespace {

using crypto::Error;
using crypto::ErrorKind;
using generalise::is_digit;
using generalise::is_letter;

constexpr int kWhole = 1000;  // weights are in thousandths

// "q=0.8", without blanks around it.
std::optional<int> weight_of(std::string_view text) {
  if (text.size() < 3 || generalise::lower(text[0]) != 'q' || text[1] != '=') return std::nullopt;
  text.remove_prefix(2);
  if (text[0] != '0' && text[0] != '1') return std::nullopt;
  int weight = text[0] == '1' ? kWhole : 0;
  text.remove_prefix(1);
  if (text.empty()) return weight;
  if (text[0] != '.' || text.size() > 4) return std::nullopt;
  int unit = kWhole / 10;
  for (const char c : text.substr(1)) {
    if (!is_digit(c)) return std::nullopt;
    weight += (c - '0') * unit;
    unit /= 10;
  }
  return weight > kWhole ? std::nullopt : std::optional<int>(weight);
}

// Subtags of one to eight letters and digits; the first one of letters only, or the whole is "*".
bool is_range(std::string_view tag) {
  if (tag == "*") return true;
  std::size_t length = 0;
  bool first = true;
  for (const char c : tag) {
    if (c == '-' || c == '_') {
      if (length == 0) return false;
      length = 0;
      first = false;
      continue;
    }
    if (!is_letter(c) && (first || !is_digit(c))) return false;
    if (++length > 8) return false;
  }
  return length > 0;
}

// The primary subtag, or nothing where it names no language (ISO 639 has two or three letters).
std::string_view primary(std::string_view tag) {
  const std::string_view subtag = tag.substr(0, tag.find_first_of("-_"));
  return subtag.size() == 2 || subtag.size() == 3 ? subtag : std::string_view();
}

}  // namespace

crypto::Status main_language(std::string_view text, std::string& out) {
  std::string_view best;
  int best_weight = 0;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    more = comma != std::string_view::npos;
    const std::string_view element = generalise::trimmed(text.substr(0, comma));
    if (more) text.remove_prefix(comma + 1);
    if (element.empty()) {
      // RFC 9110 5.6.1 has readers bear empty elements.
      continue;
    }
    const std::size_t semicolon = element.find(';');
    const std::string_view tag = generalise::trimmed(element.substr(0, semicolon));
    std::optional<int> weight = kWhole;
    if (semicolon != std::string_view::npos) {
      weight = weight_of(generalise::trimmed(element.substr(semicolon + 1)));
    }
    if (!weight || !is_range(tag)) return Error(ErrorKind::malformed);
    const std::string_view language = primary(tag);
    if (language.empty() || *weight <= best_weight) continue;
    best = language;
    best_weight = *weight;
  }
  if (best.empty()) return Error(ErrorKind::malformed);
  for (const char c : best) out.push_back(generalise::lower(c));
  return {};
}

}  // namespace paravent::proxy
