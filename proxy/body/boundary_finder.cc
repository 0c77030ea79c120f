#include "proxy/body/boundary_finder.h"

#include <string.h>

#include <algorithm>
#include <cstring>

namespace paravent::proxy::body {
namespace {

constexpr std::size_t kGram = 4;
// With shorter ones the places lie so close that memmem() does as well.
constexpr std::size_t kShortest = 12;
// Suspected places that are forgiven before their share decides.
constexpr std::size_t kFewSuspects = 64;

std::uint32_t gram_at(const char* at) noexcept {
  std::uint32_t gram = 0;
  std::memcpy(&gram, at, kGram);
  return gram;
}

// Fibonacci hashing: the upper bits of a product depend on every byte.
std::size_t slot_of(std::uint32_t gram) noexcept { return (gram * 2654435769U) >> 20U; }

}  // namespace

BoundaryFinder::BoundaryFinder(std::string_view boundary) : boundary_(boundary) {
  if (boundary.size() < kShortest) return;
  stride_ = boundary.size() - kGram + 1;
  for (std::size_t i = 0; i < stride_; ++i) {
    known_[slot_of(gram_at(boundary.data() + i))] = 1;
  }
}

inline std::uint8_t BoundaryFinder::mark_at(const char* at) const noexcept {
  return known_[slot_of(gram_at(at))];
}

bool BoundaryFinder::is_known(const char* at) const noexcept {
  return boundary_.find(at, 0, kGram) != std::string::npos;
}

std::size_t BoundaryFinder::search(std::string_view text, std::size_t from) const noexcept {
  const void* const hit =
      ::memmem(text.data() + from, text.size() - from, boundary_.data(), boundary_.size());
  if (hit == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(hit) - text.data());
}

std::size_t BoundaryFinder::find(std::string_view text, std::size_t from) const noexcept {
  if (stride_ == 0) return search(text, from);
  const char* const data = text.data();
  // Of a copy that begins in [at + 1 - stride, at], the place `at` holds four bytes.
  std::size_t at = from + stride_ - 1;
  std::size_t suspects = 0;
  for (; at + kGram <= text.size(); at += stride_) {
    // Four at a time: their look-ups do not wait for each other, and one branch decides.
    while (at + 3 * stride_ + kGram <= text.size() &&
           (mark_at(data + at) | mark_at(data + at + stride_) | mark_at(data + at + 2 * stride_) |
            mark_at(data + at + 3 * stride_)) == 0) {
      at += 4 * stride_;
    }
    if (at + kGram > text.size()) break;
    if (mark_at(data + at) == 0) continue;
    const std::size_t first = at + 1 - stride_;
    // Of content that knows nothing of the boundary one place in sixty is suspected.
    if (++suspects > kFewSuspects + (at - from) / stride_ / 8) return search(text, first);
    if (!is_known(data + at)) continue;
    const std::size_t end = std::min(text.size(), at + boundary_.size());
    if (const std::size_t hit = search(text.substr(0, end), first); hit != std::string_view::npos) {
      return hit;
    }
  }
  return std::string_view::npos;
}

}  // namespace paravent::proxy::body
