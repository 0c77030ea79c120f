#include "crypto/tokens/shape.h"

#include <array>

namespace paravent::crypto {
namespace {

// By number.
constexpr std::array<std::string_view, 11> kNames = {
    "",     "email",        "phone", "digits", "digits.digits", "hex16",
    "uuid", "alphanumeric", "ip",    "ipv4",   "preserve"};

}  // namespace

std::string_view shape_name(Shape shape) noexcept {
  const auto index = static_cast<std::size_t>(shape);
  return index < kNames.size() ? kNames[index] : std::string_view();
}

std::optional<Shape> shape_from_name(std::string_view name) noexcept {
  for (std::size_t i = 1; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<Shape>(i);
  }
  return std::nullopt;
}

}  // namespace paravent::crypto
