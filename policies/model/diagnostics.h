// Diagnostics: every problem found in a file that a person wrote, with its place, so that one run
// of `check` shows them all.
//
// Plain values owned by the caller; no thread rules. Positions are 1-based; columns count bytes.
// Texts quote at most 64 bytes of the file, with control characters escaped, so that a hostile file
// cannot forge a line of the terminal or of a log.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace paravent::policies {

struct Position {
  std::uint32_t line = 0;  // 0: the file as a whole
  std::uint32_t column = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

// A value and where it was written.
template <typename T>
struct Located {
  T value{};
  Position at;
};

enum class Severity : std::uint8_t {
  error,    // the file is refused
  warning,  // accepted; probably not what the author wants
  note,     // accepted; what the author should know
};

std::string_view severity_name(Severity severity) noexcept;

struct Diagnostic {
  Severity severity = Severity::error;
  std::string file;
  Position at;
  std::string key;      // dotted path of the key, empty for the file as a whole
  std::string message;  // what is wrong
  std::string hint;     // what to do, may be empty
};

class Diagnostics {
 public:
  explicit Diagnostics(std::string file = {}) : file_(std::move(file)) {}

  void error(Position at, std::string key, std::string message, std::string hint = {});
  void warning(Position at, std::string key, std::string message, std::string hint = {});
  void note(Position at, std::string key, std::string message, std::string hint = {});

  // By place, errors before warnings before notes at the same place; stable.
  void sort();

  bool has_errors() const noexcept;
  std::size_t count(Severity severity) const noexcept;
  const std::vector<Diagnostic>& items() const noexcept { return items_; }
  const std::string& file() const noexcept { return file_; }

 private:
  void add(Severity severity, Position at, std::string key, std::string message, std::string hint);
  std::string file_;
  std::vector<Diagnostic> items_;
};

// "FILE:LINE:COLUMN: error: KEY: MESSAGE. HINT"; one line, without a line feed.
std::string diagnostic_text(const Diagnostic& diagnostic);
// All of them, one a line.
std::string diagnostics_text(const Diagnostics& diagnostics);

// `text` in double quotes, cut and escaped for a message.
std::string in_quotes(std::string_view text);
// For hints: "one of a, b, c".
std::string listed(const std::vector<std::string_view>& words);
// "Did you mean "x"?" for the nearest word, else `otherwise`.
std::string suggestion(std::string_view wrong, const std::vector<std::string_view>& words,
                       std::string otherwise = {});

}  // namespace paravent::policies
