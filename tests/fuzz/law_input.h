// What the fuzz targets of the codecs share: the input as text, and a seed made from it, so that
// the edits a crash file stands for are the same at every replay.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace paravent::proxy::body::test {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(data), size};
}

// FNV-1a.
inline std::uint64_t seed_of(std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return hash;
}

}  // namespace paravent::proxy::body::test
