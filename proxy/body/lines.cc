#include "proxy/body/lines.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>

#include "proxy/body/find_stop.h"
#include "proxy/body/shifted_field.h"

namespace paravent::proxy::body {
namespace {

// Item types whose payload is no JSON text.
bool is_opaque_type(std::string_view type) noexcept {
  constexpr std::array<std::string_view, 5> kTypes = {"attachment", "replay_recording",
                                                      "replay_video", "statsd", "unreal_report"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

// Hands on what one document holds, with its number in front of every path.
class LineVisitor final : public JsonVisitor {
 public:
  LineVisitor(std::string_view text, JsonVisitor& visitor) : text_(text), visitor_(visitor) {}

  // `is_header`: of an item, whose framing is taken out.
  void begin(const Line& line, std::uint32_t index, bool is_header) {
    offset_ = line.text.begin;
    is_header_ = is_header;
    type_.clear();
    has_type_ = false;
    length_.reset();
    path_.assign(1, PathStep{{}, index, true, 0});
    std::string_view document = line.text.in(text_);
    document.remove_prefix(std::min(document.find_first_not_of(" \t\r\n"), document.size()));
    if (wants_filters() && document.starts_with('{')) {
      const FilterBits bits = visitor_.filters_of(document);
      path_.front().filters = bits.exact;
      path_.front().filters_any_case = bits.any_case;
    }
  }

  bool on_value(JsonPath path, const Field& field) override {
    if (is_header_ && path.size() == 1 && !path[0].is_index) {
      if (path[0].key == "type") {
        if (field.kind != ValueKind::string) return malformed();
        decode_json_value(shifted(field, offset_).value.in(text_), field.kind, type_);
        has_type_ = true;
        return true;
      }
      if (path[0].key == "length") {
        if (field.kind != ValueKind::number) return malformed();
        length_ = shifted(field.value, offset_);
        return true;
      }
    }
    return visitor_.on_value(whole_path(path), shifted(field, offset_));
  }

  bool on_container(JsonPath path, bool is_array) override {
    const bool is_framing = is_header_ && path.size() == 1 && !path[0].is_index &&
                            (path[0].key == "type" || path[0].key == "length");
    if (is_framing || (is_header_ && path.empty() && is_array)) return malformed();
    return visitor_.on_container(whole_path(path), is_array);
  }

  bool wants_ends() const override { return visitor_.wants_ends(); }
  bool on_container_end(JsonPath path, const Field& field) override {
    return visitor_.on_container_end(whole_path(path), shifted(field, offset_));
  }
  bool wants_filters() const override { return visitor_.wants_filters(); }
  FilterBits filters_of(std::string_view object) override { return visitor_.filters_of(object); }

  bool on_opaque(std::uint32_t index, std::string_view type, const Line& line) {
    Field field;
    field.value = line.text;
    field.whole = line.item;
    field.is_file = true;
    const std::array<PathStep, 2> path = {PathStep{{}, index, true, 0},
                                          PathStep{type, 0, false, 0}};
    return visitor_.on_value(path, field);
  }

  const std::optional<Span>& length() const { return length_; }
  const std::string& type() const { return type_; }
  bool has_type() const { return has_type_; }
  bool found_malformed() const { return found_malformed_; }

 private:
  bool malformed() {
    found_malformed_ = true;
    return false;
  }
  JsonPath whole_path(JsonPath path) {
    path_.resize(1);
    path_.insert(path_.end(), path.begin(), path.end());
    return path_;
  }

  std::string_view text_;
  JsonVisitor& visitor_;
  std::vector<PathStep> path_;
  std::uint32_t offset_ = 0;
  bool is_header_ = false;
  bool has_type_ = false;
  bool found_malformed_ = false;
  std::string type_;
  std::optional<Span> length_;
};

// Where the line at `begin` ends, its LF not counted.
std::uint32_t line_end(std::string_view text, std::uint32_t begin) noexcept {
  return static_cast<std::uint32_t>(std::min(text.find('\n', begin), text.size()));
}

class JsonLines {
 public:
  JsonLines(std::string_view text, const JsonLimits& limits, JsonScanner& scanner,
            JsonVisitor& visitor, std::vector<Line>& lines)
      : text_(text), limits_(limits), scanner_(scanner), visitor_(text, visitor), lines_(lines) {}

  ScanStatus each() {
    do {
      const ScanStatus status = take({{at_, line_end(text_, at_)}, {}, {}, false}, false);
      if (status != ScanStatus::ok) return status;
    } while (at_ < text_.size());
    return ScanStatus::ok;
  }

  ScanStatus envelope() {
    ScanStatus status = take({{at_, line_end(text_, at_)}, {}, {}, false}, false);
    while (status == ScanStatus::ok && at_ < text_.size()) status = item();
    return status;
  }

 private:
  // One document, and the LF behind it.
  ScanStatus take(const Line& line, bool is_header) {
    if (lines_.size() == kMaxLines) return ScanStatus::too_large;
    const auto index = static_cast<std::uint32_t>(lines_.size());
    visitor_.begin(line, index, is_header);
    const ScanStatus status = scanner_.scan(line.text.in(text_), limits_, visitor_);
    if (visitor_.found_malformed()) return ScanStatus::malformed;
    if (status != ScanStatus::ok) return status;
    lines_.push_back(line);
    at_ = line.text.end + (line.text.end < text_.size() ? 1U : 0U);
    return ScanStatus::ok;
  }

  ScanStatus item() {
    const std::uint32_t begin = at_;
    const ScanStatus status = take({{at_, line_end(text_, at_)}, {}, {}, false}, true);
    if (status != ScanStatus::ok) return status;
    const bool ended = text_[at_ - 1] != '\n';
    if (!visitor_.has_type() || ended) return ScanStatus::malformed;
    type_ = visitor_.type();
    Line payload;
    payload.opaque = is_opaque_type(type_);
    payload.text = {at_, line_end(text_, at_)};
    if (visitor_.length()) {
      payload.length = *visitor_.length();
      const auto length = length_of(payload.length.in(text_));
      if (!length || *length > text_.size() - at_) return ScanStatus::malformed;
      payload.text.end = at_ + *length;
      if (payload.text.end < text_.size() && text_[payload.text.end] != '\n') {
        return ScanStatus::malformed;
      }
    }
    const bool last = payload.text.end == text_.size();
    payload.item = {begin, payload.text.end + (last ? 0U : 1U)};
    if (!payload.opaque) return take(payload, false);
    if (lines_.size() == kMaxLines) return ScanStatus::too_large;
    const auto index = static_cast<std::uint32_t>(lines_.size());
    lines_.push_back(payload);
    at_ = payload.item.end;
    return visitor_.on_opaque(index, type_, payload) ? ScanStatus::ok : ScanStatus::stopped;
  }

  // Digits only: what else a JSON number may be written as, readers count differently.
  static std::optional<std::uint32_t> length_of(std::string_view number) noexcept {
    std::uint32_t length = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), length);
    if (read.ec != std::errc() || read.ptr != number.data() + number.size()) return std::nullopt;
    return length;
  }

  std::string_view text_;
  JsonLimits limits_;
  JsonScanner& scanner_;
  LineVisitor visitor_;
  std::vector<Line>& lines_;
  std::string type_;
  std::uint32_t at_ = 0;
};

// Fields of one form line, at their place in the body.
class FormLineVisitor final : public FlatVisitor {
 public:
  FormLineVisitor(FlatVisitor& visitor, std::uint32_t offset)
      : visitor_(visitor), offset_(offset) {}
  bool on_field(std::string_view name, const Field& field) override {
    return visitor_.on_field(name, shifted(field, offset_));
  }

