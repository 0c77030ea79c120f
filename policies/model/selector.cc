#include "policies/model/selector.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include "crypto/tokens/utf8.h"
#include "policies/model/diagnostics.h"
#include "policies/model/yaml_reader.h"

namespace paravent::policies {
namespace {

using Parsed = std::variant<FieldSelector, SelectorFault>;

constexpr std::array<Carrier, 9> kCarriers = {Carrier::form,  Carrier::json,   Carrier::multipart,
                                              Carrier::query, Carrier::header, Carrier::cookie,
                                              Carrier::path,  Carrier::csv,    Carrier::xml};

constexpr std::string_view kInto = " > ";

constexpr std::string_view kTokenPunctuation = "!#$%&'*+-.^_`|~";  // RFC 9110 5.6.2

bool is_token_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kTokenPunctuation.find(c) != std::string_view::npos;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// A text in single quotes from `begin`; `end` is set behind the closing quote.
std::optional<std::string> unquote(std::string_view text, std::size_t begin, std::size_t& end) {
  std::string out;
  for (std::size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] != '\'') {
      out += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '\'') {
      out += '\'';
      ++i;
    } else {
      end = i + 1;
      return out;
    }
  }
  return std::nullopt;
}

Parsed parse_flat(FieldSelector selector, std::string_view name) {
  if (name.front() == '\'') {
    std::size_t end = 0;
    auto literal = unquote(name, 0, end);
    if (!literal || end != name.size()) {
      return SelectorFault{"the quoted name does not end with its quote",
                           "Write form.'the name'; a quote inside is doubled"};
    }
    if (literal->empty()) return SelectorFault{"the field name is empty", {}};
    selector.name = std::move(*literal);
  } else {
    selector.name = name;
    selector.is_pattern = name.find('*') != std::string_view::npos;
  }
  const bool needs_token =
      selector.carrier == Carrier::header || selector.carrier == Carrier::cookie;
  if (needs_token && !std::all_of(selector.name.begin(), selector.name.end(), is_token_char)) {
    return SelectorFault{"a " + std::string(carrier_name(selector.carrier)) +
                             " name has only letters, digits and " + std::string(kTokenPunctuation),
                         {}};
  }
  if (selector.carrier == Carrier::header) selector.name = lower(selector.name);
  return selector;
}

class JsonSteps {
 public:
  explicit JsonSteps(std::string_view text) : text_(text) {}

  // `text` begins with the `.` or `[` behind "json".
  Parsed parse(FieldSelector selector) {
    while (at_ < text_.size()) {
      if (auto fault = text_[at_] == '[' ? bracket() : dot()) return std::move(*fault);
      if (steps_.size() > kMaxSelectorSteps) {
        return SelectorFault{"more than " + std::to_string(kMaxSelectorSteps) + " steps", {}};
      }
    }
    selector.steps = std::move(steps_);
    return selector;
  }

 private:
  using Fault = std::optional<SelectorFault>;

  Fault dot() {
    if (text_[at_] != '.') return SelectorFault{"expected '.' or '[' between two steps", {}};
    ++at_;
    auto type = SelectorStep::Type::key;
    if (at_ < text_.size() && text_[at_] == '.') {
      type = SelectorStep::Type::descendant;
      ++at_;
    }
    const std::size_t end = std::min(text_.find_first_of(".[", at_), text_.size());
    const std::string_view key = text_.substr(at_, end - at_);
    at_ = end;
    if (key.empty()) return SelectorFault{"a step without a key", "Write .key or ['key']"};
    if (key == "*" && type == SelectorStep::Type::key) {
      steps_.push_back({SelectorStep::Type::any_member, {}});
      return std::nullopt;
    }
    if (key.find_first_of("*'\"] ") != std::string_view::npos) {
      return SelectorFault{"the key " + in_quotes(key) + " needs brackets and quotes",
                           "Write ['key']; '*' stands alone in json"};
    }
    steps_.push_back({type, std::string(key)});
    return std::nullopt;
  }

  Fault bracket() {
    if (text_.substr(at_).starts_with("[*]")) {
      steps_.push_back({SelectorStep::Type::any_element, {}});
      at_ += 3;
      return std::nullopt;
    }
    if (text_.substr(at_).starts_with("['")) {
      std::size_t end = 0;
      auto key = unquote(text_, at_ + 1, end);
      if (key && end < text_.size() && text_[end] == '=') return filter();
      if (!key || end >= text_.size() || text_[end] != ']') {
        return SelectorFault{"the quoted key does not end with its quote and bracket",
                             "Write ['the key']"};
      }
      steps_.push_back({SelectorStep::Type::key, std::move(*key)});
      at_ = end + 1;
      return std::nullopt;
    }
    const std::size_t end = text_.find(']', at_);
    const std::string_view inside =
        text_.substr(at_ + 1, end == std::string_view::npos ? end : end - at_ - 1);
    if (end == std::string_view::npos || inside.empty()) return bad_bracket();
    if (inside.find('=') != std::string_view::npos) return filter();
    std::uint32_t index = 0;
    const auto parsed = std::from_chars(inside.data(), inside.data() + inside.size(), index);
    const bool one_spelling = inside.size() == 1 || inside.front() != '0';
    if (parsed.ec != std::errc() || parsed.ptr != inside.data() + inside.size() || !one_spelling) {
      return bad_bracket();
    }
    steps_.push_back({SelectorStep::Type::element, {}, {}, index});
    at_ = end + 1;
    return std::nullopt;
  }

