#include "crypto/tokens/domain_name.h"

#include <array>
#include <cstddef>
#include <span>

#include "crypto/tokens/ascii.h"
#include "crypto/tokens/unicode.h"
#include "crypto/tokens/utf8.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kMaxDomain = 253;
constexpr std::size_t kMaxLabel = 63;

constexpr std::array<bool, 256> make_label_characters() {
  std::array<bool, 256> set{};
  for (std::size_t c = 'a'; c <= 'z'; ++c) set[c] = true;
  for (std::size_t c = '0'; c <= '9'; ++c) set[c] = true;
  set['-'] = true;
  set['_'] = true;
  return set;
}

constexpr auto kLabelCharacters = make_label_characters();

bool valid_label(std::string_view label) noexcept {
  if (label.empty() || label.size() > kMaxLabel || label.front() == '-' || label.back() == '-') {
    return false;
  }
  bool all = true;
  for (const char c : label) all = all && kLabelCharacters[static_cast<unsigned char>(c)];
  return all;
}

bool valid_domain(std::string_view domain) noexcept {
  if (domain.size() > kMaxDomain) return false;
  while (true) {
    const std::size_t dot = domain.find('.');
    if (!valid_label(domain.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    domain.remove_prefix(dot + 1);
  }
}

}  // namespace

Status append_domain_name(std::string_view domain, std::string& out) {
  const std::size_t start = out.size();
  if (!is_ascii(domain)) {
    if (Status status = append_ascii_domain(domain, out); !status) return status;
  } else {
    if (domain.size() > kMaxDomain) return Error(ErrorKind::malformed);
    out.append(domain);
    lower(std::span(out).subspan(start));
  }
  if (!valid_domain(std::string_view(out).substr(start))) return Error(ErrorKind::malformed);
  return {};
}

}  // namespace paravent::crypto
