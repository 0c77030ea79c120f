// French social security numbers (NIR, INSEE): thirteen characters and a key of two digits, without
// separators. The key is added where it was left out, so that both spellings are equal.
//
//   sex 1 | year 2 | month 2 | department 2 | commune or country 3 | order 3 | key 2

#include <array>

#include "crypto/tokens/ascii.h"
#include "crypto/tokens/mod97.h"
#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/written_text.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kBodySize = 13;
constexpr std::size_t kFullSize = 15;
constexpr std::size_t kDepartment = 5;  // index

unsigned two_digits(std::string_view text, std::size_t at) noexcept {
  return static_cast<unsigned>(text[at] - '0') * 10U + static_cast<unsigned>(text[at + 1] - '0');
}

// 20, 30 to 42 and 50 and above stand for births whose month no record tells.
bool month_valid(unsigned month) noexcept {
  return (month >= 1 && month <= 12) || month == 20 || (month >= 30 && month <= 42) || month >= 50;
}

bool body_valid(std::string_view body) noexcept {
  // 1 and 2; 3 and 4 while a registration is under way; 7 and 8 for the time of a stay.
  if (std::string_view("123478").find(body.front()) == std::string_view::npos) return false;
  const std::string_view department = body.substr(kDepartment, 2);
  const bool corsica = department == "2A" || department == "2B";
  if (!all_digits(body.substr(0, kDepartment)) || !all_digits(body.substr(kDepartment + 2)) ||
      (!corsica && !all_digits(department))) {
    return false;
  }
  return month_valid(two_digits(body, 3)) && department != "00" && body.substr(10) != "000";
}

// The two halves of Corsica count as 19 and 18: what the number 20 was less 1 and 2.
unsigned key_of(std::string_view body) noexcept {
  std::string_view department = body.substr(kDepartment, 2);
  if (department == "2A") department = "19";
  if (department == "2B") department = "18";
  unsigned rest = mod97(body.substr(0, kDepartment));
  rest = mod97(department, rest);
  return 97U - mod97(body.substr(kDepartment + 2), rest);
}

}  // namespace

Status normalise_nir(std::string_view value, std::string& out) {
  WrittenText written;
  if (!written.read_identifier(value)) return Error(ErrorKind::malformed);
  const std::string_view number = written.text();
  if (number.size() != kBodySize && number.size() != kFullSize) return Error(ErrorKind::malformed);
  const std::string_view body = number.substr(0, kBodySize);
  if (!body_valid(body)) return Error(ErrorKind::malformed);
  const unsigned key = key_of(body);
  const std::array<char, 2> digits = {static_cast<char>('0' + key / 10),
                                      static_cast<char>('0' + key % 10)};
  const std::string_view right(digits.data(), digits.size());
  if (number.size() == kFullSize && number.substr(kBodySize) != right) {
    return Error(ErrorKind::malformed);
  }
  out.append(body).append(right);
  return {};
}

}  // namespace paravent::crypto
