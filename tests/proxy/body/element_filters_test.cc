#include "proxy/body/element_filters.h"

#include <gtest/gtest.h>
#include <time.h>

#include "tests/proxy/body/filters_oracle.h"
#include "tests/proxy/body/random.h"

namespace paravent::proxy::body::test {
namespace {

std::string random_value(Random& random, int depth) {
  constexpr std::string_view kScalars[] = {"\"a\"", "\"b\"",       "\"\"",       "1",
                                           "null",  "\"\\u0061\"", "\"long b\"", "true"};
  constexpr std::string_view kKeys[] = {"name", "Name", "NAME", "n\\u0061me", "é",
                                        "É",    "k",    "K",    "\\u212a",    "x"};
  if (depth == 0 || random.one_in(3)) return std::string(random.pick(kScalars));
  std::string text;
  if (random.one_in(2)) {
    for (std::size_t i = random.below(4); i > 0; --i) {
      text.append(text.empty() ? "" : " , ").append(random_value(random, depth - 1));
    }
    return "[" + text + "]";
  }
  std::string seen;
  for (std::size_t i = random.below(5); i > 0; --i) {
    const std::string_view key = random.pick(kKeys);
    const char first = key == "n\\u0061me" ? 'n' : key.front();
    if (first != '\\' && seen.find(key) != std::string::npos) continue;
    if (key == "n\\u0061me" && seen.find("|name|") != std::string::npos) continue;
    seen.append("|").append(key == "n\\u0061me" ? "name" : key).append("|");
    text.append(text.empty() ? "" : ",").append("\"").append(key).append("\" : ");
    text.append(random_value(random, depth - 1));
  }
  return "{" + text + "}";
}

TEST(ElementFilters, FindWhatBoostFinds) {
  ElementFilters filters;
  JsonScanner scanner(7);
  std::size_t elements = 0;
  std::size_t holding = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Random random(seed);
    const std::string text = "[" + random_value(random, 5) + "," + random_value(random, 5) + "]";
    FilterRecorder recorder(filters);
    if (scanner.scan(text, {}, recorder) != ScanStatus::ok) continue;  // a key twice
    boost::system::error_code error;
    const auto value = boost::json::parse(text, error);
    ASSERT_FALSE(error) << text;
    ASSERT_TRUE(FilterOracle(recorder.found).agrees(value)) << text;
    elements += recorder.found.size();
    for (const FilterBits& bits : recorder.found) holding += bits.any_case != 0 ? 1 : 0;
  }
  EXPECT_GT(elements, 10'000U);
  EXPECT_GT(holding, 1'000U);
}

TEST(ElementFilters, AMemberIsStringsValueAndNothingDeeper) {
  ElementFilters filters;
  const auto bits = [&](std::string_view object) {
    filters.begin_text();
    return filters.of(object, oracle_filters());
  };
  EXPECT_EQ(bits(R"({"x":1,"name":"a"})").exact, 1U);
  EXPECT_EQ(bits(R"({"name":"a","Name":"b"})").exact, 3U);
  EXPECT_EQ(bits(R"({"name":{"name":"a"}})").any_case, 0U);
  EXPECT_EQ(bits(R"({"name":["a"],"x":"a"})").any_case, 0U);
  EXPECT_EQ(bits(R"({"x":{"name":"a"}})").any_case, 0U) << "that is no element";
  EXPECT_EQ(bits(R"({"NAME":"a"})").exact, 0U);
  EXPECT_EQ(bits(R"({"NAME":"a"})").any_case, 1U);
}

// Whatever is broken: the scan refuses it, so nothing may depend on what is answered; it ends.
TEST(ElementFilters, WhatIsMalformedEndsTheReading) {
  const std::string whole = R"({"a":[{"name":"a"},{"k":""}],"name":"a"})";
  for (std::size_t size = 1; size < whole.size(); ++size) {
    ElementFilters filters;
    EXPECT_EQ(filters.of(std::string_view(whole).substr(0, size), oracle_filters()).any_case, 0U);
  }
  ElementFilters filters;
  EXPECT_EQ(filters.of("{}}", oracle_filters()).any_case, 0U);
  filters.begin_text();
  EXPECT_EQ(filters.of("{]", oracle_filters()).any_case, 0U);
  filters.begin_text();
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "{\"a\":[";
  EXPECT_EQ(filters.of(deep, oracle_filters()).any_case, 0U);
}

double seconds_of_scan(std::string_view text,
                       std::span<const policies::JsonMatcher::Filter> asked) {
  class Visitor final : public JsonVisitor {
   public:
    explicit Visitor(std::span<const policies::JsonMatcher::Filter> asked) : asked_(asked) {}
    bool on_value(JsonPath, const Field&) override { return true; }
    bool on_container(JsonPath, bool) override { return true; }
    bool wants_filters() const override { return !asked_.empty(); }
    FilterBits filters_of(std::string_view object) override { return filters_.of(object, asked_); }

   private:
    std::span<const policies::JsonMatcher::Filter> asked_;
    ElementFilters filters_;
  };
  Visitor visitor(asked);
  JsonScanner scanner(7);
  timespec begin{};
  timespec end{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begin);
  EXPECT_EQ(scanner.scan(text, {}, visitor), ScanStatus::ok);
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
  return static_cast<double>(end.tv_sec - begin.tv_sec) +
         static_cast<double>(end.tv_nsec - begin.tv_nsec) / 1e9;
}

// Numbers inside of fourteen elements inside of each other, asked about by 63 filters: once a scan
// of the whole for each filter and depth, which was seconds.
TEST(ElementFilters, ManyOfThemAndDeepElementsCostOneMorePass) {
  std::vector<policies::JsonMatcher::Filter> asked;
  for (int i = 0; i < 63; ++i) asked.push_back({"name" + std::to_string(i), "value"});
  std::string text = "[";
  for (int i = 0; i < 14; ++i) text += R"({"a":[)";
  for (int i = 0; i < 1'000'000; ++i) text += "1,";
  text += "1";
  for (int i = 0; i < 14; ++i) text += R"(],"b":"c"})";
  text += "]";
  const double without = seconds_of_scan(text, {});
  const double with = seconds_of_scan(text, asked);
  EXPECT_LT(with, 10 * without) << without;
}

}  // namespace
}  // namespace paravent::proxy::body::test
