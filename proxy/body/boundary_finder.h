// BoundaryFinder: where a boundary stands in the content of a large file, looking at few of its
// bytes.
//
// Of m bytes in a row, m - 3 places begin four bytes of them; so every copy of the boundary covers
// one of the places that lie m - 3 apart. Four bytes are read at each of those alone, and compared
// further only where a table says that four such bytes are in the boundary. Real boundaries have 24
// to 60 bytes (browsers', curl's), so nineteen bytes of twenty are never looked at, and no
// look-up waits for the one before. Where more than one place in eight is suspected, which only a
// sender with a purpose brings about, memmem() searches on from there, so that the work is linear
// in the content whatever it is.
//
// Memory: 4 KiB. Immutable once built.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace paravent::proxy::body {

class BoundaryFinder {
 public:
  explicit BoundaryFinder(std::string_view boundary);

  // The first place at or behind `from` where the boundary stands in `text`; npos when nowhere.
  std::size_t find(std::string_view text, std::size_t from) const noexcept;

 private:
  std::uint8_t mark_at(const char* at) const noexcept;
  bool is_known(const char* at) const noexcept;
  std::size_t search(std::string_view text, std::size_t from) const noexcept;

  std::string boundary_;
  std::size_t stride_ = 0;  // 0: too short a boundary for this
  // By hash of four bytes: 1 for those of the boundary, and what they are taken for. A byte each:
  // to get at a bit is a third of a look-up.
  std::array<std::uint8_t, 4096> known_{};
};

}  // namespace paravent::proxy::body
