// Removing fields from a text with separators: what the edit functions of the codecs share.
//
// A removed field takes the separator behind it; when none follows, the one before it. Neighbours
// that are removed together become one edit, because only their run as a whole knows whether a
// separator still follows. A run can only touch another removal: replaced values lie inside their
// field, and separators lie between.

#pragma once

#include <cstddef>
#include <vector>

#include "proxy/body/field.h"

namespace paravent::proxy::body {

// `first` is where this text's edits start in `out`. Returns what the caller widens by a separator.
inline Span& removal_run(std::vector<Edit>& out, std::size_t first, Span whole) {
  if (out.size() > first && out.back().at.end == whole.begin) {
    out.back().at.end = whole.end;
  } else {
    out.push_back({whole, {}, {}});
  }
  return out.back().at;
}

}  // namespace paravent::proxy::body
