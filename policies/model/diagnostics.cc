#include "policies/model/diagnostics.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace paravent::policies {
namespace {

constexpr std::size_t kExcerptBytes = 64;

// Edits between two short words, where swapping two neighbours counts as one (optimal string
// alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  const std::size_t width = b.size() + 1;
  std::vector<std::size_t> cost((a.size() + 1) * width);
  const auto at = [&](std::size_t i, std::size_t j) -> std::size_t& { return cost[i * width + j]; };
  for (std::size_t i = 0; i <= a.size(); ++i) at(i, 0) = i;
  for (std::size_t j = 0; j <= b.size(); ++j) at(0, j) = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = at(i - 1, j - 1) + (a[i - 1] == b[j - 1] ? 0U : 1U);
      at(i, j) = std::min({at(i - 1, j) + 1, at(i, j - 1) + 1, change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) at(i, j) = std::min(at(i, j), at(i - 2, j - 2) + 1);
    }
  }
  return at(a.size(), b.size());
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

std::string in_quotes(std::string_view text) {
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
  return "Did you mean " + in_quotes(best) + "?";
}

}  // namespace paravent::policies
