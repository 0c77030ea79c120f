// BodyMembers: the body of an admin request whose members are not all strings: one JSON object with
// strings, whole numbers, lists of strings and maps of strings, as the path asks for. Strict, as
// everything that the scanner of the data path reads; pure functions.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/base/result.h"

namespace paravent::proxy::admin {

enum class MemberType : std::uint8_t { text, number, list, map };

// `most`: bytes of a text, the highest number, entries of a list or map (whose strings have at most
// 64 KiB each).
struct MemberRule {
  std::string_view name;
  MemberType type = MemberType::text;
  std::uint64_t most = 1000;
};

struct BodyMembers {
  std::map<std::string, std::string, std::less<>> texts;
  std::map<std::string, std::uint64_t, std::less<>> numbers;
  std::map<std::string, std::vector<std::string>, std::less<>> lists;
  std::map<std::string, std::vector<std::pair<std::string, std::string>>, std::less<>> maps;

  // Empty where the member is absent.
  std::string_view text(std::string_view name) const;
  std::optional<std::uint64_t> number(std::string_view name) const;
  const std::vector<std::string>& list(std::string_view name) const;
};

// ErrorKind::malformed, with a sentence that names a member and never quotes the body: not strict
// JSON, another member than those of `rules`, one of another type or beyond its limit.
crypto::Result<BodyMembers> read_body_members(std::string_view body,
                                              std::span<const MemberRule> rules);

}  // namespace paravent::proxy::admin
