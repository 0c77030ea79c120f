// Reads the case files of this folder (format: cases/README.md).

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace paravent::proxy::net {

struct Case {
  std::string file;
  std::string name;
  std::string outcome;                          // first word(s): "ok", "refused framing", ...
  std::map<std::string, std::string> expected;  // of an "ok"
  std::string bytes;
};

// Every case of every .http file below `folder`, in order. Throws std::runtime_error on a mistake
// in one.
std::vector<Case> read_cases(const std::string& folder);

// Undoes \r \n \t \0 \s \xHH and \\.
std::string unescape(std::string_view text);

}  // namespace paravent::proxy::net
