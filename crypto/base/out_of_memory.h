// Memory that runs out is the one exception there is on the data path: it can come from any line,
// so it is caught where one request, one event or one turn of a thread can be given up whole, and
// nowhere else. What changes durable state is never given up in the midst: it asks first whether
// there is memory, and ends the process where it runs out all the same
// (docs/decisions/0072-an-allocation-that-fails.md).

#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <new>
#include <utility>

namespace paravent::crypto {

// Runs `work`. False: memory ran out in the midst of it.
template <typename Work>
bool with_memory(Work&& work) {
  try {
    std::forward<Work>(work)();
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

// Whether so many bytes are to be had at this moment. They are given back. Asked for in pieces,
// since an allocator keeps what it has once got for a large one apart from what small ones get.
inline bool has_memory_for(std::size_t bytes) noexcept {
  constexpr std::size_t kPiece = std::size_t{2} << 20U;
  std::array<void* volatile, 64> pieces{};  // volatile: not to be optimised away
  const std::size_t piece = std::max(kPiece, bytes / pieces.size() + 1);
  std::size_t count = 0;
  bool has_all = true;
  for (std::size_t had = 0; had < bytes && has_all; had += piece) {
    pieces[count] = ::operator new(std::min(piece, bytes - had), std::nothrow);
    has_all = pieces[count++] != nullptr;
  }
  while (count > 0) ::operator delete(pieces[--count], std::nothrow);
  return has_all;
}

// Room for one more in each, so that push_back() asks for no memory and cannot fail. Grows as
// push_back() would.
template <typename... Vectors>
void reserve_one_more(Vectors&... vectors) {
  const auto grow = [](auto& vector) {
    if (vector.size() == vector.capacity())
      vector.reserve(vector.size() < 8 ? 16 : 2 * vector.size());
  };
  (grow(vectors), ...);
}

}  // namespace paravent::crypto
