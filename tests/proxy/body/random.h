// A small generator with a seed, so that one number reproduces any failure (SplitMix64). The
// standard distributions are not used: they differ between libraries.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace paravent::proxy::body::test {

class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

  // From 0 to bound - 1. REQUIRES: bound > 0.
  std::size_t below(std::size_t bound) noexcept { return static_cast<std::size_t>(next() % bound); }
  bool one_in(std::size_t n) noexcept { return below(n) == 0; }

  template <typename List>
  auto pick(const List& list) noexcept {
    return list[below(std::size(list))];
  }

  std::string bytes(std::size_t most) {
    std::string out(below(most + 1), '\0');
    for (char& c : out) c = static_cast<char>(below(256));
    return out;
  }

  // Valid UTF-8 with everything that some grammar gives a meaning to.
  std::string text(std::size_t most_pieces) {
    static constexpr std::string_view kPieces[] = {"a",    "Zo",      "7",
                                                   " ",    "=",       "&",
                                                   ";",    "%",       "%41",
                                                   "+",    "\"",      "\\",
                                                   "/",    "\n",      "\r",
                                                   "\r\n", "\t",      "--",
                                                   "é",    "日本",    "😀",
                                                   "{",    "}",       "[",
                                                   "]",    ",",       ":",
                                                   "\x01", "\x7f",    "null",
                                                   "'",    "\\u0041", "longer run of plain text",
                                                   ".",    "-",       "_",
                                                   "~"};
    std::string out;
    for (std::size_t i = below(most_pieces + 1); i > 0; --i) out.append(pick(kPieces));
    return out;
  }

 private:
  std::uint64_t state_;
};

}  // namespace paravent::proxy::body::test
