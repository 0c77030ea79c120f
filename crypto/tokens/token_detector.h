// Finds our own tokens in free text: a submitted value that already is one, a mail that quotes
// some.
//
// A hit is a text that check_token accepts, standing between word boundaries: before and after a
// short one no ASCII letter, digit or "_"; a long one is a maximal run of base64url characters. The
// text is taken as given: percent or entity encoding is the caller's to undo first.
//
// Linear in the text and allocation-free: it runs over every value that passes the gateway. Pure
// functions.

#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace paravent::crypto {

struct TokenSpan {
  std::size_t offset = 0;
  std::size_t length = 0;
};

// The first token that begins at `from` or later; boundaries are judged in the whole text.
std::optional<TokenSpan> next_token(std::string_view text, std::size_t from = 0) noexcept;

inline bool contains_token(std::string_view text) noexcept { return next_token(text).has_value(); }

// Whether any token could begin in the text at all: "pv" in any case. Far cheaper than looking.
bool may_contain_token(std::string_view text) noexcept;

// callback(offset, length) for each token, left to right; tokens never overlap.
template <typename Callback>
void find_tokens(std::string_view text, Callback&& callback) {
  for (auto hit = next_token(text); hit; hit = next_token(text, hit->offset + hit->length)) {
    callback(hit->offset, hit->length);
  }
}

}  // namespace paravent::crypto
