#include "crypto/base/process_memory.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <string>
#include <string_view>

namespace paravent::crypto {
namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;

class MemoryOfProcess : public ::testing::Test {
 protected:
  void limit(const std::filesystem::path& file, std::string_view text) {
    std::filesystem::create_directories((tree() / file).parent_path());
    std::ofstream(tree() / file) << text;
  }
  std::uint64_t of(std::string_view groups) {
    std::ofstream(folder_ / "groups") << groups;
    return memory_of_process(16 * kGiB, folder_ / "groups", tree());
  }
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "paravent-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

 private:
  std::filesystem::path tree() const { return folder_ / "tree"; }
  std::filesystem::path folder_;
};

TEST_F(MemoryOfProcess, WithoutALimitItIsTheMachines) {
  EXPECT_EQ(of(""), 16 * kGiB);
  EXPECT_EQ(of("0::/system.slice/paravent.service\n"), 16 * kGiB);
  limit("system.slice/paravent.service/memory.max", "max\n");
  EXPECT_EQ(of("0::/system.slice/paravent.service\n"), 16 * kGiB);
  EXPECT_EQ(memory_of_process(16 * kGiB, "/nowhere/groups", "/nowhere"), 16 * kGiB);
}

TEST_F(MemoryOfProcess, TheLeastLimitOfItsGroupAndThoseAroundItCounts) {
  limit("system.slice/paravent.service/memory.max", "4294967296\n");
  EXPECT_EQ(of("0::/system.slice/paravent.service\n"), 4 * kGiB);
  limit("system.slice/paravent.service/memory.high", "3221225472\n");
  EXPECT_EQ(of("0::/system.slice/paravent.service\n"), 3 * kGiB);
  limit("system.slice/memory.max", "2147483648\n");
  EXPECT_EQ(of("0::/system.slice/paravent.service\n"), 2 * kGiB);
  // Of a container: its group is the tree.
  limit("memory.max", "1073741824\n");
  EXPECT_EQ(of("0::/\n"), kGiB);
  EXPECT_EQ(of("0::/somewhere/else\n"), kGiB);
}

TEST_F(MemoryOfProcess, TheOldHierarchyCountsToo) {
  limit("memory/docker/abc/memory.limit_in_bytes", "536870912\n");
  EXPECT_EQ(of("5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/\n"), kGiB / 2);
  EXPECT_EQ(of("5:cpu,memory:/docker/abc\n"), kGiB / 2);
  EXPECT_EQ(of("5:cpu,memory2:/docker/abc\n"), 16 * kGiB);
}

TEST_F(MemoryOfProcess, WhatIsNoNumberSetsNoLimit) {
  for (const char* text : {"", "\n", "-1\n", "12 MiB\n", "99999999999999999999999\n"}) {
    limit("memory.max", text);
    EXPECT_EQ(of("0::/\n"), 16 * kGiB) << text;
  }
  EXPECT_EQ(of("nonsense\n:\n0:\n"), 16 * kGiB);
}

TEST(MemoryOfThisProcess, IsKnown) { EXPECT_GT(memory_of_process(), 0U); }

}  // namespace
}  // namespace paravent::crypto
