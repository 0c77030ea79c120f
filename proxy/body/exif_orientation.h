// The orientation of an Exif block (Exif 2.3, 4.6.4 A): without it a picture taken with a turned
// camera would lie on its side. Pure functions on bytes.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace paravent::proxy::body {

// Of a segment's payload that begins with "Exif\0\0": 2 to 8; 0 where there is none, where it is 1
// (upright), and where the block cannot be read.
std::uint8_t exif_orientation(std::string_view payload) noexcept;

// A whole APP1 segment, marker included, that says nothing else.
void append_orientation_segment(std::uint8_t orientation, std::string& out);

}  // namespace paravent::proxy::body