  static Fault bad_bracket() {
    return SelectorFault{"a bracket holds '*', a number, a quoted key or k=v",
                         "Write [*], [0], ['key'] or [name=email]"};
  }

  // `[k=v]`, either side in quotes where it has brackets, quotes or '='.
  Fault filter() {
    ++at_;
    auto key = filter_side('=');
    auto value = key ? filter_side(']') : std::nullopt;
    if (!value || key->empty()) {
      return SelectorFault{"[k=v] names a member and its value", "For example [name=email]"};
    }
    steps_.push_back({SelectorStep::Type::element_where, std::move(*key), std::move(*value)});
    return std::nullopt;
  }

  // Up to `stop`, which is passed over.
  std::optional<std::string> filter_side(char stop) {
    std::optional<std::string> side;
    if (at_ < text_.size() && text_[at_] == '\'') {
      side = unquote(text_, at_, at_);
    } else {
      const std::size_t end = std::min(text_.find_first_of("[]='\"", at_), text_.size());
      side = std::string(text_.substr(at_, end - at_));
      at_ = end;
    }
    if (!side || at_ >= text_.size() || text_[at_] != stop) return std::nullopt;
    ++at_;
    return side;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<SelectorStep> steps_;
};

std::vector<std::string_view> carrier_words() {
  std::vector<std::string_view> words;
  for (const Carrier carrier : kCarriers) words.push_back(carrier_name(carrier));
  return words;
}

SelectorFault unknown_carrier(std::string_view word) {
  return {"unknown carrier " + in_quotes(word),
          suggestion(word, carrier_words(), listed(carrier_words()))};
}

// Where the last " > " begins that stands outside of quotes; npos: nowhere.
std::size_t last_into(std::string_view text) {
  std::size_t found = std::string_view::npos;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\'') quoted = !quoted;
    if (!quoted && text.substr(i).starts_with(kInto)) found = i;
  }
  return found;
}

const Carrier* carrier_of(std::string_view word) {
  const auto* found = std::find_if(kCarriers.begin(), kCarriers.end(),
                                   [&](Carrier c) { return carrier_name(c) == word; });
  return found == kCarriers.end() ? nullptr : found;
}

Parsed parse_part(std::string_view text) {
  const std::size_t end = std::min(text.find_first_of(".["), text.size());
  const std::string_view word = text.substr(0, end);
  const Carrier* carrier = carrier_of(word);
  if (end == text.size() || (text[end] == '[' && word != "json")) {
    return SelectorFault{"a field is written CARRIER.NAME", "For example form.email"};
  }
  if (carrier == nullptr) return unknown_carrier(word);
  FieldSelector selector;
  selector.carrier = *carrier;
  if (*carrier == Carrier::json) return JsonSteps(text.substr(end)).parse(std::move(selector));
  const std::string_view name = text.substr(end + 1);
  if (name.empty()) return SelectorFault{"the field name is empty", "For example form.email"};
  return parse_flat(std::move(selector), name);
}

Parsed parse_inner(std::string_view text) {
  for (const Carrier carrier : {Carrier::value, Carrier::file_name, Carrier::file_content}) {
    if (text != carrier_name(carrier)) continue;
    FieldSelector selector;
    selector.carrier = carrier;
    selector.name = text;
    return selector;
  }
  Parsed parsed = parse_part(text);
  const auto* selector = std::get_if<FieldSelector>(&parsed);
  if (selector != nullptr && selector->carrier != Carrier::json &&
      selector->carrier != Carrier::query) {
    return SelectorFault{std::string(carrier_name(selector->carrier)) +
                             " is a part of a message, not of a value that is opened",
                         "One of json, query, value, file-name and content"};
  }
  return parsed;
}

}  // namespace

bool FieldSelector::same_as(const FieldSelector& other) const {
  return carrier == other.carrier && is_pattern == other.is_pattern && name == other.name &&
         steps == other.steps && outer == other.outer;
}

bool FieldSelector::is_wild() const {
  const bool outer_is_wild =
      outer.find('*') != std::string::npos || outer.find("..") != std::string::npos;
  return is_pattern || outer_is_wild ||
         std::any_of(steps.begin(), steps.end(), [](const SelectorStep& step) {
           return step.type == SelectorStep::Type::any_member ||
                  step.type == SelectorStep::Type::any_element ||
                  step.type == SelectorStep::Type::descendant;
         });
}

Parsed parse_selector(std::string_view text) {
  if (text.size() > kMaxSelectorBytes) {
    return SelectorFault{
        "the field name is longer than " + std::to_string(kMaxSelectorBytes) + " bytes", {}};
  }
  // A policy file is; whoever compares names without their case takes them for it.
  if (!crypto::is_utf8(text)) return SelectorFault{"the field name is not UTF-8", {}};
  const std::size_t into = last_into(text);
  const bool inside = into != std::string_view::npos;
  Parsed parsed = inside ? parse_inner(text.substr(into + kInto.size())) : parse_part(text);
  if (auto* selector = std::get_if<FieldSelector>(&parsed)) {
    selector->text = text;
    selector->root = selector->carrier;
    if (!inside) return parsed;
    selector->outer = text.substr(0, into);
    // Of an outer field that is none, its own rule complains.
    const Carrier* root = carrier_of(text.substr(0, text.find_first_of(".[")));
    if (root != nullptr) selector->root = *root;
  }
  return parsed;
}

}  // namespace paravent::policies
