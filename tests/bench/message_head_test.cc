#include "bench/support/message_head.h"

#include <gtest/gtest.h>

#include <string>

namespace paravent::bench {
namespace {

TEST(MessageHead, ReadsAnAnswer) {
  const std::string text =
      "HTTP/1.1 200 OK\r\nServer: nginx\r\ncontent-LENGTH:  9\r\nConnection: keep-alive\r\n\r\n"
      "received\n";
  const auto head = find_head(text);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(head->content_length, 9U);
  EXPECT_TRUE(head->has_length);
  EXPECT_FALSE(head->close);
  EXPECT_EQ(head->total_bytes(), text.size());
}

TEST(MessageHead, IsEmptyUntilTheHeadIsComplete) {
  const std::string text = "POST /contact HTTP/1.1\r\nContent-Length: 3\r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(find_head(std::string_view(text).substr(0, size))) << size;
  }
  ASSERT_TRUE(find_head(text));
  EXPECT_EQ(find_head(text)->start_line, "POST /contact HTTP/1.1");
  EXPECT_EQ(find_head(text)->status, 0);
}

TEST(MessageHead, SeesCloseAndChunked) {
  const auto head =
      find_head("HTTP/1.1 502 Bad\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->status, 502);
  EXPECT_TRUE(head->chunked);
  EXPECT_TRUE(head->close);
  EXPECT_FALSE(head->has_length);
}

TEST(MessageHead, AHeadWithoutHeadersIsAHead) {
  const auto head = find_head("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->head_bytes, 18U);
}

}  // namespace
}  // namespace paravent::bench
