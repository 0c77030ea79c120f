// The URL normaliser against the web platform's own cases (tests/vectors/url): what no browser
// takes is refused, and what is accepted means what a browser makes of it.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>

#include "crypto/tokens/ascii.h"
#include "crypto/tokens/normaliser.h"
#include "tests/support/whole_file.h"

namespace paravent::crypto {
namespace {

std::string normal(std::string_view url) {
  std::string out;
  return normalise(Kind::url, url, {}, out) ? out : "-";
}

bool contains_lowered(std::string text, std::string_view wanted) {
  lower(text);
  return text.find(wanted) != std::string::npos;
}

// The cases that are about what this kind reads; others are resolved against a base.
bool of_this_kind(const std::string& input) {
  std::string start(trim(input).substr(0, 8));
  lower(start);
  return start.starts_with("http://") || start.starts_with("https://");
}

// Where we differ on purpose.
bool excepted(const std::string& input) {
  return contains_lowered(input, "xn--pokxncvks") ||     // A-labels are taken as they come
         contains_lowered(input, "\xEF\xBB\xBF/foo") ||  // invisible characters go
         contains_lowered(input, "\xE2\x80\xAE/foo") ||  // the same
         input == "http://host/?'";                      // RFC 3986 allows it in a query
}

TEST(UrlVectors, WhatIsAcceptedIsWhatABrowserReads) {
  const std::string text = test::whole_file("tests/vectors/url/urltestdata.json");
  const boost::json::value list = boost::json::parse(text);
  std::size_t refused = 0;
  std::size_t accepted = 0;
  for (const auto& entry : list.as_array()) {
    if (!entry.is_object()) continue;
    const auto& test = entry.as_object();
    const std::string input(test.at("input").as_string());
    if (!of_this_kind(input) || excepted(input)) continue;
    const std::string ours = normal(input);
    if (test.contains("failure")) {
      EXPECT_EQ(ours, "-") << input;
      ++refused;
    } else if (ours != "-") {
      EXPECT_EQ(ours, normal(std::string_view(test.at("href").as_string()))) << input;
      ++accepted;
    }
  }
  EXPECT_GT(refused, 100U);
  EXPECT_GT(accepted, 100U);
}

}  // namespace
}  // namespace paravent::crypto
