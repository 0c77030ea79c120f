#include "proxy/body/element_filters.h"

#include <algorithm>
#include <functional>

#include "crypto/base/secret_bytes.h"
#include "policies/plan/key_case.h"
#include "proxy/body/json_string.h"

namespace paravent::proxy::body {
namespace {

using MemberFilter = policies::JsonMatcher::Filter;

// As the scanner's own, so that nothing is left out of what it accepts.
constexpr JsonLimits kLimits;
constexpr std::size_t kDepth = kLimits.depth + 1;

// Those that ask for a member of this name.
FilterBits asking_for(std::string_view name, std::span<const MemberFilter> filters) noexcept {
  FilterBits bits;
  for (std::size_t i = 0; i < filters.size(); ++i) {
    if (!policies::same_in_any_case(name, filters[i].key)) continue;
    bits.any_case |= std::uint64_t{1} << i;
    if (name == filters[i].key) bits.exact |= std::uint64_t{1} << i;
  }
  return bits;
}

std::uint64_t having(std::string_view value, std::span<const MemberFilter> filters) noexcept {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < filters.size(); ++i) {
    if (filters[i].value == value) bits |= std::uint64_t{1} << i;
  }
  return bits;
}

void wipe(std::string& text) noexcept {
  crypto::wipe(crypto::MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  text.clear();
}

}  // namespace

void ElementFilters::begin_text() noexcept {
  elements_.clear();
  next_ = 0;
  read_to_ = nullptr;
}

FilterBits ElementFilters::of(std::string_view object, std::span<const MemberFilter> filters) {
  const std::less<> before;
  if (read_to_ == nullptr || !before(object.data(), read_to_)) {
    elements_.clear();
    next_ = 0;
    read_to_ = read(object, filters);
    // They were closed from the inside outwards.
    std::sort(elements_.begin(), elements_.end(),
              [&](const Element& a, const Element& b) { return before(a.at, b.at); });
    wipe(decoded_);
  }
  while (next_ < elements_.size() && before(elements_[next_].at, object.data())) ++next_;
  const bool found = next_ < elements_.size() && elements_[next_].at == object.data();
  return found ? elements_[next_].bits : FilterBits{};
}

void ElementFilters::open(const char* p) {
  const bool is_array = *p == '[';
  const bool is_element = !is_array && (open_.empty() || open_.back().is_array);
  open_.push_back({p, is_array, is_element, {}});
}

void ElementFilters::close() {
  const Container& last = open_.back();
  if (last.is_element && last.bits.any_case != 0) elements_.push_back({last.at, last.bits});
  open_.pop_back();
}

std::string_view ElementFilters::decode(std::string_view inside, bool escaped) {
  if (!escaped) return inside;
  wipe(decoded_);
  decoded_.reserve(inside.size());  // growing would leave a copy behind
  append_unescaped(inside, decoded_);
  return decoded_;
}

// Answers the place behind the object, or the end of the text where the scan will come to nothing.
const char* ElementFilters::read(std::string_view object, std::span<const MemberFilter> filters) {
  const char* const end = object.data() + object.size();
  open_.clear();
  std::size_t names = 0;
  bool name_next = false;
  FilterBits asked;  // about the member under way
  for (const char* p = object.data(); p != end; ++p) {
    switch (*p) {
      case '{':
      case '[':
        if (open_.size() == kDepth) return end;
        open(p);
        name_next = *p == '{';
        asked = {};
        break;
      case '}':
      case ']':
        close();
        if (open_.empty()) return p + 1;
        name_next = false;
        asked = {};
        break;
      case ',':
        name_next = !open_.back().is_array;
        asked = {};
        break;
      case '"': {
        const StringEnd string = json_string_end(p + 1, end);
        if (string.quote == nullptr) return end;
        const std::string_view inside(p + 1, static_cast<std::size_t>(string.quote - p - 1));
        if (name_next) {
          if (++names > kLimits.keys) return end;
          if (open_.back().is_element) asked = asking_for(decode(inside, string.escaped), filters);
          name_next = false;
        } else if (asked.any_case != 0) {
          const std::uint64_t same = having(decode(inside, string.escaped), filters);
          open_.back().bits.exact |= asked.exact & same;
          open_.back().bits.any_case |= asked.any_case & same;
          asked = {};
        }
        p = string.quote;
        break;
      }
      default:
        break;
    }
  }
  return end;
}

}  // namespace paravent::proxy::body
