// ArrivingBytes: an input that arrives piece by piece. What has not arrived yet must not be looked
// at: under the address sanitizer it is poisoned, so that a read beyond the piece is reported.

#pragma once

#include <cstddef>
#include <span>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif
#endif
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(address, size) static_cast<void>(address)
#define ASAN_UNPOISON_MEMORY_REGION(address, size) static_cast<void>(address)
#endif

namespace paravent::test {

class ArrivingBytes {
 public:
  explicit ArrivingBytes(std::span<const char> bytes) : bytes_(bytes.begin(), bytes.end()) {}
  ~ArrivingBytes() { all(); }
  ArrivingBytes(const ArrivingBytes&) = delete;
  ArrivingBytes& operator=(const ArrivingBytes&) = delete;

  // So many have arrived, until it is asked again.
  std::span<char> first(std::size_t count) {
    all();
    ASAN_POISON_MEMORY_REGION(bytes_.data() + count, bytes_.size() - count);
    return std::span<char>(bytes_).first(count);
  }
  std::span<char> all() {
    ASAN_UNPOISON_MEMORY_REGION(bytes_.data(), bytes_.size());
    return bytes_;
  }
  std::size_t size() const noexcept { return bytes_.size(); }

 private:
  std::vector<char> bytes_;
};

}  // namespace paravent::test
