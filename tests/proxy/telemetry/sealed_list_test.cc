#include "proxy/telemetry/sealed_list.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

namespace paravent::proxy::telemetry {
namespace {

class SealedListTest : public testing::Test {
 protected:
  SealedListTest() {
    std::string name = (std::filesystem::temp_directory_path() / "paravent-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    folder_ = name;
    file_ = (folder_ / "list").string();
  }
  ~SealedListTest() override { std::filesystem::remove_all(folder_); }

  std::string text() const {
    std::ifstream in(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static std::vector<std::string> values(const std::string& lines) {
    std::vector<std::string> out;
    std::size_t at = 0;
    for (std::size_t end = lines.find('\n'); end != std::string::npos; end = lines.find('\n', at)) {
      const std::string line = lines.substr(at, end - at);
      out.push_back(line.substr(line.rfind(' ') + 1));
      at = end + 1;
    }
    return out;
  }

  std::filesystem::path folder_;
  std::string file_;
};

TEST_F(SealedListTest, KeepsWhatIsNotedAcrossRestarts) {
  {
    auto list = SealedList::open(file_).value();
    EXPECT_EQ(list->count(), 0U);
    EXPECT_TRUE(list->note("id1", "report", "form.a", "pvs_one"));
    EXPECT_TRUE(list->note("id1", "report", "form.b", "pvs_two"));
    EXPECT_EQ(list->count(), 2U);
  }
  EXPECT_EQ(values(text()), (std::vector<std::string>{"pvs_one", "pvs_two"}));
  struct stat status {};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  auto list = SealedList::open(file_).value();
  EXPECT_EQ(list->count(), 2U);
  const std::string line = text().substr(0, text().find('\n'));
  EXPECT_EQ(line.substr(line.find(' ')), " id1 report form.a pvs_one");
  EXPECT_TRUE(list->note("id2", "report", "form.a b\nc", "pvs_three"));
  list.reset();
  EXPECT_EQ(values(text()).back(), "pvs_three");
  EXPECT_NE(text().find(" form.a_b_c pvs_three\n"), std::string::npos);
}

TEST_F(SealedListTest, WhatIsConvertedGoesAndTheRestStays) {
  auto list = SealedList::open(file_).value();
  for (const char* value : {"pvs_1", "pvs_2", "pvs_3"}) {
    ASSERT_TRUE(list->note("id", "report", "form.a", value));
  }
  list = nullptr;
  list = SealedList::open(file_).value();
  EXPECT_EQ(list->drop_first(4).error().kind(), crypto::ErrorKind::usage);
  EXPECT_EQ(values(list->read().value()).size(), 3U);
  ASSERT_TRUE(list->drop_first(2));
  EXPECT_EQ(list->count(), 1U);
  EXPECT_EQ(values(list->read().value()), (std::vector<std::string>{"pvs_3"}));
  EXPECT_TRUE(list->note("id", "report", "form.a", "pvs_4"));
  list.reset();
  EXPECT_EQ(values(text()), (std::vector<std::string>{"pvs_3", "pvs_4"}));
}

TEST_F(SealedListTest, ALineThatACrashCutShortIsNotJoinedWithTheNext) {
  std::ofstream(file_, std::ios::binary) << "t id r f pvs_whole\nt id r f pvs_cu";
  auto list = SealedList::open(file_).value();
  EXPECT_EQ(list->count(), 2U);
  ASSERT_TRUE(list->note("id", "report", "form.a", "pvs_next"));
  list.reset();
  EXPECT_EQ(values(text()), (std::vector<std::string>{"pvs_whole", "pvs_cu", "pvs_next"}));
}

TEST_F(SealedListTest, WhereTheDiskTakesNothingNothingIsLetThrough) {
  auto list = SealedList::open(file_).value();
  ASSERT_TRUE(list->note("id", "report", "form.a", "pvs_first"));
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 200;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  const std::string large(300, 'x');
  ASSERT_TRUE(list->note("id", "report", "form.a", large));
  bool refused = false;
  for (int i = 0; i < 500 && !refused; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    refused = !list->note("id", "report", "form.a", "x");
  }
  EXPECT_TRUE(refused);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  bool taken = false;
  for (int i = 0; i < 500 && !taken; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    taken = list->note("id", "report", "form.a", "pvs_last");
  }
  EXPECT_TRUE(taken);
  list.reset();
  const auto all = values(text());
  EXPECT_EQ(all.front(), "pvs_first");
  EXPECT_EQ(all.back(), "pvs_last");
  EXPECT_EQ(std::count(all.begin(), all.end(), large), 1);
}

TEST_F(SealedListTest, AFileThatCannotBeOpenedIsOneSentence) {
  const auto list = SealedList::open((folder_ / "none" / "list").string());
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().kind(), crypto::ErrorKind::data);
}

}  // namespace
}  // namespace paravent::proxy::telemetry
