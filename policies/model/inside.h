// InsideForm: what an opened field's value really is: wrappings to take off, outermost first, and
// what is found in them. Written `as: [base64url, json]`.
//
//   wrapping   base64, base64url (RFC 4648 4 and 5, with or without padding), percent (RFC
//   3986 2.1), gzip (RFC 1952) content    json; query (pairs, after a '?' or not); url (the pairs
//   behind its '?'); mailto (the
//              address of a mailto: URI, RFC 6068, without headers); value (the text itself)
//
// Fields inside are named behind ` > `: json.PATH in json, query.NAME in query and url, `value` in
// mailto and value. Whatever was taken off is put on again around the protected value, spelled as
// it came. Plain data.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "policies/model/vocabulary.h"

namespace paravent::policies {

// Deeper nesting is an error of the policy (payloads.md shows three).
inline constexpr std::size_t kMaxNesting = 4;
inline constexpr std::size_t kMaxWrappings = 4;

enum class Wrapping : std::uint8_t { base64, base64url, percent, gzip };
enum class Content : std::uint8_t { value, json, query, url, mailto };

struct InsideForm {
  std::vector<Wrapping> wrappings;
  Content content = Content::value;
};

std::optional<Wrapping> wrapping_of(std::string_view word) noexcept;
std::optional<Content> content_of(std::string_view word) noexcept;
// What the fields inside belong to: json, query or value.
Carrier carrier_inside(Content content) noexcept;

}  // namespace paravent::policies
