#include "bench/support/body_check.h"

#include <functional>

#include "bench/support/token_shape.h"

namespace paravent::bench {
namespace {

// Header 6 + SIV 16 + bucket 64 (name, e-mail) or 32 (phone), as Bech32m; see docs/token-format.md.
constexpr std::size_t kDerivedLong = 148;
constexpr std::size_t kDerivedPhone = 97;
constexpr std::size_t kPseudonym = 52;
// The light nginx + Lua writes no header and no checksum: its shortest is 32 bytes of HMAC in
// base64url.
constexpr std::size_t kShortestChanged = 43;

bool is_token(std::size_t field, std::string_view value) {
  switch (field) {
    case 0:
    case 1:
      return is_bech32m(value, "pvd", kDerivedLong);
    case 2:
      return is_bech32m(value, "pvd", kDerivedPhone);
    case 3:
      return is_bech32m(value, "pvh", kPseudonym);
    default:
      return is_encrypted_text(value);
  }
}

}  // namespace

BodyCheck::BodyCheck(Expectation expectation, const std::vector<Form>& forms)
    : expectation_(expectation), seen_(std::make_unique<Seen>()) {
  for (const Form& form : forms) {
    for (const std::string& value : form.values) encoded_.push_back(form_encode(value));
  }
  for (const std::string& value : encoded_) clear_.insert(value);
  for (const Form& form : forms) {
    for (const std::string& value : form.values) clear_.insert(value);
  }
}

void BodyCheck::inspect(std::string_view body) {
  if (is_right(body)) {
    ++good_;
    return;
  }
  if (bad_++ == 0) first_bad_.assign(body.substr(0, 2048));
}

BodyCounts BodyCheck::counts() const {
  BodyCounts counts{good_, bad_, {}};
  for (std::size_t f = 0; f < kFieldCount; ++f) counts.distinct[f] = seen_->fields[f].count();
  return counts;
}

bool BodyCheck::is_right(std::string_view body) {
  for (std::size_t f = 0; f < kFieldCount; ++f) {
    if (!body.starts_with(kFieldNames[f])) return false;
    body.remove_prefix(kFieldNames[f].size());
    if (!body.starts_with('=')) return false;
    body.remove_prefix(1);
    const std::size_t end = body.find('&');
    const std::string_view value = body.substr(0, end);
    // The last field ends the body and no other does.
    if ((end == std::string_view::npos) != (f + 1 == kFieldCount)) return false;
    if (!is_right_field(f, value)) return false;
    seen_->fields[f].set(std::hash<std::string_view>{}(value)&65535U);
    body.remove_prefix(f + 1 == kFieldCount ? body.size() : end + 1);
  }
  return true;
}

bool BodyCheck::is_right_field(std::size_t field, std::string_view value) const {
  switch (expectation_) {
    case Expectation::clear:
      return clear_.contains(value);
    case Expectation::tokens:
      return is_token(field, value);
    case Expectation::changed:
      return value.size() >= kShortestChanged && is_base64url(value) && !clear_.contains(value);
  }
  return false;
}

}  // namespace paravent::bench
