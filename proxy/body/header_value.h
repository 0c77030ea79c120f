// The grammar that Content-Type and Content-Disposition share (RFC 9110 5.6): tokens and
// parameters.
//
// Borrowed views; nothing is unescaped. Stricter than the RFC in what parsers are known to disagree
// about: a backslash in front of a quote, controls (tab too) inside quotes, more than 16
// parameters.

#pragma once

#include <cstddef>
#include <string_view>

namespace paravent::proxy::body {

bool is_token_char(char c) noexcept;

// The token at the start of `text`, possibly empty.
std::string_view leading_token(std::string_view text) noexcept;

bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;  // ASCII letters

struct Parameter {
  std::string_view name;
  std::string_view value;  // without its quotes
  bool quoted = false;
  bool has_backslash = false;  // only inside quotes
};

// Reads `*( OWS ";" OWS [ parameter ] )` to the end of the text.
class ParameterReader {
 public:
  enum class Step : unsigned char { parameter, empty, end, malformed };

  explicit ParameterReader(std::string_view text) noexcept : rest_(text) {}

  // Fills `out` when it answers `parameter`. A repeated name (in any case) is malformed.
  Step next(Parameter& out);

 private:
  static constexpr std::size_t kMost = 16;

  bool read_quoted(Parameter& out);

  std::string_view rest_;
  std::string_view names_[kMost];
  std::size_t count_ = 0;
};

}  // namespace paravent::proxy::body
