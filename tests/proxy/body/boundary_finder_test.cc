#include "proxy/body/boundary_finder.h"

#include <gtest/gtest.h>

#include "tests/proxy/body/random.h"

namespace paravent::proxy::body::test {
namespace {

// Dashes in front as browsers write them, and then what differs from place to place, or does not.
std::string boundary_of(std::size_t size, bool all_dashes) {
  std::string boundary;
  for (std::size_t i = 0; i < size; ++i) {
    boundary.push_back(all_dashes || i < size / 3 ? '-' : static_cast<char>('A' + i % 23));
  }
  return boundary;
}

TEST(BoundaryFinder, FindsTheBoundaryWhereverItStands) {
  for (std::size_t size = 3; size <= 72; ++size) {
    const std::string boundary = boundary_of(size, false);
    const BoundaryFinder finder(boundary);
    for (std::size_t before = 0; before < 300; ++before) {
      for (const std::size_t behind : {std::size_t{0}, std::size_t{1}, std::size_t{200}}) {
        const std::string text = std::string(before, 'x') + boundary + std::string(behind, 'x');
        ASSERT_EQ(finder.find(text, 0), before) << size;
        ASSERT_EQ(finder.find(text, before), before) << size;
        ASSERT_EQ(finder.find(text, before + 1), std::string::npos) << size;
        ASSERT_EQ(finder.find(std::string_view(text).substr(0, before + size - 1), 0),
                  std::string::npos)
            << "what is cut off is no boundary";
      }
    }
  }
}

TEST(BoundaryFinder, AgreesWithALookAtEveryByte) {
  std::size_t found = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Random random(seed);
    const std::string boundary = boundary_of(3 + random.below(70), random.one_in(8));
    const BoundaryFinder finder(boundary);
    std::string text;
    for (std::size_t pieces = random.below(40); pieces > 0; --pieces) {
      const std::size_t at = random.below(boundary.size());
      switch (random.below(4)) {
        case 0:
          text.append(random.bytes(60));
          break;
        case 1:
          text.append(random.below(30), '-');
          break;
        case 2:
          text.append(boundary, at, random.below(boundary.size()));
          break;
        default:
          if (random.one_in(3)) text.append(boundary);
      }
    }
    for (std::size_t from = 0; from <= text.size();) {
      const std::size_t expected = text.find(boundary, from);
      ASSERT_EQ(finder.find(text, from), expected) << seed << " from " << from;
      if (expected == std::string::npos) break;
      ++found;
      from = expected + 1 + random.below(2 * boundary.size());
    }
  }
  EXPECT_GT(found, 10'000U);
}

// Nothing but near misses, so that the other search takes over, and the boundary behind them.
TEST(BoundaryFinder, FindsItBehindAnyNumberOfNearMisses) {
  const std::string boundary = boundary_of(40, false);
  const BoundaryFinder finder(boundary);
  for (const std::size_t copies : {10U, 63U, 64U, 65U, 66U, 1000U}) {
    std::string text;
    for (std::size_t i = 0; i < copies; ++i) text.append(boundary, 0, 39);
    EXPECT_EQ(finder.find(text, 0), std::string::npos);
    text.append(boundary);
    EXPECT_EQ(finder.find(text, 0), copies * 39) << copies;
  }
  EXPECT_EQ(finder.find(std::string(100'000, '-'), 0), std::string::npos);
}

}  // namespace
}  // namespace paravent::proxy::body::test
