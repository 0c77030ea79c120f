// A test that lets an allocation fail once, and once with all behind it.

#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/support/allocation_counter.h"

namespace paravent::testing {

class EitherFailing : public ::testing::TestWithParam<Failing> {};

inline auto either_failing() { return ::testing::Values(Failing::once, Failing::from_there_on); }

inline std::string name_of_failing(const ::testing::TestParamInfo<Failing>& how) {
  return how.param == Failing::once ? "Once" : "FromThereOn";
}

}  // namespace paravent::testing
