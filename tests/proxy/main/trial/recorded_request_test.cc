// Recorded requests as people keep them: line ends, framing made anew, the file's own last line
// break.

#include "proxy/main/trial/recorded_request.h"

#include <gtest/gtest.h>

#include "proxy/main/commands/exit_code.h"

namespace paravent::proxy::main {
namespace {

struct Case {
  std::string text;
  std::string head;
  std::string body;
};

TEST(RecordedRequest, Table) {
  const std::string post = "POST /f HTTP/1.1\r\nHost: a\r\n";
  const std::string parts = "Content-Type: multipart/form-data; boundary=B\r\n";
  const Case cases[] = {
      // LF and CRLF; the break that an editor puts at the end is not the body's.
      {"POST /f HTTP/1.1\nHost: a\n\na=1\n", post + "Content-Length: 3\r\n\r\n", "a=1"},
      {"POST /f HTTP/1.1\r\nHost: a\r\n\r\na=1", post + "Content-Length: 3\r\n\r\n", "a=1"},
      {"POST /f HTTP/1.1\r\nHost: a\r\n\r\na=1\r\n", post + "Content-Length: 3\r\n\r\n", "a=1"},
      {"POST /f HTTP/1.1\nHost: a\n\na=1\n\n", post + "Content-Length: 4\r\n\r\n", "a=1\n"},
      // A Content-Length that counts the break keeps it; a wrong one is made right.
      {"POST /f HTTP/1.1\nHost: a\ncontent-length: 4\n\na=1\n", post + "Content-Length: 4\r\n\r\n",
       "a=1\n"},
      {"POST /f HTTP/1.1\nHost: a\nContent-Length: 999\n\na=1\n",
       post + "Content-Length: 3\r\n\r\n", "a=1"},
      {"POST /f HTTP/1.1\nHost: a\nContent-Length: 1\n\na=1\n", post + "Content-Length: 3\r\n\r\n",
       "a=1"},
      {"POST /f HTTP/1.1\nHost: a\nContent-Length: x\n\na=1", post + "Content-Length: 3\r\n\r\n",
       "a=1"},
      {"POST /f HTTP/1.1\nTransfer-Encoding: chunked\nHost: a\n\na=1",
       post + "Content-Length: 3\r\n\r\n", "a=1"},
      {"POST /f HTTP/1.1\nHost: a\nContent-Length: 0\n\n", post + "Content-Length: 0\r\n\r\n", ""},
      {"GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""},
      {"GET / HTTP/1.1\nHost: a", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""},
      {"GET http://a:8/ HTTP/1.1\nHost: a:8\n", "GET http://a:8/ HTTP/1.1\r\nHost: a:8\r\n\r\n",
       ""},
      {"", "\r\n", ""},
      // Multipart that was typed has LF and needs CRLF; one that was recorded is left alone.
      {"POST /f HTTP/1.1\nHost: a\nContent-Type: multipart/form-data; "
       "boundary=B\n\n--B\nX\n--B--\n",
       post + parts + "Content-Length: 15\r\n\r\n", "--B\r\nX\r\n--B--\r\n"},
      {"POST /f HTTP/1.1\r\nHost: a\r\n" + parts + "\r\n--B\r\nX\n\r\n--B--\r\n",
       post + parts + "Content-Length: 14\r\n\r\n", "--B\r\nX\n\r\n--B--"},
      // What is no header stays for the strict parser to refuse.
      {"POST /f HTTP/1.1\nno colon\n folded\n\n", "POST /f HTTP/1.1\r\nno colon\r\n folded\r\n\r\n",
       ""},
  };
  for (const Case& one : cases) {
    const RecordedRequest read = read_recorded_request(one.text);
    EXPECT_EQ(read.head, one.head) << one.text;
    EXPECT_EQ(read.body, one.body) << one.text;
  }
}

TEST(ExitCode, OneForEveryKindOfError) {
  using crypto::ErrorKind;
  const std::pair<ErrorKind, int> cases[] = {
      {ErrorKind::internal, 1},    {ErrorKind::usage, 2},     {ErrorKind::configuration, 3},
      {ErrorKind::data, 4},        {ErrorKind::busy, 4},      {ErrorKind::disk_full, 4},
      {ErrorKind::sealed, 4},      {ErrorKind::malformed, 4}, {ErrorKind::verification, 5},
      {ErrorKind::unreachable, 6}, {ErrorKind::refused, 7}};
  for (const auto& [kind, code] : cases) {
    EXPECT_EQ(static_cast<int>(exit_code(kind)), code) << static_cast<int>(kind);
  }
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(fail(crypto::Error(ErrorKind::data, "The key is missing.")), 4);
  EXPECT_EQ(fail(crypto::Error(ErrorKind::internal)), 1);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(),
            "paravent: The key is missing.\n"
            "paravent: Something went wrong inside; please report it.\n");
}

}  // namespace
}  // namespace paravent::proxy::main
