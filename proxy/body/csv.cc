#include "proxy/body/csv.h"

#include <algorithm>

#include "proxy/body/find_stop.h"
#include "proxy/body/utf8.h"

namespace paravent::proxy::body {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_control(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

// Reads cells one after the other.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : text_(text) {}

  enum class End : std::uint8_t { cell, record, text, malformed };

  // The cell that begins here. `end`: what follows it, which is passed over.
  Span cell(End& end) noexcept {
    const std::size_t begin = at_;
    const bool ok = at_ < text_.size() && text_[at_] == '"' ? quoted() : bare();
    const Span span{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_)};
    end = ok ? separator() : End::malformed;
    return span;
  }
  bool at_end() const noexcept { return at_ == text_.size(); }

 private:
  bool quoted() noexcept {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        if (at_ == text_.size() || text_[at_] != '"') return true;
      } else if (is_control(text_[at_]) && text_[at_] != '\n' && text_[at_] != '\r') {
        return false;
      }
    }
    return false;
  }

  bool bare() noexcept {
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n' && text_[at_] != '\r') {
      if (text_[at_] == '"' || is_control(text_[at_])) return false;
      ++at_;
    }
    return true;
  }

  End separator() noexcept {
    if (at_ == text_.size()) return End::text;
    if (text_[at_] == ',') {
      ++at_;
      return End::cell;
    }
    const bool crlf = text_.substr(at_).starts_with("\r\n");
    if (!crlf && text_[at_] != '\n') return End::malformed;
    if (seen_end_ && crlf != crlf_) return End::malformed;
    seen_end_ = true;
    crlf_ = crlf;
    at_ += crlf ? 2 : 1;
    return End::record;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool seen_end_ = false;
  bool crlf_ = false;
};

bool is_name(std::string_view name) noexcept {
  return !name.empty() && name.front() != ' ' && name.back() != ' ' &&
         name.find_first_of("\"\r\n") == std::string_view::npos;
}

ScanStatus read_names(Reader& reader, std::string_view text, const CsvLimits& limits,
                      std::vector<std::string>& names, Reader::End& end) {
  do {
    const Span cell = reader.cell(end);
    if (end == Reader::End::malformed) return ScanStatus::malformed;
    if (names.size() == limits.columns) return ScanStatus::too_large;
    std::string& name = names.emplace_back();
    decode_csv_value(cell.in(text), name);
    if (name.size() > limits.name_bytes) return ScanStatus::too_large;
    if (!is_name(name)) return ScanStatus::malformed;
  } while (end == Reader::End::cell);
  std::vector<std::string_view> sorted(names.begin(), names.end());
  std::sort(sorted.begin(), sorted.end());
  const bool twice = std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
  return twice ? ScanStatus::malformed : ScanStatus::ok;
}

}  // namespace

ScanStatus scan_csv(std::string_view text, const CsvLimits& limits, FlatVisitor& visitor) {
  if (!fits_offsets(text)) return ScanStatus::too_large;
  if (text.starts_with(kByteOrderMark) || !is_valid_utf8(text)) return ScanStatus::malformed;
  Reader reader(text);
  std::vector<std::string> names;
  auto end = Reader::End::cell;
  const ScanStatus status = read_names(reader, text, limits, names, end);
  if (status != ScanStatus::ok) return status;
  std::size_t cells = 0;
  while (end == Reader::End::record && !reader.at_end()) {
    for (std::size_t column = 0; column < names.size(); ++column) {
      Field field;
      field.value = reader.cell(end);
      field.whole = field.value;
      const bool last = column + 1 == names.size();
      if (end == Reader::End::malformed || (end == Reader::End::cell) == last) {
        return ScanStatus::malformed;
      }
      if (++cells > limits.cells) return ScanStatus::too_large;
      if (!visitor.on_field(names[column], field)) return ScanStatus::stopped;
    }
  }
  return cells == 0 ? ScanStatus::malformed : ScanStatus::ok;
}

void decode_csv_value(std::string_view raw, std::string& out) {
  if (!raw.starts_with('"')) {
    out.append(raw);
    return;
  }
  raw = raw.substr(1, raw.size() - 2);
  for (std::size_t i = 0; i < raw.size(); ++i) {
    out.push_back(raw[i]);
    if (raw[i] == '"') ++i;  // the second one of a pair
  }
}

bool encode_csv_value(std::string_view text, std::string& out) {
  const bool bad = std::any_of(text.begin(), text.end(),
                               [](char c) { return is_control(c) && c != '\n' && c != '\r'; });
  if (bad) return false;
  // An empty cell could be a whole line, which some readers skip.
  if (!text.empty() && text.find_first_of("\",\r\n") == std::string_view::npos) {
    out.append(text);
    return true;
  }
  out.push_back('"');
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
  return true;
}

void csv_edits(std::string_view text, std::span<const FieldEdit> fields, std::vector<Edit>& out) {
  for (const FieldEdit& edit : fields) {
    // A record of one column and nothing in it would be an empty line, which some readers skip.
    const Span at = edit.field.value;
    const bool alone = edit.remove && (at.begin == 0 || text[at.begin - 1] == '\n') &&
                       (at.end == text.size() || text[at.end] != ',');
    if (alone) {
      out.push_back({at, {}, "\"\""});
    } else {
      out.push_back({at, edit.remove ? Span{} : edit.replacement, {}});
    }
  }
}

}  // namespace paravent::proxy::body
