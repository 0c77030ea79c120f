// E-mail addresses (RFC 5321, RFC 6531): ASCII letters lowered in the whole address, because no
// provider that matters tells them apart and visitors do not either; a non-ASCII domain in its
// A-label form. Invisible characters, which come along when an address is copied, are removed; only
// in a domain name UTS 46 decides about joiners. Dots and "+tags" of the local part stay: whether
// they matter is the provider's secret.

#include <array>
#include <cstdint>
#include <span>

#include "crypto/tokens/ascii.h"
#include "crypto/tokens/domain_name.h"
#include "crypto/tokens/normaliser.h"
#include "crypto/tokens/normaliser_rules.h"
#include "crypto/tokens/unicode.h"
#include "crypto/tokens/utf8.h"
#include "crypto/tokens/visible_text.h"

namespace paravent::crypto {
namespace {

constexpr std::size_t kMaxLocal = 64;  // RFC 5321 4.5.3.1
constexpr std::size_t kMaxAddress = 254;
constexpr std::size_t kMaxDomainForm = 255;

// What a character of a lowered address may be part of.
enum CharacterClass : std::uint8_t {
  kLocal = 1,  // an unquoted local part: atext of RFC 5322 3.2.3, the dot, all of UTF-8 (RFC 6531)
  kLiteral = 2,  // an address literal
};

constexpr bool lower_or_digit(std::size_t c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

constexpr std::array<std::uint8_t, 256> make_classes() {
  constexpr std::string_view kAtext = "!#$%&'*+-/=?^_`{|}~.";
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if (c >= 0x80U) classes[c] = kLocal;
    if (lower_or_digit(c)) classes[c] = kLocal | kLiteral;
  }
  for (const char c : kAtext) classes[static_cast<std::uint8_t>(c)] |= kLocal;
  for (const char c : std::string_view(".:")) classes[static_cast<std::uint8_t>(c)] |= kLiteral;
  return classes;
}

constexpr auto kClasses = make_classes();

bool all_of_class(std::string_view text, CharacterClass wanted) noexcept {
  std::uint8_t common = 0xFF;
  for (const char c : text) common &= kClasses[static_cast<std::uint8_t>(c)];
  return (common & wanted) != 0;
}

// A quoted local part, without spaces: "..." with backslash pairs.
bool quoted_local(std::string_view local) noexcept {
  if (local.size() < 3 || local.back() != '"') return false;
  bool escaped = false;
  for (const char c : local.substr(1, local.size() - 2)) {
    if (!escaped && c == '"') return false;
    escaped = !escaped && c == '\\';
  }
  return !escaped;
}

bool valid_local(std::string_view local) noexcept {
  if (local.empty() || local.size() > kMaxLocal) return false;
  if (local.front() == '"') return quoted_local(local);
  // Dots at odd places are let through: such addresses exist and receive mail.
  return all_of_class(local, kLocal);
}

bool valid_literal(std::string_view literal) noexcept {
  return literal.size() > 2 && literal.size() <= kMaxAddress && literal.back() == ']' &&
         all_of_class(literal.substr(1, literal.size() - 2), kLiteral);
}

// Where a quoted local part ends, or 0.
std::size_t end_of_quotes(std::string_view address) noexcept {
  if (!address.starts_with('"')) return 0;
  for (std::size_t i = 1; i < address.size(); ++i) {
    if (address[i] == '\\') {
      ++i;
    } else if (address[i] == '"') {
      return i + 1;
    }
  }
  return address.size();
}

// Where the local part ends; npos unless there is exactly one "@" outside quotes.
std::size_t separator(std::string_view address) noexcept {
  const std::size_t at = address.find('@', end_of_quotes(address));
  if (at == std::string_view::npos) return at;
  return address.find('@', at + 1) == std::string_view::npos ? at : std::string_view::npos;
}

bool has_space_or_control(std::string_view text) noexcept {
  std::size_t at = 0;
  while (at < text.size()) {
    const char32_t point = next_code_point(text, at);
    if (point == kInvalidCodePoint || is_white_space(point) || is_control(point)) return true;
  }
  return false;
}

void append_lowered(std::string_view text, std::string& out) {
  const std::size_t start = out.size();
  out.append(text);
  lower(std::span(out).subspan(start));
}

Status append_domain(std::string_view domain, std::string& out) {
  if (!domain.starts_with('[')) return append_domain_name(domain, out);
  const std::size_t start = out.size();
  append_lowered(domain, out);
  if (!valid_literal(std::string_view(out).substr(start))) return Error(ErrorKind::malformed);
  return {};
}

Status append_parts(std::string_view address, std::string& out) {
  const std::size_t at = separator(address);
  if (at == std::string_view::npos) return Error(ErrorKind::malformed);
  const std::size_t start = out.size();
  append_lowered(address.substr(0, at), out);
  if (!valid_local(std::string_view(out).substr(start))) return Error(ErrorKind::malformed);
  out.push_back('@');
  if (Status status = append_domain(address.substr(at + 1), out); !status) return status;
  if (out.size() - start > kMaxAddress) return Error(ErrorKind::malformed);
  return {};
}

// Not plain ASCII. What is left to read is written into `out` and goes again.
Status append_international(std::string_view value, std::string& out) {
  const std::size_t start = out.size();
  const std::size_t at = value.rfind('@');
  if (at == std::string_view::npos) return Error(ErrorKind::malformed);
  if (Status status = append_visible(value.substr(0, at), Joiners::removed, out); !status) {
    return status;
  }
  if (Status status = append_visible(value.substr(at), Joiners::kept, out); !status) return status;
  // Lowered first: "w" and a ring above become one character, "W" and a ring do not.
  lower(std::span(out).subspan(start));
  if (Status status = compose_tail(out, start); !status) return status;
  const std::size_t size = out.size() - start;
  out.reserve(start + 2 * size + kMaxDomainForm);  // the address is read while more is written
  const std::string_view address = std::string_view(out).substr(start);
  Status status =
      has_space_or_control(address) ? Error(ErrorKind::malformed) : append_parts(address, out);
  cut_out(out, start, start + size);
  return status;
}

}  // namespace

Status normalise_email(std::string_view value, std::string& out) {
  // No address is near this long; the bound keeps a huge value from costing anything.
  constexpr std::size_t kMaxInput = 4096;
  if (value.size() > kMaxInput) return Error(ErrorKind::malformed);
  if (is_ascii(value)) {
    // Unquoted spaces and controls are in no class; quoted ones are looked for.
    value = trim(value);
    if (value.starts_with('"') && has_space_or_control(value)) {
      return Error(ErrorKind::malformed);
    }
    return append_parts(value, out);
  }
  return append_international(trim_unicode(value), out);
}

}  // namespace paravent::crypto
