// The scanner: a loop without recursion, so that nesting costs an entry of a vector and no stack.

#include "proxy/body/json.h"

#include <cstring>

#include "proxy/body/find_stop.h"
#include "proxy/body/json_string.h"
#include "proxy/body/key_set.h"

namespace paravent::proxy::body {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

const char* skip_digits(const char* p, const char* end) noexcept {
  while (p != end && is_digit(*p)) ++p;
  return p;
}

// Past the number at `p` (RFC 8259 section 6); nullptr where it is not one.
const char* number_end(const char* p, const char* end) noexcept {
  if (p != end && *p == '-') ++p;
  if (p == end || !is_digit(*p)) return nullptr;
  p = *p == '0' ? p + 1 : skip_digits(p, end);
  if (p != end && *p == '.') {
    const char* const fraction = p + 1;
    p = skip_digits(fraction, end);
    if (p == fraction) return nullptr;
  }
  if (p != end && (*p == 'e' || *p == 'E')) {
    ++p;
    if (p != end && (*p == '+' || *p == '-')) ++p;
    const char* const exponent = p;
    p = skip_digits(exponent, end);
    if (p == exponent) return nullptr;
  }
  return p;
}

bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

inline const char* skip_space(const char* p, const char* end) noexcept {
  // Most places where white space may stand have none.
  if (p != end && static_cast<unsigned char>(*p) <= ' ') [[unlikely]] {
    while (p != end && is_space(*p)) ++p;
  }
  return p;
}

}  // namespace

struct JsonScanner::State {
  explicit State(std::uint64_t hash_key) : keys(hash_key) {}

  KeySet keys;
  std::vector<const char*> outer;  // Pass::member_ of the containers around, outermost first
  std::vector<PathStep> path;      // as long as `outer`
  std::string unescaped;           // the keys that hold escapes
};

namespace {

// One pass over one text. The functions take the place where they start and return the place behind
// what they read, nullptr when the scan is over: the position stays in a register that way, and
// everything waits for the position.
template <typename State>
class Pass {
 public:
  Pass(State& state, std::string_view text, const JsonLimits& limits, JsonVisitor& visitor) noexcept
      : state_(state),
        limits_(limits),
        visitor_(visitor),
        base_(text.data()),
        end_(text.data() + text.size()),
        filters_(visitor.wants_filters()),
        ends_(visitor.wants_ends()) {}

  ScanStatus run() {
    state_.keys.begin_text();
    state_.outer.clear();
    state_.path.clear();
    state_.unescaped.clear();
    const char* p = base_;
    do {
      p = skip_space(p, end_);
      if (p == end_) return ScanStatus::malformed;
      const bool is_array = *p == '[';
      if (is_array || *p == '{') {
        p = open(p, is_array);
        if (p != nullptr && (p == end_ || *p != (is_array ? ']' : '}'))) {
          if (!is_array) p = key(p);
          continue;
        }
      } else {
        p = scalar(p);
      }
      if (p != nullptr) p = after(p);
    } while (p != nullptr);
    return status_;
  }

 private:
  const char* finish(ScanStatus status) noexcept {
    status_ = status;
    return nullptr;
  }

  const char* scalar(const char* p) {
    switch (*p) {
      case '"': {
        const char* const quote = json_string_end(p + 1, end_).quote;
        return report(p, quote == nullptr ? nullptr : quote + 1, ValueKind::string);
      }
      case 't':
        return report(p, word_end(p, "true"), ValueKind::boolean);
      case 'f':
        return report(p, word_end(p, "false"), ValueKind::boolean);
      case 'n':
        return report(p, word_end(p, "null"), ValueKind::null);
      default:
        return report(p, number_end(p, end_), ValueKind::number);
    }
  }

  const char* word_end(const char* p, std::string_view word) const noexcept {
    const auto left = static_cast<std::size_t>(end_ - p);
    const bool same = left >= word.size() && std::memcmp(p, word.data(), word.size()) == 0;
    return same ? p + word.size() : nullptr;
  }

  const char* report(const char* p, const char* past, ValueKind kind) {
    if (past == nullptr) return finish(ScanStatus::malformed);
    Field field;
    field.kind = kind;
    field.value = span_of(base_, p, past);
    field.whole = span_of(base_, member_ != nullptr ? member_ : p, past);
    return visitor_.on_value(state_.path, field) ? past : finish(ScanStatus::stopped);
  }

