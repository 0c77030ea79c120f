#include "policies/model/yaml_reader.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace paravent::policies {
namespace {

bool is_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string_view type_name(YamlNode::Type type) {
  switch (type) {
    case YamlNode::Type::null:
      return "nothing";
    case YamlNode::Type::scalar:
      return "a single value";
    case YamlNode::Type::sequence:
      return "a list";
    case YamlNode::Type::map:
      return "a map";
  }
  return "nothing";
}

void expected(const YamlNode& node, std::string_view key, std::string_view what, Diagnostics& out) {
  out.error(node.at, std::string(key),
            "expected " + std::string(what) + ", found " + std::string(type_name(node.type)));
}

}  // namespace

std::string join_key(std::string_view parent, std::string_view key) {
  if (parent.empty()) return std::string(key);
  std::string out(parent);
  out += '.';
  out += key;
  return out;
}

std::optional<std::string> read_text(const YamlNode& node, std::string_view key, Diagnostics& out) {
  if (!node.is_scalar()) {
    expected(node, key, "a text", out);
    return std::nullopt;
  }
  if (node.text.empty()) {
    out.error(node.at, std::string(key), "the text is empty");
    return std::nullopt;
  }
  return node.text;
}

std::optional<bool> read_bool(const YamlNode& node, std::string_view key, Diagnostics& out) {
  if (node.is_scalar() && !node.is_quoted) {
    if (node.text == "true") return true;
    if (node.text == "false") return false;
  }
  if (node.is_scalar()) {
    out.error(node.at, std::string(key), "expected true or false, found " + in_quotes(node.text));
  } else {
    expected(node, key, "true or false", out);
  }
  return std::nullopt;
}

std::optional<std::uint64_t> read_integer(const YamlNode& node, std::string_view key,
                                          std::uint64_t least, std::uint64_t most,
                                          Diagnostics& out) {
  if (!node.is_scalar()) {
    expected(node, key, "a whole number", out);
    return std::nullopt;
  }
  const std::string& text = node.text;
  std::uint64_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool one_spelling = text.size() == 1 || !text.starts_with('0');
  if (fault != std::errc{} || end != text.data() + text.size() || !one_spelling || node.is_quoted) {
    out.error(node.at, std::string(key), "expected a whole number, found " + in_quotes(text));
    return std::nullopt;
  }
  if (value < least || value > most) {
    out.error(
        node.at, std::string(key),
        "the number must lie between " + std::to_string(least) + " and " + std::to_string(most));
    return std::nullopt;
  }
  return value;
}

std::vector<Located<std::string>> read_texts(const YamlNode& node, std::string_view key,
                                             bool or_single, Diagnostics& out) {
  std::vector<Located<std::string>> texts;
  if (or_single && node.is_scalar()) {
    if (auto text = read_text(node, key, out)) texts.push_back({std::move(*text), node.at});
    return texts;
  }
  if (!node.is_sequence()) {
    expected(node, key, or_single ? "a text or a list of texts" : "a list of texts", out);
    return texts;
  }
  // Where one text would do, an empty list would silently mean "any".
  if (or_single && node.items.empty()) out.error(node.at, std::string(key), "the list is empty");
  for (const YamlNode& item : node.items) {
    auto text = read_text(item, key, out);
    if (!text) continue;
    const bool again = std::any_of(texts.begin(), texts.end(),
                                   [&](const auto& earlier) { return earlier.value == *text; });
    if (again) {
      out.error(item.at, std::string(key), in_quotes(*text) + " is listed twice",
                "Remove one of them");
      continue;
    }
    texts.push_back({std::move(*text), item.at});
  }
  return texts;
}

bool is_name(std::string_view text) noexcept {
  if (text.empty() || text.size() > 64 || !is_alnum(text.front())) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; });
}

bool check_name(std::string_view text, Position at, std::string_view key, Diagnostics& out) {
  if (is_name(text)) return true;
  out.error(at, std::string(key), in_quotes(text) + " is not a name",
            "A letter or digit, then letters, digits, '.', '_' or '-', 64 at most");
  return false;
}

std::optional<std::string> read_name(const YamlNode& node, std::string_view key, Diagnostics& out) {
  auto text = read_text(node, key, out);
  if (text && !check_name(*text, node.at, key, out)) return std::nullopt;
  return text;
}

