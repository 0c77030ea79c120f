// JsonPath: where a value lies in a JSON document, from the top down. The word that the JSON codec
// (proxy/body) and the compiled plan share. Borrowed views; the codec says how long they live.

#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace paravent::policies {

// One step from the top to a value: a member's decoded key, or an element's index.
struct PathStep {
  std::string_view key;
  std::uint32_t index = 0;
  bool is_index = false;
  // Of an element that is an object: which [k=v] of the matcher it satisfies, by bit, and which it
  // may for a reader to whom names that differ in case are one.
  std::uint64_t filters = 0;
  std::uint64_t filters_any_case = 0;
};

using JsonPath = std::span<const PathStep>;

}  // namespace paravent::policies
