// TextMembers: the body of most admin requests, one JSON object whose members are strings. Strict,
// as everything that the scanner of the data path reads; pure functions.

#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace paravent::proxy::admin {

inline constexpr std::size_t kMaxMemberBytes = 1000;

using TextMembers = std::map<std::string, std::string, std::less<>>;

// ErrorKind::malformed, with a sentence: not strict JSON, no object, another member than `known`, a
// member that is no string or longer than 1000 bytes. An empty body has no members.
crypto::Result<TextMembers> read_text_members(std::string_view body,
                                              std::span<const std::string_view> known);

}  // namespace paravent::proxy::admin
