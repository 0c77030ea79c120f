#include "proxy/pipeline/generalise/department.h"

#include <algorithm>
#include <array>

#include "proxy/pipeline/generalise/scan.h"

namespace paravent::proxy {
namespace {

using crypto::Error;
using crypto::ErrorKind;

// Monaco (980) is none, but shares the scheme.
constexpr std::array<std::string_view, 13> kOverseas = {
    "971", "972", "973", "974", "975", "976", "977", "978", "980", "984", "986", "987", "988"};

bool is_overseas(std::string_view code) {
  return std::find(kOverseas.begin(), kOverseas.end(), code) != kOverseas.end();
}

bool is_mainland(std::string_view code) {
  const auto number = generalise::whole_number(code);
  return code.size() == 2 && number && *number >= 1 && *number <= 95 && *number != 20;
}

bool is_department(std::string_view code) {
  return is_mainland(code) || is_overseas(code) || code == "2A" || code == "2B";
}

// The five digits, or what else of so many characters stands there; empty when there are more.
std::string_view compact(std::string_view text, std::array<char, 5>& buffer) {
  std::size_t size = 0;
  for (const char c : text) {
    if (c == ' ') continue;
    if (size == buffer.size()) return {};
    buffer[size++] = c;
  }
  return {buffer.data(), size};
}

std::string_view department_of_digits(std::string_view postcode) {
  if (postcode.size() != 5 || !generalise::whole_number(postcode)) return {};
  if (postcode.starts_with("200") || postcode.starts_with("201")) return "2A";
  if (postcode.starts_with("20")) return postcode[2] <= '6' ? "2B" : std::string_view();
  const std::string_view three = postcode.substr(0, 3);
  if (is_overseas(three)) return three;
  const std::string_view two = postcode.substr(0, 2);
  return is_mainland(two) ? two : std::string_view();
}

}  // namespace

crypto::Status department_of(std::string_view postcode, std::string& out) {
  postcode = generalise::trimmed(postcode);
  if (is_department(postcode)) {
    out.append(postcode);
    return {};
  }
  for (const std::string_view country : {"FR-", "F-"}) {
    if (postcode.starts_with(country)) {
      postcode.remove_prefix(country.size());
      break;
    }
  }
  std::array<char, 5> buffer{};
  const std::string_view department = department_of_digits(compact(postcode, buffer));
  if (department.empty()) return Error(ErrorKind::malformed);
  out.append(department);
  return {};
}

}  // namespace paravent::proxy
