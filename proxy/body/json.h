// JSON (RFC 8259), read strictly in one pass that visits every token and never re-serialises.
//
// Refused as malformed: duplicate keys of one object (compared after unescaping), a byte order
// mark, other encodings than UTF-8, lone surrogates, raw control characters, trailing bytes,
// comments, leading zeros, anything else outside the grammar. Numbers and escapes that no rule
// touches stay byte-identical. Limits answer too_large. Linear time in the length whatever the keys
// (keyed hashing). The top level may be any value.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policies/plan/json_path.h"
#include "proxy/body/field.h"

namespace paravent::proxy::body {

struct JsonLimits {
  std::size_t depth = 32;
  std::size_t keys = 20000;
  std::size_t key_bytes = 1024;  // decoded
};

using policies::JsonPath;
using policies::PathStep;

// Which [k=v] an element satisfies, by bit: by its own spelling, and (these included) for readers
// to whom names that differ in case are one.
struct FilterBits {
  std::uint64_t exact = 0;
  std::uint64_t any_case = 0;
};

// The path and its keys live until the call returns. Returning false stops the scan.
class JsonVisitor {
 public:
  virtual ~JsonVisitor() = default;
  // A string, number, boolean or null.
  virtual bool on_value(JsonPath path, const Field& field) = 0;
  // An object or an array, before its contents are visited.
  virtual bool on_container(JsonPath path, bool is_array) = 0;
  // Of every object that is an element, before on_container() is asked about it, where
  // wants_filters(): what PathStep's filters shall be for everything inside (element_filters.h).
  // `object` is the text from its brace on; nothing of it is validated yet.
  virtual bool wants_filters() const { return false; }
  virtual FilterBits filters_of(std::string_view /*object*/) { return {}; }
  // Of every object and array that is a member, where it has ended, and where wants_ends(). The
  // field's value is all of it, its kind says nothing.
  virtual bool wants_ends() const { return false; }
  virtual bool on_container_end(JsonPath /*path*/, const Field& /*field*/) { return true; }
};

class KeySet;

// The state that a scan reuses from one body to the next. Owned by one thread.
class JsonScanner {
 public:
  // `hash_key` is random per process: hash flooding must not be computable from outside.
  explicit JsonScanner(std::uint64_t hash_key);
  ~JsonScanner();
  JsonScanner(const JsonScanner&) = delete;
  JsonScanner& operator=(const JsonScanner&) = delete;

  ScanStatus scan(std::string_view text, const JsonLimits& limits, JsonVisitor& visitor);

  // As the last scan left them.
  const KeySet& keys() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Appends the decoded text of a string (unescaped, without quotes), or a number's or boolean's own
// spelling. REQUIRES: `raw` comes from a scan that answered ok.
void decode_json_value(std::string_view raw, ValueKind kind, std::string& out);
// Appends `text` as a JSON string with quotes. REQUIRES: valid UTF-8.
void encode_json_string(std::string_view text, std::string& out);

// Appends byte edits for field edits (in scan order); a removed member or element takes one comma
// with it. A removed array element shifts its successors. A value that is the whole text cannot go
// without leaving something that is no JSON: it becomes null.
void json_edits(std::string_view text, std::span<const FieldEdit> fields, std::vector<Edit>& out);

}  // namespace paravent::proxy::body
