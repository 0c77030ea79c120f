#include "proxy/body/utf8.h"

#include <cstddef>
#include <cstring>

namespace paravent::proxy::body {
namespace {

unsigned byte_at(const char* p) noexcept { return static_cast<unsigned char>(*p); }

bool continues(const char* p) noexcept { return (byte_at(p) & 0xC0U) == 0x80U; }

}  // namespace

// RFC 3629 section 4, syntax of UTF-8 byte sequences.
const char* utf8_step(const char* p, const char* end) noexcept {
  const unsigned first = byte_at(p);
  const std::ptrdiff_t left = end - p;
  if (first < 0x80U) return p + 1;
  if (first < 0xC2U) return nullptr;
  if (first < 0xE0U) return left >= 2 && continues(p + 1) ? p + 2 : nullptr;
  if (first < 0xF0U) {
    if (left < 3 || !continues(p + 1) || !continues(p + 2)) return nullptr;
    const unsigned second = byte_at(p + 1);
    if (first == 0xE0U && second < 0xA0U) return nullptr;
    if (first == 0xEDU && second > 0x9FU) return nullptr;
    return p + 3;
  }
  if (first > 0xF4U || left < 4) return nullptr;
  if (!continues(p + 1) || !continues(p + 2) || !continues(p + 3)) return nullptr;
  const unsigned second = byte_at(p + 1);
  if (first == 0xF0U && second < 0x90U) return nullptr;
  if (first == 0xF4U && second > 0x8FU) return nullptr;
  return p + 4;
}

bool is_valid_utf8(std::string_view text) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end) {
    if (end - p >= 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, p, sizeof word);
      if ((word & 0x8080808080808080U) == 0) {
        p += 8;
        continue;
      }
    }
    p = utf8_step(p, end);
    if (p == nullptr) return false;
  }
  return true;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80U) {
    put(code_point);
  } else if (code_point < 0x800U) {
    put(0xC0U | (code_point >> 6U));
    put(0x80U | (code_point & 0x3FU));
  } else if (code_point < 0x10000U) {
    put(0xE0U | (code_point >> 12U));
    put(0x80U | ((code_point >> 6U) & 0x3FU));
    put(0x80U | (code_point & 0x3FU));
  } else {
    put(0xF0U | (code_point >> 18U));
    put(0x80U | ((code_point >> 12U) & 0x3FU));
    put(0x80U | ((code_point >> 6U) & 0x3FU));
    put(0x80U | (code_point & 0x3FU));
  }
}

}  // namespace paravent::proxy::body
