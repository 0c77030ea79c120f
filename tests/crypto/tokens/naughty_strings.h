// The strings of tests/vectors/naughty-strings, and lists like it: one JSON array of strings.

#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "tests/support/whole_file.h"

namespace paravent::crypto::testing {

inline std::vector<std::string> naughty_strings() {
  const std::string text = test::whole_file("tests/vectors/naughty-strings/blns.json");
  const boost::json::value list = boost::json::parse(text);
  std::vector<std::string> strings;
  for (const auto& value : list.as_array()) strings.emplace_back(value.as_string());
  return strings;
}

}  // namespace paravent::crypto::testing
