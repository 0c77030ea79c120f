#include "proxy/body/xml.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "proxy/body/find_stop.h"
#include "proxy/body/utf8.h"

namespace paravent::proxy::body {
namespace {

constexpr std::array<std::pair<std::string_view, char>, 5> kEntities = {
    {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Of the control characters XML 1.0 has three; U+007F is one that nobody means.
bool is_xml_char(std::uint32_t code) noexcept {
  if (code < 0x20) return code == '\t' || code == '\n' || code == '\r';
  return code != 0x7F && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF) && code != 0xFFFE &&
         code != 0xFFFF;
}

bool is_name_start(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80U;
}

bool is_name_char(char c) noexcept {
  return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

// What `&...;` stands for, `reference` being what lies between; nothing: no such reference.
std::optional<std::uint32_t> code_of(std::string_view reference) noexcept {
  if (!reference.starts_with('#')) {
    const auto* const found =
        std::find_if(kEntities.begin(), kEntities.end(),
                     [&](const auto& entity) { return entity.first == reference; });
    if (found == kEntities.end()) return std::nullopt;
    return static_cast<std::uint32_t>(found->second);
  }
  const bool hex = reference.starts_with("#x");
  const std::string_view digits = reference.substr(hex ? 2 : 1);
  std::uint32_t code = 0;
  const auto read =
      std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
  const bool whole = read.ec == std::errc() && read.ptr == digits.data() + digits.size();
  if (!whole || !is_xml_char(code)) return std::nullopt;
  return code;
}

bool is_good_text(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '&') {
      const std::size_t end = text.find(';', i);
      if (end == std::string_view::npos || !code_of(text.substr(i + 1, end - i - 1))) return false;
      i = end;
    } else if (c == '<' || (static_cast<unsigned char>(c) < 0x80U &&
                            !is_xml_char(static_cast<unsigned char>(c)))) {
      return false;
    }
  }
  return true;
}

std::string_view local_name(std::string_view name) noexcept {
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

class XmlScan {
 public:
  XmlScan(std::string_view text, const XmlLimits& limits, FlatVisitor& visitor)
      : text_(text), limits_(limits), visitor_(visitor) {}

  ScanStatus run() {
    if (!declaration()) return ScanStatus::malformed;
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != '<') return ScanStatus::malformed;
    do {
      if (!content()) return status_;
    } while (!open_.empty());
    skip_blanks();
    return at_ == text_.size() ? ScanStatus::ok : ScanStatus::malformed;
  }

 private:
  struct Open {
    std::string_view name;  // qualified
    std::size_t path = 0;   // length of the path of what is around it
    std::uint32_t begin = 0;
    std::uint32_t content = 0;
    bool has_text = false;
    bool has_child = false;
  };

  bool fail(ScanStatus status = ScanStatus::malformed) noexcept {
    status_ = status;
    return false;
  }
  void skip_blanks() noexcept {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  bool next_is(std::string_view word) const noexcept { return text_.substr(at_).starts_with(word); }
  std::uint32_t here() const noexcept { return static_cast<std::uint32_t>(at_); }

  // <?xml version="1.0" encoding="UTF-8" standalone="yes"?>, the last two optional.
  bool declaration() {
    if (!next_is("<?xml")) return true;
    at_ += 5;
    static constexpr std::array<std::string_view, 3> kNames = {"version", "encoding", "standalone"};
    std::size_t next = 0;
    for (;;) {
      const std::size_t blanks = at_;
      skip_blanks();
      if (next_is("?>")) {
        at_ += 2;
        return next > 0;
      }
      if (blanks == at_) return false;
      const auto name = read_name();
      if (!name) return false;
      const auto* const found = std::find(kNames.begin() + next, kNames.end(), *name);
      Span value;
      if (found == kNames.end() || (next == 0 && *name != "version") || !read_value(value)) {
        return false;
      }
      next = static_cast<std::size_t>(found - kNames.begin()) + 1;
      if (!is_known_declaration(*name, value.in(text_))) return false;
    }
  }

  static bool is_known_declaration(std::string_view name, std::string_view value) noexcept {
    if (name == "version") return value == "1.0";
    if (name == "encoding") return value == "UTF-8" || value == "utf-8";
    return value == "yes" || value == "no";
  }

  std::optional<std::string_view> read_name() noexcept {
    const std::size_t begin = at_;
    if (at_ == text_.size() || !is_name_start(text_[at_])) return std::nullopt;
    while (at_ < text_.size() && is_name_char(text_[at_])) ++at_;
    if (at_ < text_.size() && text_[at_] == ':') {
      ++at_;
      if (at_ == text_.size() || !is_name_start(text_[at_])) return std::nullopt;
      while (at_ < text_.size() && is_name_char(text_[at_])) ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

  // `= "value"`; the span is without quotes.
  bool read_value(Span& value) noexcept {
    skip_blanks();
    if (!next_is("=")) return false;
    ++at_;
    skip_blanks();
    if (!next_is("\"") && !next_is("'")) return false;
    const char quote = text_[at_++];
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) return false;
    value = {here(), static_cast<std::uint32_t>(end)};
    at_ = end + 1;
    return is_good_text(value.in(text_));
  }

  // Text up to the next tag, and the tag.
  bool content() {
    const std::size_t end = text_.find('<', at_);
    if (end == std::string_view::npos) return fail();
    const std::string_view text = text_.substr(at_, end - at_);
    if (!is_good_text(text) || text.find("]]>") != std::string_view::npos) return fail();
    if (!open_.empty()) {
      Open& element = open_.back();
      element.has_text = element.has_text || !std::all_of(text.begin(), text.end(), is_blank);
      if (element.has_text && element.has_child) return fail();
    }
    at_ = end + 1;
    return next_is("/") ? end_tag() : start_tag();
  }

  bool start_tag() {
    const std::uint32_t begin = here() - 1;
    const auto name = read_name();
    if (!name) return fail();  // comments, CDATA, instructions and document types too
    if (!open_.empty()) {
      if (open_.back().has_text) return fail();
      open_.back().has_child = true;
    }
    if (open_.size() == limits_.depth || ++count_ > limits_.fields) {
      return fail(ScanStatus::too_large);
    }
    Open element;
    element.name = *name;
    element.path = path_.size();
    element.begin = begin;
    if (!path_.empty()) path_.push_back('/');
    path_.append(local_name(*name));
    if (path_.size() > limits_.name_bytes) return fail(ScanStatus::too_large);
    if (!attributes()) return false;
    if (next_is("/>")) {
      at_ += 2;
      if (!report_valueless(begin, {here(), here()})) return false;
      path_.resize(element.path);
      // The root, written without a place for anything.
      return open_.empty() ? finish_root() : true;
    }
    if (!next_is(">")) return fail();
    ++at_;
    element.content = here();
    open_.push_back(element);
    return true;
  }

  // The loop of run() ends when nothing is open; a root without content never was.
  bool finish_root() noexcept {
    skip_blanks();
    return fail(at_ == text_.size() ? ScanStatus::ok : ScanStatus::malformed);
  }

  bool attributes() {
    seen_.clear();
    for (;;) {
      const std::uint32_t blanks = here();
      skip_blanks();
      if (at_ == text_.size()) return fail();
      if (text_[at_] == '>' || text_[at_] == '/') return true;
      if (blanks == here()) return fail();
      const auto name = read_name();
      Field field;
      if (!name || !read_value(field.value)) return fail();
      if (++count_ > limits_.fields) return fail(ScanStatus::too_large);
      const bool declares = *name == "xmlns" || name->starts_with("xmlns:");
      const std::string_view key = declares ? *name : local_name(*name);
      if (std::find(seen_.begin(), seen_.end(), key) != seen_.end()) return fail();
      seen_.push_back(key);
      if (seen_.size() > kMaxAttributes) return fail(ScanStatus::too_large);
      if (declares) continue;
      field.whole = {blanks, here()};
      const std::size_t path = path_.size();
      path_.append("/@").append(key);
      if (path_.size() > limits_.name_bytes) return fail(ScanStatus::too_large);
      const bool go_on = visitor_.on_field(path_, field);
      path_.resize(path);
      if (!go_on) return fail(ScanStatus::stopped);
    }
  }

  bool end_tag() {
    const std::uint32_t tag = here() - 1;
    ++at_;
    const auto name = read_name();
    if (!name || open_.empty() || *name != open_.back().name) return fail();
    skip_blanks();
    if (!next_is(">")) return fail();
    ++at_;
    const Open element = open_.back();
    open_.pop_back();
    if (!element.has_child && element.has_text) {
      Field field;
      field.value = {element.content, tag};
      field.whole = {element.begin, here()};
      if (!visitor_.on_field(path_, field)) return fail(ScanStatus::stopped);
    } else if (!report_valueless(element.begin, {element.content, tag})) {
      return false;
    }
    path_.resize(element.path);
    return true;
  }

  // The element that ends here.
  bool report_valueless(std::uint32_t begin, Span content) {
    Field field;
    field.value = content;
    field.whole = {begin, here()};
    return visitor_.on_valueless(path_, field) || fail(ScanStatus::stopped);
  }

  static constexpr std::size_t kMaxAttributes = 64;

  std::string_view text_;
  XmlLimits limits_;
  FlatVisitor& visitor_;
  std::size_t at_ = 0;
  std::size_t count_ = 0;
  ScanStatus status_ = ScanStatus::ok;
  std::string path_;
  std::vector<Open> open_;
  std::vector<std::string_view> seen_;  // attributes of one tag
};

// Whether the element that begins here is the root.
bool is_root(std::string_view text, std::uint32_t begin) noexcept {
  const std::size_t first = text.find('<', text.starts_with("<?") ? 2 : 0);
  return first == begin;
}

}  // namespace

ScanStatus scan_xml(std::string_view text, const XmlLimits& limits, FlatVisitor& visitor) {
  if (!fits_offsets(text)) return ScanStatus::too_large;
  // U+FFFE and U+FFFF are UTF-8 and no XML.
  if (!is_valid_utf8(text) || text.find("\xEF\xBF\xBE") != std::string_view::npos ||
      text.find("\xEF\xBF\xBF") != std::string_view::npos) {
    return ScanStatus::malformed;
  }
  return XmlScan(text, limits, visitor).run();
}

void decode_xml_value(std::string_view raw, std::string& out) {
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const std::size_t end = raw[i] == '&' ? raw.find(';', i) : std::string_view::npos;
    const auto code = end != std::string_view::npos ? code_of(raw.substr(i + 1, end - i - 1))
                                                    : std::optional<std::uint32_t>();
    if (code) {
      append_utf8(out, *code);
      i = end;
    } else {
      out.push_back(raw[i]);
    }
  }
}

bool encode_xml_value(std::string_view text, std::string& out) {
  const bool bad = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x80U && !is_xml_char(static_cast<unsigned char>(c));
  });
  if (bad || text.find("\xEF\xBF\xBE") != std::string_view::npos ||
      text.find("\xEF\xBF\xBF") != std::string_view::npos) {
    return false;
  }
  for (const char c : text) {
    const auto* const entity = std::find_if(kEntities.begin(), kEntities.end(),
                                            [c](const auto& known) { return known.second == c; });
    if (entity != kEntities.end()) {
      out.append("&").append(entity->first).append(";");
    } else if (c == '\n' || c == '\r' || c == '\t') {
      // Bare ones are normalised by readers, in attributes into blanks.
      out.append("&#").append(std::to_string(static_cast<int>(c))).append(";");
    } else {
      out.push_back(c);
    }
  }
  return true;
}

void xml_edits(std::string_view text, std::span<const FieldEdit> fields, std::vector<Edit>& out) {
  const std::size_t first = out.size();
  for (const FieldEdit& edit : fields) {
    const Field& field = edit.field;
    // An attribute's whole begins behind its element's '<'.
    const bool is_element = text[field.whole.begin] == '<';
    if (!edit.remove) {
      out.push_back({field.value, edit.replacement, {}});
      continue;
    }
    const bool is_left = is_element && is_root(text, field.whole.begin);
    const Span gone = is_left ? field.value : field.whole;
    // What was to be done inside of it came first.
    while (is_element && out.size() > first && out.back().at.begin >= gone.begin) out.pop_back();
    out.push_back({gone, {}, {}});
  }
}

}  // namespace paravent::proxy::body
