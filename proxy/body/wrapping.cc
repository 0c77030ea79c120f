#include "proxy/body/wrapping.h"

#include <array>

#include "crypto/base/secret_bytes.h"
#include "proxy/body/form.h"

namespace paravent::proxy::body {
namespace {

constexpr std::array<std::string_view, 2> kAlphabets = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};

constexpr std::uint8_t kNone = 0xFF;

constexpr std::array<std::uint8_t, 256> values_of(std::string_view alphabet) {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr std::array<std::array<std::uint8_t, 256>, 2> kValues = {values_of(kAlphabets[0]),
                                                                  values_of(kAlphabets[1])};

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Wipes what was appended since `begin`, and takes it away.
bool give_up(std::string& out, std::size_t begin) {
  crypto::wipe(crypto::MutableBytes(reinterpret_cast<std::uint8_t*>(out.data()) + begin,
                                    out.size() - begin));
  out.resize(begin);
  return false;
}

}  // namespace

bool unwrap_base64(std::string_view text, Base64Alphabet alphabet, bool& padded, std::string& out) {
  const auto& values = kValues[static_cast<std::size_t>(alphabet)];
  const std::size_t begin = out.size();
  std::string_view digits = text;
  while (!digits.empty() && digits.back() == '=' && text.size() - digits.size() < 2) {
    digits.remove_suffix(1);
  }
  const bool has_padding = digits.size() != text.size();
  if (has_padding && text.size() % 4 != 0) return false;
  padded = has_padding || (digits.size() % 4 == 0 && alphabet == Base64Alphabet::standard);
  if (digits.size() % 4 == 1) return false;
  out.reserve(begin + digits.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : digits) {
    const std::uint8_t value = values[static_cast<unsigned char>(c)];
    if (value == kNone) return give_up(out, begin);
    bits = bits << 6U | value;
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<char>(bits >> count & 0xFFU));
  }
  const bool spare_zero = (bits & ((1U << count) - 1)) == 0;
  return spare_zero ? true : give_up(out, begin);
}

void wrap_base64(std::string_view bytes, Base64Alphabet alphabet, bool padded, std::string& out) {
  const std::string_view letters = kAlphabets[static_cast<std::size_t>(alphabet)];
  std::uint32_t bits = 0;
  unsigned count = 0;
  std::size_t written = 0;
  const auto put = [&](std::uint32_t value) {
    out.push_back(letters[value & 63U]);
    ++written;
  };
  for (const char c : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(c);
    count += 8;
    while (count >= 6) {
      count -= 6;
      put(bits >> count);
    }
  }
  if (count > 0) put(bits << (6 - count));
  while (padded && written % 4 != 0) {
    out.push_back('=');
    ++written;
  }
}

bool unwrap_percent(std::string_view text, std::string& out) {
  const std::size_t begin = out.size();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0') return give_up(out, begin);
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0 || high + low == 0) return give_up(out, begin);
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return true;
}

void wrap_percent(std::string_view text, std::string& out) { encode_form_value(text, out); }

}  // namespace paravent::proxy::body
