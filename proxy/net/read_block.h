// ReadBlock: the memory of one head under way, a read buffer and the array of its header lines; and
// the worker's pool of them. A connection borrows a block while it has bytes to hold and owns none
// while idle; up to 64 of those whose bytes were told of together borrow one at the same time.

#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "crypto/base/out_of_memory.h"
#include "proxy/net/undumped_bytes.h"
#include "proxy/pipeline/http_head.h"

namespace paravent::proxy::net {

// Bytes and lines lie in one mapping, of which only the pages that are written to take memory: two
// for the short head of a slow client.
class ReadBlock {
 public:
  ReadBlock(std::size_t bytes, std::size_t lines)
      : size_(bytes), line_count_(lines), memory_(lines_at(bytes) + lines * sizeof(HeaderLine)) {}

  std::span<char> bytes() noexcept { return {memory_.data(), size_}; }
  // What stands in a line that nobody wrote is of no meaning.
  std::span<HeaderLine> lines() noexcept {
    return {reinterpret_cast<HeaderLine*>(memory_.data() + lines_at(size_)), line_count_};
  }

 private:
  // Mapped memory is an array of them by itself (implicit-lifetime, C++20 [intro.object]).
  static_assert(std::is_trivially_copyable_v<HeaderLine> &&
                std::is_trivially_destructible_v<HeaderLine>);

  static constexpr std::size_t lines_at(std::size_t bytes) noexcept {
    return (bytes + alignof(HeaderLine) - 1) / alignof(HeaderLine) * alignof(HeaderLine);
  }

  std::size_t size_;
  std::size_t line_count_;
  UndumpedBytes memory_;
};

// One thread. Keeps blocks of the usual size, a bounded number, and those that nobody took for some
// seconds no longer; others are freed when given back. What a crowd of slow clients gives back when
// it is shown out, it takes again within its next seconds: each would cost a mapping and its
// faults.
class ReadBlockPool {
 public:
  // Room behind the largest head for the chunks of its body to be read into.
  static constexpr std::size_t kHeadroom = 1024;
  static constexpr std::size_t kUsualBytes = std::size_t{16} * 1024 + kHeadroom;
  static constexpr std::size_t kUsualLines = 128;

  std::size_t unused() const noexcept { return free_.size(); }

  // At least as large as asked for.
  std::unique_ptr<ReadBlock> take(std::size_t bytes, std::size_t lines) {
    if (bytes <= kUsualBytes && lines <= kUsualLines) {
      if (!free_.empty()) {
        auto block = std::move(free_.back());
        free_.pop_back();
        least_free_ = std::min(least_free_, free_.size());
        return block;
      }
      return std::make_unique<ReadBlock>(kUsualBytes, kUsualLines);
    }
    return std::make_unique<ReadBlock>(bytes, lines);
  }

  void give(std::unique_ptr<ReadBlock> block) {
    if (block && block->bytes().size() == kUsualBytes && block->lines().size() == kUsualLines &&
        free_.size() < kMostFree) {
      crypto::with_memory([&] { free_.push_back(std::move(block)); });  // or it is freed
    }
  }

  // What was not needed since the last call need not be kept: to be called every ten seconds or
  // so, the time after which a slow head ends.
  void end_window() noexcept {
    surplus_ = least_free_;
    least_free_ = free_.size();
  }
  // Frees some of that, for each is an unmapping: to be called with every tick.
  void release_some() noexcept {
    const std::size_t over = free_.size() - std::min(free_.size(), kLeastFree);
    const std::size_t count = std::min({kMostAtOnce, surplus_, over});
    if (count == 0) return;
    surplus_ -= count;
    free_.resize(free_.size() - count);
    least_free_ = std::min(least_free_, free_.size());
  }

  // Frees what is only kept for speed.
  void shrink() noexcept {
    free_.clear();
    least_free_ = surplus_ = 0;
  }

 private:
  static constexpr std::size_t kLeastFree = 64;
  static constexpr std::size_t kMostFree = 8192;
  static constexpr std::size_t kMostAtOnce = 256;
  std::vector<std::unique_ptr<ReadBlock>> free_;
  std::size_t least_free_ = 0;  // since end_window()
  std::size_t surplus_ = 0;     // of which so many may go
};

}  // namespace paravent::proxy::net
