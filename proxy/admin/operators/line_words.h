// How the text files of the operators' folder are read: a line at a time, a word at a time, each
// value in its one accepted spelling. No allocation but for lists; one thread.

#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "crypto/base/clock.h"
#include "crypto/base/encoding.h"

namespace paravent::proxy::admin {

inline constexpr std::uint64_t kMostMilliseconds = 253'402'300'799'999;  // the end of the year 9999

// The next piece of `text` up to `end`, which is consumed; nullopt when `end` is missing.
inline std::optional<std::string_view> take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view piece = text.substr(0, at);
  text.remove_prefix(at + 1);
  return piece;
}

// The words of one line, parted by one blank each; every number and time in its one spelling. Once
// something was missing or wrong, good() stays false.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}

  std::string_view word() {
    if (done_) return fail();
    const std::size_t at = rest_.find(' ');
    const std::string_view piece = rest_.substr(0, at);
    done_ = at == std::string_view::npos;
    rest_.remove_prefix(done_ ? rest_.size() : at + 1);
    return piece.empty() ? fail() : piece;
  }

  std::uint64_t number(std::uint64_t most) {
    const std::string_view digits = word();
    std::uint64_t value = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    const bool canonical = digits.size() == 1 || !digits.starts_with('0');
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size() || !canonical ||
        value > most) {
      fail();
    }
    return value;
  }

  crypto::WallTime time() {
    return crypto::WallTime(std::chrono::milliseconds(number(kMostMilliseconds)));
  }

  std::optional<crypto::WallTime> time_or_none() {
    if (rest_ == "-" || rest_.starts_with("- ")) {
      word();
      return std::nullopt;
    }
    return time();
  }

  template <std::size_t kSize>
  void bytes(std::array<std::uint8_t, kSize>& out) {
    const auto read = crypto::from_hex(word());
    if (!read || read->size() != kSize) {
      fail();
      return;
    }
    std::copy(read->begin(), read->end(), out.begin());
  }

  std::vector<std::string> list(std::size_t most) {
    std::string_view text = word();
    std::vector<std::string> words;
    if (text == "-") return words;
    while (good_) {
      const std::size_t comma = text.find(',');
      words.emplace_back(text.substr(0, comma));
      if (words.back().empty() || words.back() == "-" || words.size() > most) fail();
      if (comma == std::string_view::npos) break;
      text.remove_prefix(comma + 1);
    }
    return words;
  }

  // Whether everything was there, and nothing more.
  bool end() const { return good_ && done_; }
  void refuse() { fail(); }

 private:
  std::string_view fail() {
    good_ = false;
    return {};
  }

  std::string_view rest_;
  bool done_ = false;
  bool good_ = true;
};

}  // namespace paravent::proxy::admin
