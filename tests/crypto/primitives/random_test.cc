#include "crypto/primitives/random.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <set>

#include "crypto/base/encoding.h"

namespace paravent::crypto {
namespace {

using Sixteen = std::array<std::uint8_t, 16>;

// 4096 draws span many refills of the buffer; a repeat would be a buffer handed out twice.
TEST(RandomBuffer, NeverRepeats) {
  RandomBuffer random;
  std::set<Sixteen> seen;
  for (int i = 0; i < 4096; ++i) {
    Sixteen draw{};
    random.fill(draw);
    EXPECT_TRUE(seen.insert(draw).second);
  }
}

TEST(RandomBuffer, FillsEverySizeCompletely) {
  RandomBuffer random;
  for (std::size_t size = 0; size < 5000; size += 1 + size / 20) {
    // Each byte must change in at least one of 8 draws: all unchanged has probability 2^-64.
    Bytes changed(size);
    for (int i = 0; i < 8; ++i) {
      Bytes draw(size);
      random.fill(draw);
      for (std::size_t k = 0; k < size; ++k) changed[k] |= draw[k];
    }
    for (std::size_t k = 0; k < size; ++k) ASSERT_NE(changed[k], 0) << k << " of " << size;
  }
}

// Parent and child after fork must not draw the same bytes.
TEST(RandomBuffer, ChildDrawsFreshBytes) {
  RandomBuffer random;
  Sixteen warm_up{};
  random.fill(warm_up);
  std::array<int, 2> channel{};
  ASSERT_EQ(::pipe(channel.data()), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Sixteen draw{};
    random.fill(draw);
    const bool sent = ::write(channel[1], draw.data(), draw.size()) == 16;
    ::_exit(sent ? 0 : 1);
  }
  Sixteen own{};
  random.fill(own);
  Sixteen theirs{};
  ASSERT_EQ(::read(channel[0], theirs.data(), theirs.size()), 16);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_NE(own, theirs);
  EXPECT_NE(theirs, Sixteen{});
  ::close(channel[0]);
  ::close(channel[1]);
}

TEST(RandomBytes, DrawsDiffer) {
  Sixteen a{}, b{};
  random_bytes(a);
  random_bytes(b);
  EXPECT_NE(a, b);
  random_bytes({});
}

}  // namespace
}  // namespace paravent::crypto
