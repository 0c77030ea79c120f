// SplicedBytes: source bytes with edits applied, as segments and without copying.
//
// Borrows source, edits and arena, which must outlive it and stay unchanged. REQUIRES: edits
// sorted, not overlapping, inside the source. Nothing fails.

#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "proxy/body/field.h"

namespace paravent::proxy::body {

class SplicedBytes {
 public:
  SplicedBytes() = default;
  SplicedBytes(std::string_view source, std::span<const Edit> edits,
               std::string_view arena) noexcept
      : source_(source), edits_(edits), arena_(arena) {}

  // The length after splicing, in bytes.
  std::size_t size() const noexcept {
    std::size_t total = source_.size();
    for (const Edit& edit : edits_) {
      total = total - edit.at.size() + edit.lead.size() + edit.with.size();
    }
    return total;
  }

  bool untouched() const noexcept { return edits_.empty(); }

  // Calls sink(std::string_view) for each non-empty segment, in order.
  template <typename Sink>
  void for_each_segment(Sink&& sink) const {
    std::size_t at = 0;
    for (const Edit& edit : edits_) {
      if (edit.at.begin > at) sink(source_.substr(at, edit.at.begin - at));
      if (!edit.lead.empty()) sink(edit.lead);
      if (edit.with.size() > 0) sink(edit.with.in(arena_));
      at = edit.at.end;
    }
    if (at < source_.size()) sink(source_.substr(at));
  }

 private:
  std::string_view source_;
  std::span<const Edit> edits_;
  std::string_view arena_;
};

// The same in one piece, for callers that want a string and for tests.
inline std::string splice(std::string_view source, std::span<const Edit> edits,
                          std::string_view arena) {
  const SplicedBytes bytes(source, edits, arena);
  std::string out;
  out.reserve(bytes.size());
  bytes.for_each_segment([&out](std::string_view segment) { out.append(segment); });
  return out;
}

}  // namespace paravent::proxy::body
