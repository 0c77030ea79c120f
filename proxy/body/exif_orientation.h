// The orientation of an Exif block (Exif 2.3, 4.6.4 A): without it a picture taken with a turned
// camera would lie on its side.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace paravent::proxy::body {

// Reads a block as it comes and holds one entry of its directory, never the block: the directory
// lies behind what says where, and its entries follow each other. One block each; one thread.
class ExifOrientation {
 public:
  void begin() noexcept { *this = ExifOrientation(); }
  // The next bytes of a segment's payload, which begins with "Exif\0\0".
  void feed(std::string_view bytes) noexcept;
  // 2 to 8; 0 where there is none, where it is 1 (upright), and where the block cannot be read.
  std::uint8_t value() const noexcept { return value_; }

 private:
  enum class State : std::uint8_t { head, gap, count, entry, over };

  std::uint32_t number(std::size_t at, std::size_t size) const noexcept;
  void take() noexcept;
  void want(State state, std::size_t bytes) noexcept;

  State state_ = State::head;
  bool little_ = false;
  std::uint8_t value_ = 0;
  std::uint32_t entries_ = 0;
  std::array<char, 14> held_{};  // the longest is the head: "Exif\0\0" and that of TIFF
  std::size_t size_ = 0;
  std::size_t wanted_ = 14;  // bytes of held_, or of the gap that is left
};

// The same of a whole payload.
std::uint8_t exif_orientation(std::string_view payload) noexcept;

// A whole APP1 segment, marker included, that says nothing else.
void append_orientation_segment(std::uint8_t orientation, std::string& out);

}  // namespace paravent::proxy::body
