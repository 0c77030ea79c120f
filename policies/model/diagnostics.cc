#include "policies/model/diagnostics.h"

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

namespace paravent::policies {
namespace {

constexpr std::size_t kExcerptBytes = 64;

// Levenshtein distance; both words are short (callers bound them).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

void append_escaped(std::string& out, std::string_view text) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
}

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_escaped(out, text);
  return out;
}

}  // namespace

std::string_view severity_name(Severity severity) noexcept {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::note:
      return "note";
  }
  return "error";
}

void Diagnostics::add(Severity severity, Position at, std::string key, std::string message,
                      std::string hint) {
  items_.push_back({severity, file_, at, std::move(key), std::move(message), std::move(hint)});
}

void Diagnostics::error(Position at, std::string key, std::string message, std::string hint) {
  add(Severity::error, at, std::move(key), std::move(message), std::move(hint));
}
void Diagnostics::warning(Position at, std::string key, std::string message, std::string hint) {
  add(Severity::warning, at, std::move(key), std::move(message), std::move(hint));
}
void Diagnostics::note(Position at, std::string key, std::string message, std::string hint) {
  add(Severity::note, at, std::move(key), std::move(message), std::move(hint));
}

void Diagnostics::sort() {
  std::stable_sort(items_.begin(), items_.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.at.line, a.at.column, a.severity) <
           std::tie(b.at.line, b.at.column, b.severity);
  });
}

std::size_t Diagnostics::count(Severity severity) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(items_.begin(), items_.end(),
                    [severity](const Diagnostic& item) { return item.severity == severity; }));
}

bool Diagnostics::has_errors() const noexcept { return count(Severity::error) > 0; }

std::string diagnostic_text(const Diagnostic& d) {
  std::string out = escaped(d.file);
  out += ':' + std::to_string(d.at.line) + ':' + std::to_string(d.at.column) + ": ";
  out += severity_name(d.severity);
  out += ": ";
  if (!d.key.empty()) out += escaped(d.key) + ": ";
  out += escaped(d.message);
  if (!d.hint.empty()) out += ". " + escaped(d.hint);
  return out;
}

std::string diagnostics_text(const Diagnostics& diagnostics) {
  std::string out;
  for (const Diagnostic& item : diagnostics.items()) out += diagnostic_text(item) + '\n';
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  if (text.size() <= kExcerptBytes) {
    append_escaped(out, text);
    return out + '"';
  }
  std::size_t cut = kExcerptBytes;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;  // whole UTF-8
  append_escaped(out, text.substr(0, cut));
  return out + "...\"";
}

std::string listed(const std::vector<std::string_view>& words) {
  std::string out = "One of ";
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += ", ";
    out += words[i];
  }
  return out;
}

std::string suggestion(std::string_view wrong, const std::vector<std::string_view>& words,
                       std::string otherwise) {
  if (wrong.empty() || wrong.size() > kExcerptBytes) return otherwise;
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, wrong.size() / 3) + 1;
  for (const std::string_view word : words) {
    const std::size_t distance = edit_distance(wrong, word);
    if (distance < best_distance) {
      best = word;
      best_distance = distance;
    }
  }
  if (best.empty()) return otherwise;
  return "Did you mean " + quoted(best) + "?";
}

}  // namespace paravent::policies
