// Which [k=v] the elements of a text satisfy, by ElementFilters during a scan and by Boost.JSON:
// for the tests and for the fuzz target.

#pragma once

#include <array>
#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "policies/plan/key_case.h"
#include "proxy/body/element_filters.h"
#include "proxy/body/json.h"

namespace paravent::proxy::body::test {

inline const std::array<policies::JsonMatcher::Filter, 4>& oracle_filters() {
  static const std::array<policies::JsonMatcher::Filter, 4> filters = {
      {{"name", "a"}, {"Name", "b"}, {"é", "a"}, {"k", ""}}};
  return filters;
}

class FilterRecorder final : public JsonVisitor {
 public:
  explicit FilterRecorder(ElementFilters& filters) : filters_(filters) { filters_.begin_text(); }
  bool on_value(JsonPath, const Field&) override { return true; }
  bool on_container(JsonPath, bool) override { return true; }
  bool wants_filters() const override { return true; }
  FilterBits filters_of(std::string_view object) override {
    found.push_back(filters_.of(object, oracle_filters()));
    return found.back();
  }

  std::vector<FilterBits> found;

 private:
  ElementFilters& filters_;
};

class FilterOracle {
 public:
  explicit FilterOracle(const std::vector<FilterBits>& found) : found_(found) {}

  // Whether each element has what was found, in the order of the text.
  bool agrees(const boost::json::value& value) {
    return walk(value, false) && at_ == found_.size();
  }

 private:
  bool walk(const boost::json::value& value, bool is_element) {
    if (const auto* array = value.if_array()) {
      for (const auto& element : *array) {
        if (!walk(element, true)) return false;
      }
    }
    const auto* object = value.if_object();
    if (object == nullptr) return true;
    if (is_element && !check(*object)) return false;
    for (const auto& member : *object) {
      if (!walk(member.value(), false)) return false;
    }
    return true;
  }
  bool check(const boost::json::object& object) {
    FilterBits bits;
    const auto& filters = oracle_filters();
    for (std::size_t i = 0; i < filters.size(); ++i) {
      for (const auto& member : object) {
        const auto* text = member.value().if_string();
        if (text == nullptr || *text != filters[i].value) continue;
        const std::string_view key(member.key().data(), member.key().size());
        if (key == filters[i].key) bits.exact |= std::uint64_t{1} << i;
        if (policies::same_in_any_case(key, filters[i].key)) bits.any_case |= std::uint64_t{1} << i;
      }
    }
    if (at_ == found_.size()) return false;
    const FilterBits& found = found_[at_++];
    return found.exact == bits.exact && found.any_case == bits.any_case;
  }

  const std::vector<FilterBits>& found_;
  std::size_t at_ = 0;
};

}  // namespace paravent::proxy::body::test
