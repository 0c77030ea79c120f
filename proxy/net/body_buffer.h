// BodyBuffer: a request body that does not fit the read block. Grows with what has really arrived,
// never with what a length announces, and gives large memory back after each exchange. Left out of
// core dumps, and wiped.

#pragma once

#include <string.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include "proxy/net/undumped_bytes.h"

namespace paravent::proxy::net {

class BodyBuffer {
 public:
  std::string_view view() const noexcept { return {data(), size_}; }
  std::size_t size() const noexcept { return size_; }

  // Free room behind the contents, at least one byte; `most` bounds the contents in the end.
  // REQUIRES: size() < most.
  std::span<char> room(std::size_t most) {
    if (size_ == capacity_) grow(std::min(most, std::max(kFirst, capacity_ * 2)));
    return {data() + size_, std::min(capacity_, most) - size_};
  }
  void added(std::size_t bytes) noexcept { size_ += bytes; }

  void append(std::string_view bytes) {
    if (capacity_ - size_ < bytes.size()) {
      grow(std::max({kFirst, capacity_ * 2, size_ + bytes.size()}));
    }
    std::memcpy(data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }

  // Wipes what was there.
  void clear() noexcept {
    wipe();
    size_ = 0;
    if (capacity_ > kKept) {
      bytes_.reset();
      capacity_ = 0;
    }
  }

 private:
  static constexpr std::size_t kFirst = std::size_t{16} * 1024;
  static constexpr std::size_t kKept = std::size_t{64} * 1024;

  void wipe() noexcept {
    if (size_ > 0) ::explicit_bzero(data(), size_);
  }

  void grow(std::size_t capacity) {
    UndumpedBytes larger(capacity);
    if (size_ > 0) std::memcpy(larger.data(), data(), size_);
    wipe();
    bytes_.emplace(std::move(larger));
    capacity_ = capacity;
  }

  char* data() const noexcept { return bytes_ ? bytes_->data() : nullptr; }

  std::optional<UndumpedBytes> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace paravent::proxy::net
