// Tokens in a text that a person has: where they stand, and the same text with values in their
// place. Shared by reidentify and open.

#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace paravent::proxy::main {

inline constexpr std::size_t kMaxTextBytes = 16 * 1024 * 1024;  // of standard input

// A token in a text, with the mail domain where it was given that shape.
struct TokenPlace {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string token;
};

// Left to right, never overlapping.
std::vector<TokenPlace> find_token_places(std::string_view text);

// Words outside of `places` that begin as a token does, or as those of one class ("pvs_"), and go
// on for 16 characters at least: one with a typing error, or the piece of one that a mail program
// broke over two lines. `places`: all of the text.
std::size_t count_damaged_tokens(std::string_view text, const std::vector<TokenPlace>& places,
                                 std::string_view one_class = {});

// One line on standard error, where there are any: whether they ever were tokens nobody can say, so
// it is no failure.
void warn_of_damaged_tokens(std::size_t damaged);

struct ReplacedText {
  std::string text;
  std::size_t kept = 0;  // places without a value, which stand as they were
};

// `value_of` answers a token's value, or nothing. Everything but the tokens stays as it was.
ReplacedText replace_tokens(
    std::string_view text, const std::vector<TokenPlace>& places,
    const std::function<std::optional<std::string>(const TokenPlace&)>& value_of);

}  // namespace paravent::proxy::main
