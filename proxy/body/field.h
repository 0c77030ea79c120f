// What every codec of this room says about the bytes it reads, and what it is told to change.
//
// A codec is two pure functions on bytes: scan finds the fields and validates everything, splice
// replaces or removes some of them. Two laws hold for each (tests/proxy/body): splicing no edits is
// the identity; scanning after a splice sees exactly the edited values. Offsets count bytes from
// the start of the scanned text, which stays owned by the caller and must outlive every view.
// Nothing here allocates in the steady state: vectors and strings are the caller's and keep their
// capacity. No threads, no clocks, no input or output.

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace paravent::proxy::body {

struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  std::uint32_t size() const noexcept { return end - begin; }
  std::string_view in(std::string_view text) const noexcept {
    return text.substr(begin, end - begin);
  }
  bool operator==(const Span&) const = default;
};

enum class ValueKind : std::uint8_t { string, number, boolean, null };

// One field as it lies in the bytes.
struct Field {
  Span value;  // the raw value, still encoded; a JSON string with its quotes
  Span whole;  // what removing the field takes away, without separators (`name=value`)
  ValueKind kind = ValueKind::string;
  // A multipart part with a file name that is not empty, or with an empty one and contents all the
  // same. What a browser sends for a file input left empty is an ordinary empty field.
  bool is_file = false;
  Span file_name = {};  // multipart: between the quotes; empty where there is none
};

enum class ScanStatus : std::uint8_t {
  ok,
  stopped,      // the visitor asked to stop; the visitor knows why
  malformed,    // 400 malformed-body
  too_large,    // 413: more fields, parts, keys or nesting than the limits allow
  unsupported,  // 415: legal, but not what this codec takes on (nested multipart, an encoding)
};

// Receives the fields of a flat carrier (form, query, multipart, cookie) in order. The name is
// decoded and valid UTF-8; it lives until the call returns. Returning false stops the scan.
class FlatVisitor {
 public:
  virtual ~FlatVisitor() = default;
  virtual bool on_field(std::string_view name, const Field& field) = 0;
  // What has a name there and no value, behind all that is in it: an element of XML without text.
  virtual bool on_valueless(std::string_view /*name*/, const Field& /*field*/) { return true; }
};

// One change: the field's value gets replaced, or the whole field removed. `replacement` is a span
// of the arena, already in the carrier's encoding (encode_* of the codec). At most one per field.
struct FieldEdit {
  Field field;
  Span replacement;
  bool remove = false;
};

// A change on bare bytes: what the codecs make out of field edits, separators taken care of.
// Sorted by `at`, never overlapping. `lead` comes before the replacement: what the source lacks,
// such as the '=' of a pair written without one. It is a literal, so that edits need no arena to
// write to.
struct Edit {
  Span at;    // of the source
  Span with;  // of the arena
  std::string_view lead = {};
};

}  // namespace paravent::proxy::body
