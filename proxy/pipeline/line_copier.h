// LineCopier: header lines that pass as they came. Lines that lie behind each other in one buffer,
// in the spelling `Name: value CRLF`, are copied as one run of bytes; any other line is written in
// that spelling.
//
// On the stack of whoever writes a head; `out` outlives it. Call flush() before anything else is
// appended to `out` and at the end.

#pragma once

#include <cstring>
#include <string>

#include "proxy/pipeline/append_all.h"
#include "proxy/pipeline/http_head.h"

namespace paravent::proxy {

class LineCopier {
 public:
  explicit LineCopier(std::string& out) noexcept : out_(out) {}
  LineCopier(const LineCopier&) = delete;
  LineCopier& operator=(const LineCopier&) = delete;

  void copy(const HeaderLine& line) {
    if (!plainly_spelt(line)) {
      flush();
      append_all(out_, line.name, ": ", line.value, "\r\n");
      return;
    }
    if (!continues(line)) {
      flush();
      begin_ = line.name.data();
    }
    end_ = line.value.data() + line.value.size();
  }

  void flush() {
    if (begin_ == nullptr) return;
    append_all(out_, std::string_view(begin_, static_cast<std::size_t>(end_ - begin_)), "\r\n");
    begin_ = nullptr;
  }

 private:
  // The two bytes between two views that lie two bytes apart belong to the text that both were cut
  // from, so they may be read.
  static bool apart_by(const char* left_end, const char* right, const char* between) noexcept {
    return right == left_end + 2 && std::memcmp(left_end, between, 2) == 0;
  }
  static bool plainly_spelt(const HeaderLine& line) noexcept {
    return !line.value.empty() &&
           apart_by(line.name.data() + line.name.size(), line.value.data(), ": ");
  }
  bool continues(const HeaderLine& line) const noexcept {
    return begin_ != nullptr && apart_by(end_, line.name.data(), "\r\n");
  }

  std::string& out_;
  const char* begin_ = nullptr;  // the run, without its last line break
  const char* end_ = nullptr;
};

}  // namespace paravent::proxy
