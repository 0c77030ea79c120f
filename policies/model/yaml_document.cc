#include "policies/model/yaml_document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>
#include <unordered_set>
#include <utility>

namespace paravent::policies {
namespace {

Position position_of(const YAML::Mark& mark) {
  if (mark.line < 0 || mark.column < 0) return {};
  return {static_cast<std::uint32_t>(mark.line) + 1, static_cast<std::uint32_t>(mark.column) + 1};
}

// Thrown inside yaml-cpp's parse to stop it; caught in parse_yaml.
struct LimitReached {};

// Builds the tree from the event stream. One frame per open container.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const YamlLimits& limits, Diagnostics& out) : limits_(limits), out_(out) {}

  std::optional<YamlNode> take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check_properties(mark, {}, anchor);
    YamlNode node;
    node.at = position_of(mark);
    place(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    out_.error(position_of(mark), {}, "aliases are not accepted", "Write the value out");
    YamlNode node;
    node.at = position_of(mark);
    place(std::move(node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_properties(mark, tag, anchor);
    YamlNode node;
    node.at = position_of(mark);
    node.is_quoted = tag == "!";
    node.type = YamlNode::Type::scalar;
    node.text = value;
    const bool plain_null = !node.is_quoted && (value.empty() || value == "~" || value == "null");
    if (plain_null && !expects_key()) {
      node.type = YamlNode::Type::null;
      node.text.clear();
    }
    place(std::move(node));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Type::sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, YamlNode::Type::map);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Frame {
    YamlNode node;
    bool has_key = false;
    std::string key;
    Position key_at;
    std::unordered_set<std::string> keys;
  };

  bool expects_key() const {
    return !frames_.empty() && frames_.back().node.is_map() && !frames_.back().has_key;
  }

  void check_properties(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    const Position at = position_of(mark);
    if (++nodes_ > limits_.nodes) {
      out_.error(at, {}, "the file has more than " + std::to_string(limits_.nodes) + " values");
      throw LimitReached{};
    }
    if (anchor != 0) out_.error(at, {}, "anchors are not accepted", "Write the value out");
    if (!tag.empty() && tag != "?" && tag != "!") {
      out_.error(at, {}, "tags are not accepted", "Remove the tag");
    }
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YamlNode::Type type) {
    check_properties(mark, tag, anchor);
    if (frames_.size() >= limits_.depth) {
      out_.error(position_of(mark), {},
                 "nested deeper than " + std::to_string(limits_.depth) + " levels");
      throw LimitReached{};
    }
    Frame frame;
    frame.node.type = type;
    frame.node.at = position_of(mark);
    frames_.push_back(std::move(frame));
  }

  void close() {
    YamlNode node = std::move(frames_.back().node);
    frames_.pop_back();
    place(std::move(node));
  }

  void place(YamlNode node) {
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.is_sequence()) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.has_key) {
      take_key(frame, std::move(node));
    } else {
      frame.has_key = false;
      if (frame.keys.insert(frame.key).second) {
        frame.node.entries.push_back({std::move(frame.key), frame.key_at, std::move(node)});
      } else {
        out_.error(frame.key_at, frame.key, "this key is written twice", "Remove one of them");
      }
    }
  }

  void take_key(Frame& frame, YamlNode node) {
    frame.has_key = true;
    frame.key_at = node.at;
    frame.key = std::move(node.text);
    if (!node.is_scalar()) out_.error(node.at, {}, "a key must be a plain word");
  }

  const YamlLimits& limits_;
  Diagnostics& out_;
  std::vector<Frame> frames_;
  std::optional<YamlNode> root_;
  std::size_t nodes_ = 0;
};

struct Cursor {
  Position at{1, 1};
  void advance(char c) {
    if (c == '\n') {
      ++at.line;
      at.column = 1;
    } else {
      ++at.column;
    }
  }
};

// The length of the UTF-8 sequence at `i` (RFC 3629: shortest form, no surrogates), 0 when it is
// none.
std::size_t utf8_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) {
    return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U;
  };
  const auto tail = [&](std::size_t k) { return (byte(k) & 0xC0U) == 0x80U; };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!tail(1) || !tail(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    if (lead == 0xED && byte(1) >= 0xA0) return 0;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;
    if (lead == 0xF4 && byte(1) >= 0x90) return 0;
    return 4;
  }
  return 0;
}

