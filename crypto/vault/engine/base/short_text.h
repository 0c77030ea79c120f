// ShortText: bytes that mostly are few. Up to kInside of them lie in the object itself, so that
// whoever reads hundreds at once asks for no memory; longer ones elsewhere. A value type, owned by
// one thread.

#pragma once

#include <array>
#include <cstring>
#include <string>
#include <string_view>

namespace paravent::crypto::vault {

class ShortText {
 public:
  static constexpr std::size_t kInside = 88;  // the facts of a row of up to three purposes

  ShortText() noexcept {}  // what is inside is not read before it was written
  explicit ShortText(std::string_view text) { assign(text); }
  ShortText(const ShortText& other) { assign(other.view()); }
  ShortText& operator=(const ShortText& other) {
    assign(other.view());
    return *this;
  }
  ~ShortText() = default;

  void assign(std::string_view text) {
    if (text.size() > kInside) {
      more_.assign(text);
    } else if (!text.empty()) {
      std::memmove(inside_.data(), text.data(), text.size());
    }
    size_ = text.size();
  }

  std::string_view view() const noexcept {
    return size_ > kInside ? std::string_view(more_) : std::string_view(inside_.data(), size_);
  }
  operator std::string_view() const noexcept { return view(); }  // NOLINT: it is one

  friend bool operator==(const ShortText& a, std::string_view b) noexcept { return a.view() == b; }

 private:
  std::size_t size_ = 0;
  std::array<char, kInside> inside_;
  std::string more_;
};

}  // namespace paravent::crypto::vault
