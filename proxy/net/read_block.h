// ReadBlock: the memory of one head under way, a read buffer and the array of its header lines; and
// the worker's pool of them. A connection borrows a block while it has bytes to hold and owns none
// while idle; up to 64 of those whose bytes were told of together borrow one at the same time.

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "proxy/net/undumped_bytes.h"
#include "proxy/pipeline/http_head.h"

namespace paravent::proxy::net {

class ReadBlock {
 public:
  ReadBlock(std::size_t bytes, std::size_t lines)
      : size_(bytes),
        line_count_(lines),
        bytes_(bytes),
        lines_(std::make_unique<HeaderLine[]>(lines)) {}

  std::span<char> bytes() noexcept { return {bytes_.data(), size_}; }
  std::span<HeaderLine> lines() noexcept { return {lines_.get(), line_count_}; }

 private:
  std::size_t size_;
  std::size_t line_count_;
  UndumpedBytes bytes_;
  std::unique_ptr<HeaderLine[]> lines_;
};

// One thread. Keeps a bounded number of blocks of the usual size; others are freed when given back.
class ReadBlockPool {
 public:
  // Room behind the largest head for the chunks of its body to be read into.
  static constexpr std::size_t kHeadroom = 1024;
  static constexpr std::size_t kUsualBytes = std::size_t{16} * 1024 + kHeadroom;
  static constexpr std::size_t kUsualLines = 128;

  // At least as large as asked for.
  std::unique_ptr<ReadBlock> take(std::size_t bytes, std::size_t lines) {
    if (bytes <= kUsualBytes && lines <= kUsualLines) {
      if (!free_.empty()) {
        auto block = std::move(free_.back());
        free_.pop_back();
        return block;
      }
      return std::make_unique<ReadBlock>(kUsualBytes, kUsualLines);
    }
    return std::make_unique<ReadBlock>(bytes, lines);
  }

  void give(std::unique_ptr<ReadBlock> block) {
    if (block && block->bytes().size() == kUsualBytes && block->lines().size() == kUsualLines &&
        free_.size() < kMostFree) {
      free_.push_back(std::move(block));
    }
  }

  // Frees what is only kept for speed.
  void shrink() noexcept { free_.clear(); }

 private:
  static constexpr std::size_t kMostFree = 1024;  // 16 MiB a worker
  std::vector<std::unique_ptr<ReadBlock>> free_;
};

}  // namespace paravent::proxy::net
