// VectorSuite: one kind of vector file: how to recognise it, how to run it through the shipped
// primitives. The table is built from plain rows, so that a room above adds its own suites by
// concatenating its rows with vector_suites().

#pragma once

#include <boost/json/value.hpp>
#include <span>
#include <string_view>

#include "crypto/vectors/vector_report.h"

namespace paravent::crypto {

struct VectorSuite {
  std::string_view name;
  bool (*recognise)(const boost::json::value& document);
  void (*run)(const boost::json::value& document, VectorReport& report);
};

// The suites of this room, the most particular first.
std::span<const VectorSuite> vector_suites() noexcept;

}  // namespace paravent::crypto
