// The access log: one line per exchange in one spelling, and lines lost rather than traffic held
// up.

#include "proxy/telemetry/access_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <regex>
#include <thread>

#include "tests/support/whole_file.h"

namespace paravent::proxy::telemetry {
namespace {

class AccessLogTest : public ::testing::Test {
 protected:
  AccessLogTest() {
    std::string name = (std::filesystem::temp_directory_path() / "paravent-log-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~AccessLogTest() override { std::filesystem::remove_all(folder_); }
  std::string path(const char* name) const { return (folder_ / name).string(); }
  std::string contents(const char* name) const { return test::whole_file(path(name)); }
  std::filesystem::path folder_;
};

AccessLine line(std::string_view id) {
  AccessLine made;
  made.request_id = id;
  made.route = "contact-form";
  made.method = "POST";
  made.outcome = "refused";
  made.reason = "unlisted-field";
  made.status = 422;
  made.request_bytes = 12;
  made.response_bytes = 345;
  made.duration_us = 6789;
  return made;
}

TEST_F(AccessLogTest, AFileThatWasMovedAsideGetsNoMoreLines) {
  {
    auto log = AccessLog::open(path("access.log"));
    ASSERT_TRUE(log.has_value());
    (*log)->append(line("before"));
    while (contents("access.log").empty()) std::this_thread::yield();
    std::filesystem::rename(path("access.log"), path("access.log.1"));
    ASSERT_TRUE((*log)->reopen());
    ASSERT_TRUE((*log)->reopen());  // twice before anything is written
    (*log)->append(line("after"));
  }
  EXPECT_NE(contents("access.log.1").find("id=before"), std::string::npos);
  EXPECT_EQ(contents("access.log.1").find("id=after"), std::string::npos);
  EXPECT_NE(contents("access.log").find("id=after"), std::string::npos);
}

TEST_F(AccessLogTest, WhatCannotBeOpenedAnewGoesOnIntoTheOld) {
  {
    auto log = AccessLog::open(path("access.log"));
    ASSERT_TRUE(log.has_value());
    std::filesystem::rename(path("access.log"), path("old"));
    std::filesystem::create_directory(path("access.log"));
    EXPECT_FALSE((*log)->reopen());
    (*log)->append(line("kept"));
  }
  EXPECT_NE(contents("old").find("id=kept"), std::string::npos);
}

TEST_F(AccessLogTest, OneLinePerExchange) {
  {
    auto log = AccessLog::open(path("access.log"));
    ASSERT_TRUE(log.has_value());
    (*log)->append(line("0123456789abcdef"));
    (*log)->append(line("second"));
  }  // the destructor writes what is pending
  {
    auto again = AccessLog::open(path("access.log"));
    ASSERT_TRUE(again.has_value());
    (*again)->append(line("third"));
  }
  const std::string text = contents("access.log");
  const std::string rest =
      " route=contact-form method=POST outcome=refused status=422 reason=unlisted-field in=12 "
      "out=345 "
      "us=6789\n";
  const std::string time = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z id=)";
  EXPECT_TRUE(std::regex_match(text, std::regex(time + "0123456789abcdef" + rest + time + "second" +
                                                rest + time + "third" + rest)))
      << text;
  struct stat facts {};
  ASSERT_EQ(::stat(path("access.log").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0137U, 0U) << "readable or writable by others";
}

TEST_F(AccessLogTest, AFileThatCannotBeOpenedIsASentence) {
  const auto log = AccessLog::open(path("no/such/folder.log"));
  ASSERT_FALSE(log.has_value());
  EXPECT_EQ(log.error().kind(), crypto::ErrorKind::configuration);
  EXPECT_NE(log.error().sentence().find("no/such/folder.log"), std::string::npos);
}

TEST_F(AccessLogTest, DropsAndCountsWhenTheDiskDoesNotFollow) {
  ::signal(SIGPIPE, SIG_IGN);
  // A pipe that nobody reads is a disk that hangs.
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  const int reader = ::open(path("pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  constexpr std::size_t kLines = 60'000;  // twice what may be pending
  std::size_t dropped = 0;
  {
    auto log = AccessLog::open(path("pipe"));
    ASSERT_TRUE(log.has_value());
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < kLines; ++i) (*log)->append(line("0123456789abcdef"));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30)) << "it waited";
    dropped = (*log)->dropped();
    ::close(reader);  // the writer gets an error instead of waiting for ever
  }
  EXPECT_GT(dropped, 1000U);
  EXPECT_LT(dropped, kLines);
}

}  // namespace
}  // namespace paravent::proxy::telemetry