MapReader::MapReader(const YamlNode& node, std::string key, Diagnostics& out)
    : node_(node), key_(std::move(key)), out_(out) {
  if (!node.is_map()) expected(node, key_, "a map", out);
}

const YamlNode* MapReader::find(std::string_view name) {
  const bool first_time = std::find(known_.begin(), known_.end(), name) == known_.end();
  if (first_time) known_.emplace_back(name);
  const auto entry = std::find_if(node_.entries.begin(), node_.entries.end(),
                                  [&](const YamlEntry& e) { return e.key == name; });
  if (entry == node_.entries.end()) return nullptr;
  if (entry->value.type == YamlNode::Type::null) {
    if (first_time) {
      out_.error(entry->at, key(name), "the key has no value", "Give it one, or remove the key");
    }
    return nullptr;
  }
  return &entry->value;
}

const YamlNode* MapReader::require(std::string_view name, std::string hint) {
  const YamlNode* node = find(name);
  if (node != nullptr) return node;
  const bool present = std::any_of(node_.entries.begin(), node_.entries.end(),
                                   [&](const YamlEntry& e) { return e.key == name; });
  // Only in a map: anything else has been reported as such already.
  if (!present && node_.is_map()) {
    out_.error(node_.at, key(name), "the key is missing", std::move(hint));
  }
  return nullptr;
}

std::optional<Located<std::string>> MapReader::text(std::string_view name) {
  const YamlNode* node = find(name);
  if (node == nullptr) return std::nullopt;
  auto value = read_text(*node, key(name), out_);
  if (!value) return std::nullopt;
  return Located<std::string>{std::move(*value), node->at};
}

std::optional<Located<std::string>> MapReader::name(std::string_view name) {
  const YamlNode* node = find(name);
  if (node == nullptr) return std::nullopt;
  auto value = read_name(*node, key(name), out_);
  if (!value) return std::nullopt;
  return Located<std::string>{std::move(*value), node->at};
}

std::optional<Located<bool>> MapReader::boolean(std::string_view name) {
  const YamlNode* node = find(name);
  if (node == nullptr) return std::nullopt;
  const auto value = read_bool(*node, key(name), out_);
  if (!value) return std::nullopt;
  return Located<bool>{*value, node->at};
}

std::optional<Located<std::uint32_t>> MapReader::integer(std::string_view name, std::uint32_t least,
                                                         std::uint32_t most) {
  const YamlNode* node = find(name);
  if (node == nullptr) return std::nullopt;
  const auto value = read_integer(*node, key(name), least, most, out_);
  if (!value) return std::nullopt;
  return Located<std::uint32_t>{static_cast<std::uint32_t>(*value), node->at};
}

std::optional<std::size_t> MapReader::word_index(std::string_view name,
                                                 const std::vector<std::string_view>& words,
                                                 std::initializer_list<std::string_view> reserved,
                                                 Position& at) {
  const YamlNode* node = find(name);
  if (node == nullptr) return std::nullopt;
  const auto text = read_text(*node, key(name), out_);
  if (!text) return std::nullopt;
  at = node->at;
  const auto found = std::find(words.begin(), words.end(), *text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  if (std::find(reserved.begin(), reserved.end(), *text) != reserved.end()) {
    out_.error(at, key(name), in_quotes(*text) + " is " + std::string(kNotYetAvailable),
               listed(words));
  } else {
    out_.error(at, key(name), in_quotes(*text) + " is not known",
               suggestion(*text, words, listed(words)));
  }
  return std::nullopt;
}

void MapReader::reserve(std::string_view name, std::string hint) {
  reserved_.emplace_back(name);
  for (const YamlEntry& entry : node_.entries) {
    if (entry.key == name) {
      out_.error(entry.at, key(name), std::string(kNotYetAvailable), std::move(hint));
    }
  }
}

void MapReader::finish() {
  const std::vector<std::string_view> known(known_.begin(), known_.end());
  for (const YamlEntry& entry : node_.entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    if (std::find(reserved_.begin(), reserved_.end(), entry.key) != reserved_.end()) continue;
    out_.error(entry.at, key(entry.key), "unknown key",
               suggestion(entry.key, known, listed(known)));
  }
}

}  // namespace paravent::policies