 private:
  FlatVisitor& visitor_;
  std::uint32_t offset_;
};

// The edits of the fields that lie in `line`, made as if it were the whole text. `next`: the first
// field that is not behind.
template <typename MakeEdits>
void edit_line(std::string_view text, Span line, std::span<const FieldEdit> fields,
               std::size_t& next, const MakeEdits& make_edits, std::vector<Edit>& out) {
  std::vector<FieldEdit> inside;
  for (; next < fields.size() && fields[next].field.whole.begin < line.end; ++next) {
    inside.push_back(fields[next]);
    inside.back().field.value = {inside.back().field.value.begin - line.begin,
                                 inside.back().field.value.end - line.begin};
    inside.back().field.whole = {inside.back().field.whole.begin - line.begin,
                                 inside.back().field.whole.end - line.begin};
  }
  if (inside.empty()) return;
  const std::size_t first = out.size();
  make_edits(line.in(text), inside, out);
  for (std::size_t i = first; i < out.size(); ++i) out[i].at = shifted(out[i].at, line.begin);
}

std::size_t size_after(Span span, std::span<const Edit> edits) noexcept {
  std::size_t size = span.size();
  for (const Edit& edit : edits) size = size - edit.at.size() + edit.lead.size() + edit.with.size();
  return size;
}

}  // namespace

ScanStatus scan_json_lines(std::string_view text, LineForm form, const JsonLimits& limits,
                           JsonScanner& scanner, JsonVisitor& visitor, std::vector<Line>& lines) {
  lines.clear();
  if (!fits_offsets(text)) return ScanStatus::too_large;
  JsonLines reader(text, limits, scanner, visitor, lines);
  return form == LineForm::each ? reader.each() : reader.envelope();
}

ScanStatus scan_form_lines(std::string_view text, const FormLimits& limits, std::string& scratch,
                           FlatVisitor& visitor, std::vector<Line>& lines) {
  lines.clear();
  if (!fits_offsets(text)) return ScanStatus::too_large;
  for (std::uint32_t at = 0; at < text.size();) {
    const std::uint32_t end = line_end(text, at);
    Line line{{at, end}, {}, {}, false};
    if (end > at && text[end - 1] == '\r') --line.text.end;
    if (lines.size() == kMaxLines) return ScanStatus::too_large;
    lines.push_back(line);
    FormLineVisitor inside(visitor, at);
    const ScanStatus status = scan_form(line.text.in(text), limits, scratch, inside);
    if (status != ScanStatus::ok) return status;
    at = end + 1;
  }
  return ScanStatus::ok;
}

void json_line_edits(std::string_view text, std::span<const Line> lines,
                     std::span<const FieldEdit> fields, std::string& arena,
                     std::vector<Edit>& out) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Line& line = lines[i];
    const std::size_t first = out.size();
    // An item that goes takes everything in it along, whatever else was to be done there.
    const bool leads_opaque = i + 1 < lines.size() && lines[i + 1].opaque;
    if (leads_opaque) {
      const Span item = lines[i + 1].item;
      std::size_t gone = next;
      while (gone < fields.size() && fields[gone].field.whole.begin < item.end &&
             !(fields[gone].remove && fields[gone].field.whole == item)) {
        ++gone;
      }
      if (gone < fields.size() && fields[gone].field.whole == item) {
        out.push_back({item, {}, {}});
        next = gone + 1;
        ++i;
        continue;
      }
    }
    edit_line(text, line.text, fields, next, json_edits, out);
    if (line.length.size() == 0 || out.size() == first) continue;
    const std::size_t size = size_after(line.text, std::span<const Edit>(out).subspan(first));
    Edit length;
    length.at = line.length;
    length.with.begin = static_cast<std::uint32_t>(arena.size());
    arena.append(std::to_string(size));
    length.with.end = static_cast<std::uint32_t>(arena.size());
    // In front of the payload's edits and among those of the header, which lie in order.
    auto place = out.end();
    while (place != out.begin() && std::prev(place)->at.begin > length.at.begin) --place;
    out.insert(place, length);
  }
}

void form_line_edits(std::string_view text, std::span<const Line> lines,
                     std::span<const FieldEdit> fields, std::vector<Edit>& out) {
  std::size_t next = 0;
  for (const Line& line : lines) edit_line(text, line.text, fields, next, form_edits, out);
}

}  // namespace paravent::proxy::body
