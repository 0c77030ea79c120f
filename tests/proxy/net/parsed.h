// Runs the parsers over a whole input, cut as asked, and tells the outcome in the words of the case
// files.

#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace paravent::proxy::net {

struct Parsed {
  std::string outcome;  // "ok", "refused REASON", "incomplete"; responses: "bad"
  std::map<std::string, std::string> facts;  // as in the case files, all of them
  bool operator==(const Parsed&) const = default;
};

// How many bytes become visible next, given how many already are.
using Cut = std::function<std::size_t(std::size_t seen)>;

struct ParseLimits {
  std::size_t header_bytes = 16 * 1024;
  std::size_t line_bytes = 8 * 1024;
  std::size_t header_count = 100;
};

Parsed parse_request(std::string_view input, const Cut& cut, const ParseLimits& limits = {});
Parsed parse_response(std::string_view input, const Cut& cut, bool to_head = false);

// All at once; one byte at a time; `n` bytes at a time.
Cut whole();
Cut pieces_of(std::size_t n);

}  // namespace paravent::proxy::net
