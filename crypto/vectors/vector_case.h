// VectorCase: typed access to one JSON object of a vector file. A missing or ill-formed member
// makes the case incomplete instead of ending the run; the suite then reports it as failed.

#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/vectors/vector_report.h"

namespace paravent::crypto {

class VectorCase {
 public:
  explicit VectorCase(const boost::json::value& value) : object_(value.if_object()) {}

  // Published files spell hexadecimal in either case.
  Bytes hex(std::string_view name);
  std::string text(std::string_view name);
  std::uint64_t number(std::string_view name);
  // nullptr when there is none, which does not make the case incomplete.
  const boost::json::value* member(std::string_view name) const;

  bool complete() const noexcept { return complete_ && object_ != nullptr; }

 private:
  const boost::json::value* find(std::string_view name);

  const boost::json::object* object_;
  bool complete_ = true;
};

// The value of a string member of an object; empty when there is none.
std::string_view string_member(const boost::json::value& value, std::string_view name) noexcept;
// An array member; an empty array when there is none.
const boost::json::array& array_member(const boost::json::value& value,
                                       std::string_view name) noexcept;

inline constexpr std::string_view kIncompleteCase =
    "the case lacks a member or it is not of its type";

}  // namespace paravent::crypto
