// The scanner: a loop over four states, no recursion, so that nesting costs a frame and not a stack.

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

const char* skip_space(const char* p, const char* end) noexcept {
  constexpr std::uint64_t kSpaces = (1ULL << ' ') | (1ULL << '\n') | (1ULL << '\r') | (1ULL << '\t');
  while (p != end) {
    const auto byte = static_cast<unsigned char>(*p);
    if (byte > ' ' || ((kSpaces >> byte) & 1U) == 0) break;
    ++p;
  }
  return p;
}

struct Frame {
  const char* member = nullptr;  // the opening quote of the current member's key; null in an array
};

}  // namespace

struct JsonScanner::State {
  explicit State(std::uint64_t hash_key) : keys(hash_key) {}

  KeySet keys;
  std::vector<Frame> frames;
  std::vector<PathStep> path;  // as long as frames
  std::string unescaped;       // the keys that hold escapes
};

namespace {

// One pass over one text.
template <typename State>
class Pass {
 public:
  Pass(State& state, std::string_view text, const JsonLimits& limits, JsonVisitor& visitor) noexcept
      : state_(state),
        limits_(limits),
        visitor_(visitor),
        base_(text.data()),
        p_(text.data()),
        end_(text.data() + text.size()) {}

  ScanStatus run() {
    state_.keys.begin_text();
    state_.frames.clear();
    state_.path.clear();
    state_.unescaped.clear();
    for (Next next = Next::value; next != Next::done;) {
      switch (next) {
        case Next::value: next = value(); break;
        case Next::key: next = key(); break;
        case Next::after: next = after(); break;
        case Next::done: break;
      }
    }
    return status_;
  }

 private:
  enum class Next : std::uint8_t { value, key, after, done };

  Next finish(ScanStatus status) noexcept {
    status_ = status;
    return Next::done;
  }

  bool in_array() const noexcept { return state_.frames.back().member == nullptr; }

  Next value() {
    p_ = skip_space(p_, end_);
    if (p_ == end_) return finish(ScanStatus::malformed);
    switch (*p_) {
      case '"': return string();
      case '{': return open(false);
      case '[': return open(true);
      case 't': return literal("true", ValueKind::boolean);
      case 'f': return literal("false", ValueKind::boolean);
      case 'n': return literal("null", ValueKind::null);
      default: return scalar(number_end(p_, end_), ValueKind::number);
    }
  }

  Next string() {
    bool escaped = false;
    const char* const quote = json_string_end(p_ + 1, end_, escaped);
    return scalar(quote == nullptr ? nullptr : quote + 1, ValueKind::string);
  }

  Next literal(std::string_view word, ValueKind kind) {
    const auto left = static_cast<std::size_t>(end_ - p_);
    const bool same = left >= word.size() && std::memcmp(p_, word.data(), word.size()) == 0;
    return scalar(same ? p_ + word.size() : nullptr, kind);
  }

  Next scalar(const char* past, ValueKind kind) {
    if (past == nullptr) return finish(ScanStatus::malformed);
    Field field;
    field.kind = kind;
    field.value = span_of(base_, p_, past);
    field.whole = field.value;
    if (!state_.frames.empty() && !in_array()) {
      field.whole.begin = static_cast<std::uint32_t>(state_.frames.back().member - base_);
    }
    p_ = past;
    return visitor_.on_value(state_.path, field) ? Next::after : finish(ScanStatus::stopped);
  }

  Next open(bool is_array) {
    if (state_.frames.size() >= limits_.depth) return finish(ScanStatus::too_large);
    if (!visitor_.on_container(state_.path, is_array)) return finish(ScanStatus::stopped);
    state_.frames.push_back({is_array ? nullptr : p_});
    state_.path.push_back({{}, 0, is_array});
    if (!is_array) state_.keys.open_object();
    p_ = skip_space(p_ + 1, end_);
    if (p_ != end_ && *p_ == (is_array ? ']' : '}')) return Next::after;
    return is_array ? Next::value : Next::key;
  }

  Next key() {
    p_ = skip_space(p_, end_);
    if (p_ == end_ || *p_ != '"') return finish(ScanStatus::malformed);
    bool escaped = false;
    const char* const quote = json_string_end(p_ + 1, end_, escaped);
    if (quote == nullptr) return finish(ScanStatus::malformed);
    std::string_view name(p_ + 1, static_cast<std::size_t>(quote - p_ - 1));
    if (escaped) name = unescape_key(name);
    if (name.size() > limits_.key_bytes || ++keys_ > limits_.keys) {
      return finish(ScanStatus::too_large);
    }
    if (!state_.keys.add(name)) return finish(ScanStatus::malformed);
    state_.frames.back().member = p_;
    state_.path.back().key = name;
    p_ = skip_space(quote + 1, end_);
    if (p_ == end_ || *p_ != ':') return finish(ScanStatus::malformed);
    ++p_;
    return Next::value;
  }

  // Unescaping never lengthens, so what is left of the text bounds all keys to come: after the
  // reservation the buffer never moves, and views of it stay good until the scan ends.
  std::string_view unescape_key(std::string_view raw) {
    std::string& out = state_.unescaped;
    if (out.empty()) out.reserve(static_cast<std::size_t>(end_ - p_));
    const std::size_t begin = out.size();
    append_unescaped(raw, out);
    return std::string_view(out).substr(begin);
  }

  Next after() {
    for (;;) {
      p_ = skip_space(p_, end_);
      if (state_.frames.empty()) {
        return finish(p_ == end_ ? ScanStatus::ok : ScanStatus::malformed);
      }
      if (p_ == end_) return finish(ScanStatus::malformed);
      const bool array = in_array();
      if (*p_ == ',') {
        ++p_;
        if (!array) return Next::key;
        ++state_.path.back().index;
        return Next::value;
      }
      if (*p_ != (array ? ']' : '}')) return finish(ScanStatus::malformed);
      ++p_;
      state_.frames.pop_back();
      state_.path.pop_back();
      if (!array) state_.keys.close_object();
    }
  }

  State& state_;
  const JsonLimits& limits_;
  JsonVisitor& visitor_;
  const char* const base_;
  const char* p_;
  const char* const end_;
  std::size_t keys_ = 0;
  ScanStatus status_ = ScanStatus::ok;
};

}  // namespace

JsonScanner::JsonScanner(std::uint64_t hash_key) : state_(std::make_unique<State>(hash_key)) {}
JsonScanner::~JsonScanner() = default;

ScanStatus JsonScanner::scan(std::string_view text, const JsonLimits& limits,
                             JsonVisitor& visitor) {
  if (!fits_offsets(text)) return ScanStatus::too_large;
  return Pass<State>(*state_, text, limits, visitor).run();
}

}  // namespace paravent::proxy::body
