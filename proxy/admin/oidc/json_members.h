// JsonMembers: the members of one JSON object of a JWT or a key set, as far as anybody asks for
// them: texts, whole numbers, lists of texts. What is something else is only known to be there.
//
// Strict: duplicate members, bytes behind the end and everything that is no JSON are refused
// (RFC 8725 2.4, RFC 7519 4, RFC 7515 5.2). Pure functions; any thread.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"

namespace paravent::proxy::admin {

struct JsonMembers {
  std::map<std::string, std::string, std::less<>> texts;
  std::map<std::string, std::uint64_t, std::less<>> numbers;  // whole, without sign or exponent
  std::map<std::string, std::vector<std::string>, std::less<>> lists;  // of texts alone
  std::set<std::string, std::less<>> others;                           // of any other type

  bool has(std::string_view name) const;
  // Empty where there is no text of that name.
  std::string_view text(std::string_view name) const;
  std::optional<std::uint64_t> number(std::string_view name) const;
  // Whether the member is this text, or a list that holds it.
  bool holds(std::string_view name, std::string_view value) const;
};

inline constexpr std::size_t kMostJwtMembers = 256;  // of all objects in it
inline constexpr std::size_t kMostJwtDepth = 8;

// The object that the text is. ErrorKind::malformed: it is none, or goes beyond the limits.
crypto::Result<JsonMembers> read_json_members(std::string_view text);

// The objects in the list `keys` of the object that the text is (RFC 7517 5). ErrorKind::malformed:
// there is no such list, it holds something else than objects, or more than `most` of them.
crypto::Result<std::vector<JsonMembers>> read_key_objects(std::string_view text, std::size_t most);

}  // namespace paravent::proxy::admin