  const char* open(const char* p, bool is_array) {
    if (state_.path.size() >= limits_.depth) return finish(ScanStatus::too_large);
    if (filters_ && !is_array && !state_.path.empty() && state_.path.back().is_index) {
      const FilterBits bits = visitor_.filters_of({p, static_cast<std::size_t>(end_ - p)});
      state_.path.back().filters = bits.exact;
      state_.path.back().filters_any_case = bits.any_case;
    }
    if (!visitor_.on_container(state_.path, is_array)) return finish(ScanStatus::stopped);
    state_.outer.push_back(member_);
    state_.path.push_back({{}, 0, is_array, 0});
    member_ = nullptr;
    if (!is_array) state_.keys.open_object();
    return skip_space(p + 1, end_);
  }

  // A member up to its value.
  const char* key(const char* p) {
    p = skip_space(p, end_);
    if (p == end_ || *p != '"') return finish(ScanStatus::malformed);
    const StringEnd string = json_string_end(p + 1, end_);
    if (string.quote == nullptr) return finish(ScanStatus::malformed);
    std::string_view name(p + 1, static_cast<std::size_t>(string.quote - p - 1));
    if (string.escaped) name = unescape_key(name);
    if (name.size() > limits_.key_bytes || ++keys_ > limits_.keys) {
      return finish(ScanStatus::too_large);
    }
    if (!state_.keys.add(name)) return finish(ScanStatus::malformed);
    state_.path.back().key = name;
    member_ = p;
    p = skip_space(string.quote + 1, end_);
    return p != end_ && *p == ':' ? p + 1 : finish(ScanStatus::malformed);
  }

  // Unescaping never lengthens, so what is left of the text bounds all keys to come: after the
  // reservation the buffer never moves, and views of it stay good until the scan ends.
  std::string_view unescape_key(std::string_view raw) {
    std::string& out = state_.unescaped;
    if (out.empty()) out.reserve(static_cast<std::size_t>(end_ - raw.data()));
    const std::size_t begin = out.size();
    append_unescaped(raw, out);
    return std::string_view(out).substr(begin);
  }

  // Behind a value: up to the next one, through the ends of containers.
  const char* after(const char* p) {
    for (;;) {
      p = skip_space(p, end_);
      if (state_.path.empty()) return finish(p == end_ ? ScanStatus::ok : ScanStatus::malformed);
      if (p == end_) return finish(ScanStatus::malformed);
      PathStep& step = state_.path.back();
      if (*p == ',') {
        if (!step.is_index) return key(p + 1);
        ++step.index;
        step.filters = step.filters_any_case = 0;
        return p + 1;
      }
      if (*p != (step.is_index ? ']' : '}')) return finish(ScanStatus::malformed);
      ++p;
      if (!step.is_index) state_.keys.close_object();
      member_ = state_.outer.back();
      state_.outer.pop_back();
      state_.path.pop_back();
      if (ends_ && member_ != nullptr && !end_of_member(p)) return finish(ScanStatus::stopped);
    }
  }

  // `p`: behind the container that is the current member's value.
  bool end_of_member(const char* p) {
    const char* const colon = skip_space(json_string_end(member_ + 1, end_).quote + 1, end_);
    Field field;
    field.kind = ValueKind::null;
    field.value = span_of(base_, skip_space(colon + 1, end_), p);
    field.whole = span_of(base_, member_, p);
    return visitor_.on_container_end(state_.path, field);
  }

  State& state_;
  const JsonLimits limits_;
  JsonVisitor& visitor_;
  const char* const base_;
  const char* const end_;
  const bool filters_;
  const bool ends_;
  const char* member_ = nullptr;  // the opening quote of the current member's key; null in an array
  std::size_t keys_ = 0;
  ScanStatus status_ = ScanStatus::ok;
};

}  // namespace

JsonScanner::JsonScanner(std::uint64_t hash_key) : state_(std::make_unique<State>(hash_key)) {}
JsonScanner::~JsonScanner() = default;

const KeySet& JsonScanner::keys() const noexcept { return state_->keys; }

ScanStatus JsonScanner::scan(std::string_view text, const JsonLimits& limits,
                             JsonVisitor& visitor) {
  if (!fits_offsets(text)) return ScanStatus::too_large;
  return Pass<State>(*state_, text, limits, visitor).run();
}

}  // namespace paravent::proxy::body
