#include "proxy/body/header_value.h"

#include <array>

namespace paravent::proxy::body {
namespace {

constexpr std::array<bool, 256> make_token_chars() {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "abcdefghijklmnopqrstuvwxyz")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}
constexpr auto kTokenChar = make_token_chars();

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

std::string_view skip_space(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

}  // namespace

bool is_token_char(char c) noexcept { return kTokenChar[static_cast<unsigned char>(c)]; }

std::string_view leading_token(std::string_view text) noexcept {
  std::size_t size = 0;
  while (size < text.size() && is_token_char(text[size])) ++size;
  return text.substr(0, size);
}

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

ParameterReader::Step ParameterReader::next(Parameter& out) {
  if (rest_.empty()) return Step::end;
  rest_ = skip_space(rest_);
  if (rest_.empty() || rest_.front() != ';') return Step::malformed;
  rest_ = skip_space(rest_.substr(1));
  if (rest_.empty() || rest_.front() == ';') return Step::empty;
  out = Parameter{};
  out.name = leading_token(rest_);
  rest_.remove_prefix(out.name.size());
  if (out.name.empty() || rest_.empty() || rest_.front() != '=') return Step::malformed;
  rest_.remove_prefix(1);
  for (std::size_t i = 0; i < count_; ++i) {
    if (equals_ignoring_case(names_[i], out.name)) return Step::malformed;
  }
  if (count_ == kMost) return Step::malformed;
  names_[count_++] = out.name;
  if (!rest_.empty() && rest_.front() == '"') {
    return read_quoted(out) ? Step::parameter : Step::malformed;
  }
  out.value = leading_token(rest_);
  rest_.remove_prefix(out.value.size());
  return out.value.empty() ? Step::malformed : Step::parameter;
}

bool ParameterReader::read_quoted(Parameter& out) {
  out.quoted = true;
  rest_.remove_prefix(1);
  for (std::size_t i = 0; i < rest_.size(); ++i) {
    const auto byte = static_cast<unsigned char>(rest_[i]);
    if (byte < 0x20U || byte == 0x7FU) return false;
    if (rest_[i] == '\\') out.has_backslash = true;
    if (rest_[i] != '"') continue;
    // Some parsers end the text at this quote, others unescape it: there is no safe reading.
    if (i > 0 && rest_[i - 1] == '\\') return false;
    out.value = rest_.substr(0, i);
    rest_.remove_prefix(i + 1);
    return true;
  }
  return false;
}

}  // namespace paravent::proxy::body
