#include "crypto/tokens/percent.h"

#include <array>

namespace paravent::crypto {
namespace {

enum CharacterClass : std::uint8_t {
  kUser = 1,
  kPath = 2,
  kQuery = 4,
  kUnreserved = 8,
};

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  const auto add = [&classes](std::string_view characters, unsigned more) {
    for (const char c : characters) {
      auto& entry = classes[static_cast<std::uint8_t>(c)];
      entry = static_cast<std::uint8_t>(entry | more);
    }
  };
  constexpr unsigned kAll = kUser | kPath | kQuery;
  add("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~", kAll | kUnreserved);
  add("!$&'()*+,;=:", kAll);
  add("@", kPath | kQuery);
  add("/?", kQuery);
  return classes;
}

constexpr auto kClasses = make_classes();

constexpr unsigned class_of(UrlPart part) noexcept {
  switch (part) {
    case UrlPart::user:
      return kUser;
    case UrlPart::path:
      return kPath;
    case UrlPart::query:
      return kQuery;
  }
  return 0;
}

// -1: no hexadecimal digit.
int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_escape(std::uint8_t byte, std::string& out) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  out.push_back('%');
  out.push_back(kHex[byte >> 4U]);
  out.push_back(kHex[byte & 15U]);
}

}  // namespace

bool append_escaped(std::string_view text, UrlPart part, std::string& out) {
  const unsigned allowed = class_of(part);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t run = i;
    while (i < text.size() && (kClasses[static_cast<std::uint8_t>(text[i])] & allowed) != 0) ++i;
    out.append(text.substr(run, i - run));
    if (i == text.size()) break;
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if (byte < 0x20U || byte == 0x7FU) return false;
    if (byte == '\\' && part != UrlPart::query) return false;
    const bool room = byte == '%' && text.size() - i > 2;
    const int high = room ? hex_value(text[i + 1]) : -1;
    const int low = room ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      append_escape(byte, out);
      continue;
    }
    const auto escaped = static_cast<std::uint8_t>(high * 16 + low);
    if ((kClasses[escaped] & kUnreserved) != 0) {
      out.push_back(static_cast<char>(escaped));
    } else {
      append_escape(escaped, out);
    }
    i += 2;
  }
  return true;
}

}  // namespace paravent::crypto