// yaml-cpp guesses encodings and replaces what it cannot read; a policy must not mean something
// else than what its author sees.
bool acceptable_bytes(std::string_view text, Diagnostics& out) {
  Cursor cursor;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text, i);
    if (length == 0) {
      out.error(cursor.at, {}, "the file is not UTF-8 here", "Save it as UTF-8");
      return false;
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == 0x7F || (byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t')) {
      out.error(cursor.at, {}, "a control character", "Remove it");
      return false;
    }
    for (std::size_t k = 0; k < length; ++k) cursor.advance(text[i + k]);
    i += length;
  }
  return true;
}

std::string_view without_ending(std::string_view line) {
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

// The lines up to and with this one, from 1.
std::vector<std::string_view> lines_to(std::string_view text, std::size_t last) {
  std::vector<std::string_view> lines;
  while (lines.size() < last && !text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(without_ending(text.substr(0, end)));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::size_t indent_of(std::string_view line) {
  const std::size_t at = line.find_first_not_of(' ');
  return at == std::string_view::npos ? line.size() : at;
}

bool has_tab_before_text(std::string_view line) {
  return line.substr(0, line.find_first_not_of(" \t")).find('\t') != std::string_view::npos;
}

bool has_open_quote(std::string_view line) {
  char open = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (open == 0 && line[i] == '#' && (i == 0 || line[i - 1] == ' ')) return false;
    // An apostrophe within a word opens nothing.
    const bool begins = i == 0 || std::string_view(" [{,:").find(line[i - 1]) != line.npos;
    if (open == 0 && begins && (line[i] == '"' || line[i] == '\'')) {
      open = line[i];
    } else if (open == '"' && line[i] == '\\') {
      ++i;
    } else if (line[i] == open) {
      open = 0;
    }
  }
  return open != 0;
}

// `key:value`; not `http://` and not a port.
bool lacks_blank(std::string_view line) {
  const std::string_view text = line.substr(indent_of(line));
  const std::size_t colon =
      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_");
  return colon != std::string_view::npos && colon > 0 && text[colon] == ':' &&
         colon + 1 < text.size() && text[colon + 1] != ' ' && text[colon + 1] != '/';
}

// What is usually wrong where a parser stops: in this line, or in the one before it that says
// anything. Empty: nothing of that.
std::string remedy_for(std::string_view text, std::uint32_t line) {
  std::vector<std::string_view> lines = lines_to(text, line);
  if (lines.empty()) return {};
  const std::string_view here = lines.back();
  lines.pop_back();
  while (!lines.empty() && indent_of(lines.back()) == lines.back().size()) lines.pop_back();
  const std::string_view before = lines.empty() ? std::string_view() : lines.back();
  for (const std::string_view one : {here, before}) {
    if (has_tab_before_text(one)) return "Indent by blanks; there is a tab";
  }
  for (const std::string_view one : {here, before}) {
    if (has_open_quote(one)) return "Close the quotation mark";
  }
  for (const std::string_view one : {here, before}) {
    if (lacks_blank(one)) return "Put a blank behind the colon";
  }
  const std::size_t mine = indent_of(here);
  const std::size_t above = indent_of(before);
  if (!before.empty() && (mine == above + 1 || mine + 1 == above)) {
    return "Begin in the column of its siblings; this line is one column off the one above";
  }
  return {};
}

// The message of yaml-cpp without its own "yaml-cpp: error at line 1, column 2: ".
std::string reason_of(const YAML::Exception& fault) {
  return fault.msg.empty() ? std::string("not valid YAML") : "not valid YAML: " + fault.msg;
}

}  // namespace

std::optional<YamlNode> parse_yaml(std::string_view text, const YamlLimits& limits,
                                   Diagnostics& out) {
  if (text.size() > limits.bytes) {
    out.error({}, {}, "the file is larger than " + std::to_string(limits.bytes) + " bytes");
    return std::nullopt;
  }
  if (!acceptable_bytes(text, out)) return std::nullopt;
  std::istringstream in{std::string(text)};
  TreeBuilder builder(limits, out);
  try {
    YAML::Parser parser(in);
    if (!parser.HandleNextDocument(builder)) {
      out.error({1, 1}, {}, "the file is empty");
      return std::nullopt;
    }
    Diagnostics ignored;
    TreeBuilder second(limits, ignored);
    if (parser.HandleNextDocument(second)) {
      out.error({1, 1}, {}, "the file has several documents", "One document per file, no '---'");
    }
  } catch (const LimitReached&) {
    return std::nullopt;
  } catch (const YAML::Exception& fault) {
    const Position at = position_of(fault.mark);
    out.error(at, {}, reason_of(fault), remedy_for(text, at.line));
    return std::nullopt;
  }
  return builder.take();
}

}  // namespace paravent::policies
