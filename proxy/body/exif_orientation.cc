#include "proxy/body/exif_orientation.h"

#include <cstddef>

namespace paravent::proxy::body {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kExif = "Exif\0\0"sv;
constexpr std::uint16_t kOrientationTag = 0x0112;
constexpr std::uint16_t kShort = 3;
constexpr std::size_t kEntryBytes = 12;

// A TIFF structure (TIFF 6.0, 2); reading past its end gives zeros.
class Tiff {
 public:
  explicit Tiff(std::string_view bytes) noexcept
      : bytes_(bytes), little_(bytes.starts_with("II"sv)) {}

  bool is_tiff() const noexcept {
    return (little_ || bytes_.starts_with("MM"sv)) && number(2, 2) == 42;
  }
  std::uint32_t number(std::size_t at, std::size_t size) const noexcept {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t from = at + (little_ ? size - 1 - i : i);
      const unsigned char byte =
          from < bytes_.size() ? static_cast<unsigned char>(bytes_[from]) : 0U;
      value = (value << 8U) | byte;
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool little_;
};

}  // namespace

std::uint8_t exif_orientation(std::string_view payload) noexcept {
  if (!payload.starts_with(kExif)) return 0;
  const Tiff tiff(payload.substr(kExif.size()));
  if (!tiff.is_tiff()) return 0;
  const std::size_t directory = tiff.number(4, 4);
  const std::uint32_t entries = tiff.number(directory, 2);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::size_t at = directory + 2 + i * kEntryBytes;
    if (at + kEntryBytes > payload.size()) return 0;
    if (tiff.number(at, 2) != kOrientationTag || tiff.number(at + 2, 2) != kShort) continue;
    const std::uint32_t value = tiff.number(at + 8, 2);
    return value >= 2 && value <= 8 ? static_cast<std::uint8_t>(value) : std::uint8_t{0};
  }
  return 0;
}

void append_orientation_segment(std::uint8_t orientation, std::string& out) {
  constexpr std::string_view kBefore =
      "\xFF\xE1\x00\x22"  // APP1, 34 bytes
      "Exif\0\0"          //
      "MM\0*\0\0\0\x08"   // TIFF, most significant byte first, directory at 8
      "\0\x01"            // one entry:
      "\x01\x12\0\x03"    // orientation, a short,
      "\0\0\0\x01\0"sv;   // one, in the first two of four bytes
  out.append(kBefore);
  out.push_back(static_cast<char>(orientation));
  out.append("\0\0\0\0\0\0"sv);  // the other two; no further directory
}

}  // namespace paravent::proxy::body
