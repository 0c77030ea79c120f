// WrittenText: a short value of digits and letters as somebody typed or pasted it, in ASCII: no
// invisible characters, every white space one U+0020 (runs one, none at the ends), every dash of
// Unicode a "-". What identifiers, dates and coordinates are read from.
//
// Owns its characters in place and wipes them; nothing is allocated. Used by one call.

#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace paravent::crypto {

class WrittenText {
 public:
  static constexpr std::size_t kMaxSize = 64;  // an IBAN in pairs, or two coordinates, with room

  WrittenText() = default;
  WrittenText(const WrittenText&) = delete;
  WrittenText& operator=(const WrittenText&) = delete;
  ~WrittenText();

  // False when the value is no UTF-8, holds a control or any other character outside ASCII, or is
  // too long. Once per object.
  bool read(std::string_view value) noexcept;

  // The same without what people put between the characters of a number (white space, dashes, dots,
  // slashes), in upper case; false also on anything else than ASCII letters and digits.
  bool read_identifier(std::string_view value) noexcept;

  std::string_view text() const noexcept { return {characters_.data(), size_}; }

 private:
  std::array<char, kMaxSize> characters_{};
  std::size_t size_ = 0;
};

}  // namespace paravent::crypto
