#include "proxy/body/exif_orientation.h"

#include <algorithm>
#include <cstring>

namespace paravent::proxy::body {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kExif = "Exif\0\0"sv;
constexpr std::size_t kTiffBytes = 8;  // of the head of a TIFF structure (TIFF 6.0, 2)
constexpr std::uint16_t kOrientationTag = 0x0112;
constexpr std::uint16_t kShort = 3;
constexpr std::size_t kEntryBytes = 12;

}  // namespace

std::uint32_t ExifOrientation::number(std::size_t at, std::size_t size) const noexcept {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t from = at + (little_ ? size - 1 - i : i);
    value = value << 8U | static_cast<unsigned char>(held_[from]);
  }
  return value;
}

void ExifOrientation::want(State state, std::size_t bytes) noexcept {
  state_ = state;
  wanted_ = bytes;
  size_ = 0;
}

void ExifOrientation::feed(std::string_view bytes) noexcept {
  while (!bytes.empty() && state_ != State::over) {
    const std::size_t part = std::min(bytes.size(), wanted_ - size_);
    if (state_ != State::gap) std::memcpy(held_.data() + size_, bytes.data(), part);
    size_ += part;
    bytes.remove_prefix(part);
    if (size_ == wanted_) take();
  }
}

// held_, or the gap, is complete.
void ExifOrientation::take() noexcept {
  switch (state_) {
    case State::head: {
      const std::string_view head(held_.data(), size_);
      const std::string_view tiff = head.substr(kExif.size());
      little_ = tiff.starts_with("II"sv);
      const bool known = head.starts_with(kExif) && (little_ || tiff.starts_with("MM"sv)) &&
                         number(kExif.size() + 2, 2) == 42;
      const std::size_t directory = number(kExif.size() + 4, 4);
      if (!known || directory < kTiffBytes) return want(State::over, 1);
      if (directory == kTiffBytes) return want(State::count, 2);
      return want(State::gap, directory - kTiffBytes);
    }
    case State::gap:
      return want(State::count, 2);
    case State::count:
      entries_ = number(0, 2);
      return entries_ == 0 ? want(State::over, 1) : want(State::entry, kEntryBytes);
    case State::entry: {
      if (number(0, 2) == kOrientationTag && number(2, 2) == kShort) {
        const std::uint32_t value = number(8, 2);
        if (value >= 2 && value <= 8) value_ = static_cast<std::uint8_t>(value);
        return want(State::over, 1);
      }
      return --entries_ == 0 ? want(State::over, 1) : want(State::entry, kEntryBytes);
    }
    case State::over:
      return;
  }
}

std::uint8_t exif_orientation(std::string_view payload) noexcept {
  ExifOrientation block;
  block.feed(payload);
  return block.value();
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
