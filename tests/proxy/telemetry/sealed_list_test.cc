#include "proxy/telemetry/sealed_list.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>
#include <vector>

#include "tests/support/whole_file.h"

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

  std::string text() const { return test::whole_file(file_); }
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

  // One line, as a request leaves it, and waits for what becomes of it.
  static bool put(SealedList& list, std::string_view field, std::string_view value,
                  std::string_view id = "id") {
    auto note = std::make_shared<SealedNote>();
    note->add(id, "report", field, value);
    std::promise<void> told;
    note->done = [&told] { told.set_value(); };
    if (!list.keep(note)) return false;
    told.get_future().wait();
    EXPECT_NE(note->status, SealedNote::Status::pending);
    return note->status == SealedNote::Status::kept;
  }

  std::filesystem::path folder_;
  std::string file_;
};

TEST_F(SealedListTest, KeepsWhatIsNotedAcrossRestarts) {
  {
    auto list = SealedList::open(file_).value();
    EXPECT_EQ(list->count(), 0U);
    EXPECT_TRUE(put(*list, "form.a", "pvs_one", "id1"));
    EXPECT_TRUE(put(*list, "form.b", "pvs_two", "id1"));
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
  EXPECT_TRUE(put(*list, "form.a b\nc", "pvs_three", "id2"));
  list.reset();
  EXPECT_EQ(values(text()).back(), "pvs_three");
  EXPECT_NE(text().find(" form.a_b_c pvs_three\n"), std::string::npos);
}

TEST_F(SealedListTest, WhatIsConvertedGoesAndTheRestStays) {
  auto list = SealedList::open(file_).value();
  for (const char* value : {"pvs_1", "pvs_2", "pvs_3"}) {
    ASSERT_TRUE(put(*list, "form.a", value));
  }
  list = nullptr;
  list = SealedList::open(file_).value();
  EXPECT_EQ(list->drop_first(4).error().kind(), crypto::ErrorKind::usage);
  EXPECT_EQ(values(list->read().value()).size(), 3U);
  ASSERT_TRUE(list->drop_first(2));
  EXPECT_EQ(list->count(), 1U);
  EXPECT_EQ(values(list->read().value()), (std::vector<std::string>{"pvs_3"}));
  EXPECT_TRUE(put(*list, "form.a", "pvs_4"));
  list.reset();
  EXPECT_EQ(values(text()), (std::vector<std::string>{"pvs_3", "pvs_4"}));
}

TEST_F(SealedListTest, ALineThatACrashCutShortIsNotJoinedWithTheNext) {
  std::ofstream(file_, std::ios::binary) << "t id r f pvs_whole\nt id r f pvs_cu";
  auto list = SealedList::open(file_).value();
  EXPECT_EQ(list->count(), 2U);
  ASSERT_TRUE(put(*list, "form.a", "pvs_next"));
  list.reset();
  EXPECT_EQ(values(text()), (std::vector<std::string>{"pvs_whole", "pvs_cu", "pvs_next"}));
}

TEST_F(SealedListTest, WhereTheDiskTakesNothingNothingIsLetThrough) {
  auto list = SealedList::open(file_).value();
  ASSERT_TRUE(put(*list, "form.a", "pvs_first"));
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 200;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &none), 0);
  const std::string large(300, 'x');
  EXPECT_FALSE(put(*list, "form.a", large));
  EXPECT_EQ(values(text()), (std::vector<std::string>{"pvs_first"}));
  EXPECT_EQ(list->count(), 1U);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_TRUE(put(*list, "form.a", "pvs_last"));
  list.reset();
  EXPECT_EQ(values(text()), (std::vector<std::string>{"pvs_first", "pvs_last"}));
}

// Killed the moment after it was told that a line is kept: the line is in the file.
TEST_F(SealedListTest, WhatWasKeptIsThereAfterAKill) {
  for (int round = 0; round < 5; ++round) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto list = SealedList::open(file_).value();
      for (std::uint32_t i = 0;; ++i) {
        if (!put(*list, "form.a", "pvs_" + std::to_string(round) + "_" + std::to_string(i))) break;
        if (::write(pipe[1], &i, sizeof i) != sizeof i) break;
      }
      ::_exit(1);
    }
    ::close(pipe[1]);
    std::uint32_t last = 0;
    for (int i = 0; i < 40 + round; ++i) ASSERT_EQ(::read(pipe[0], &last, sizeof last), 4);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ::waitpid(child, nullptr, 0);
    // What it still said before it died counts as well.
    for (std::uint32_t more = 0; ::read(pipe[0], &more, sizeof more) == 4;) last = more;
    ::close(pipe[0]);
    const auto all = values(text());
    for (std::uint32_t i = 0; i <= last; ++i) {
      const std::string wanted = "pvs_" + std::to_string(round) + "_" + std::to_string(i);
      ASSERT_EQ(std::count(all.begin(), all.end(), wanted), 1) << wanted;
    }
  }
}

TEST_F(SealedListTest, ManyAtOnceAreAllKeptOnce) {
  {
    auto list = SealedList::open(file_).value();
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&list, t] {
        for (int i = 0; i < 50; ++i) {
          EXPECT_TRUE(put(*list, "form.a", std::to_string(t * 1000 + i)));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(list->count(), 400U);
  }
  auto all = values(text());
  ASSERT_EQ(all.size(), 400U);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
}

TEST_F(SealedListTest, AFileThatCannotBeOpenedIsOneSentence) {
  const auto list = SealedList::open((folder_ / "none" / "list").string());
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().kind(), crypto::ErrorKind::data);
}

}  // namespace
}  // namespace paravent::proxy::telemetry
