// VectorReport: what running one file of published test vectors gave.
//
// A plain value. Every skip carries its reason, every failure its case; `passed` counts a case that
// must be refused and was.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace paravent::crypto {

struct VectorNote {
  std::string id;    // the case inside the file, e.g. "tcId 12"
  std::string text;  // the reason
};

struct VectorReport {
  std::string suite;  // which suite recognised the file
  std::size_t passed = 0;
  std::vector<VectorNote> failures;
  std::vector<VectorNote> skips;
  // Cases passed because a rule of this product refuses what the vector allows; the rule is named.
  std::vector<VectorNote> refused_by_rule;

  std::size_t failed() const noexcept { return failures.size(); }
  std::size_t skipped() const noexcept { return skips.size(); }

  void pass() { ++passed; }
  void check(const std::string& id, bool right, std::string_view why) {
    if (right) {
      ++passed;
    } else {
      failures.push_back({id, std::string(why)});
    }
  }
  void refuse_by_rule(const std::string& id, std::string_view rule) {
    ++passed;
    refused_by_rule.push_back({id, std::string(rule)});
  }
  void skip(const std::string& id, std::string_view why) {
    skips.push_back({id, std::string(why)});
  }
};

}  // namespace paravent::crypto
