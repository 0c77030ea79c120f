// append_all: several pieces at the end of a text, which grows once for all of them. A head is made
// of some forty pieces, most of them literals of a few bytes: a call each costs more than the
// bytes. Pure; `out` keeps its capacity.

#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace paravent::proxy {

// The pieces must not lie in `out`.
template <typename... Pieces>
inline void append_all(std::string& out, const Pieces&... pieces) {
  const std::size_t begin = out.size();
  out.resize(begin + (std::string_view(pieces).size() + ...));
  char* to = out.data() + begin;
  const auto put = [&to](std::string_view piece) {
    std::char_traits<char>::copy(to, piece.data(), piece.size());  // an empty one may be null
    to += piece.size();
  };
  (put(std::string_view(pieces)), ...);
}

// A number in decimal digits, as a piece.
class Digits {
 public:
  explicit Digits(std::uint64_t number) noexcept
      : end_(std::to_chars(digits_.data(), digits_.data() + digits_.size(), number).ptr) {}
  Digits(const Digits&) = delete;
  Digits& operator=(const Digits&) = delete;

  operator std::string_view() const noexcept {  // NOLINT(google-explicit-constructor)
    return {digits_.data(), static_cast<std::size_t>(end_ - digits_.data())};
  }

 private:
  std::array<char, 20> digits_;
  const char* end_;
};

}  // namespace paravent::proxy
