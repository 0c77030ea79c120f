#include "proxy/body/multipart_stream.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/proxy/body/laws.h"
#include "tests/proxy/body/random.h"

namespace paravent::proxy::body::test {
namespace {

using Event = MultipartStream::Event;

std::string part(std::string_view parameters, std::string_view content,
                 std::string_view headers = "") {
  return std::string("--B\r\nContent-Disposition: form-data; ")
      .append(parameters)
      .append("\r\n")
      .append(headers)
      .append("\r\n")
      .append(content)
      .append("\r\n");
}

std::string field(std::string_view content) { return part("name=a", content); }
std::string file(std::string_view content, std::string_view headers = "") {
  return part("name=f; filename=\"x.bin\"", content, headers);
}
constexpr std::string_view kEnd = "--B--\r\n";

std::vector<Event> events(std::string_view text, std::size_t field_bytes = 1024) {
  MultipartStream codec;
  codec.begin("B", {}, field_bytes);
  std::vector<Event> seen;
  do {
    seen.push_back(codec.next(text, true));
  } while (seen.back() < Event::end && seen.back() != Event::need_more);
  return seen;
}

TEST(MultipartStream, TellsFieldsFromFiles) {
  const std::string text = field("1") + file("content") + field("2") + file("") + std::string(kEnd);
  EXPECT_EQ(events(text),
            (std::vector<Event>{Event::field, Event::file, Event::content, Event::file_end,
                                Event::field, Event::file, Event::file_end, Event::end}));
  EXPECT_EQ(events("--B--"), std::vector<Event>{Event::end});
}

TEST(MultipartStream, HandsContentOnWithoutTheTextBetween) {
  MultipartStream codec;
  codec.begin("B", {}, 1024);
  std::string first =
      field("1") + part("name=f; filename=\"x.png\"", "", "Content-Type: image/png\r\n");
  first.resize(first.size() - 2);  // no content yet
  std::string_view in(first);
  ASSERT_EQ(codec.next(in, false), Event::field);
  ASSERT_EQ(codec.next(in, false), Event::file);
  EXPECT_TRUE(in.empty());
  EXPECT_EQ(codec.text(), first);
  EXPECT_EQ(codec.part().field.file_name.in(codec.text()), "x.png");
  EXPECT_EQ(codec.part().content_type.in(codec.text()), "image/png");
  in = "abc\r\n--";
  ASSERT_EQ(codec.next(in, false), Event::content);
  EXPECT_EQ(codec.content(), "abc");
  EXPECT_EQ(in, "\r\n--") << "what may be a delimiter is not content yet";
  EXPECT_EQ(codec.next(in, false), Event::need_more);
  EXPECT_EQ(in, "\r\n--");
  in = "\r\n--B--\r\n";
  const std::string_view before = codec.text();
  ASSERT_EQ(codec.next(in, true), Event::file_end);
  EXPECT_EQ(before, first) << "the text before stays while it is on its way";
  EXPECT_EQ(codec.next(in, true), Event::end);
  EXPECT_EQ(codec.text(), "\r\n--B--\r\n");
}

TEST(MultipartStream, WhatLooksLikeADelimiterIsContent) {
  for (const std::string_view content :
       {"--B", "x--B", "\r\n--", "\r\n-B", "\r\r\n", "\n--C\r\n", "--", "-"}) {
    const std::string text = file("x" + std::string(content)) + std::string(kEnd);
    EXPECT_EQ(events(text).back(), Event::end) << content;
    EXPECT_EQ(check_multipart_stream(text, "B", 1).complaint, "") << content;
  }
}

TEST(MultipartStream, WhatReadersDisagreeAboutIsMalformed) {
  for (const std::string_view content :
       {"--B", "\n--B", "\r--B", "x\n--B--", "x\r--B\r\n", "\n\n--B"}) {
    const std::string text = file(content) + std::string(kEnd);
    EXPECT_EQ(events(text).back(), Event::malformed) << content;
    EXPECT_EQ(check_multipart_stream(text, "B", 1).complaint, "") << content;
  }
}

TEST(MultipartStream, ALengthOfAPartMustBeTrue) {
  EXPECT_EQ(events(file("abc", "Content-Length: 3\r\n") + std::string(kEnd)).back(), Event::end);
  for (const char* length : {"2", "4", "0", "x"}) {
    const std::string head = std::string("Content-Length: ") + length + "\r\n";
    EXPECT_EQ(events(file("abc", head) + std::string(kEnd)).back(), Event::malformed) << length;
  }
}

TEST(MultipartStream, EndsOnlyWithItsLastDelimiter) {
  const std::string text = field("1") + file("content") + field("2") + std::string(kEnd);
  for (std::size_t size = 0; size < text.size() - 2; ++size) {
    EXPECT_EQ(events(std::string_view(text).substr(0, size)).back(), Event::malformed) << size;
  }
  EXPECT_EQ(events(text + "x").back(), Event::malformed);
}

TEST(MultipartStream, FieldsAreBoundedAndFilesAreNot) {
  const std::string fields = field(std::string(100, 'x')) + field(std::string(100, 'y'));
  EXPECT_EQ(events(fields + std::string(kEnd), fields.size() + kEnd.size()).back(), Event::end);
  EXPECT_EQ(events(fields + std::string(kEnd), fields.size() + kEnd.size() - 1).back(),
            Event::too_large);
  EXPECT_EQ(events(file(std::string(100'000, 'x')) + std::string(kEnd), 200).back(), Event::end);
  std::string many;
  for (int i = 0; i < 128; ++i) many += file("x");
  EXPECT_EQ(events(many + std::string(kEnd), 100'000).back(), Event::end);
  EXPECT_EQ(events(many + file("x") + std::string(kEnd), 100'000).back(), Event::too_large);
  const std::string head = "X-A: " + std::string(5000, 'x') + "\r\n";
  EXPECT_EQ(events(file("x", head) + std::string(kEnd), 100'000).back(), Event::too_large);
}

TEST(MultipartStream, ReadsWhatTheWholeCodecReadsHoweverItIsSplit) {
  constexpr std::string_view kPieces[] = {
      "--B",
      "\r\n",
      "\r\n--B\r\n",
      "--B--",
      "\n",
      "\r",
      "-",
      "x",
      "Content-Disposition: form-data; name=a\r\n\r\n",
      "Content-Length: 1\r\n",
      "Content-Disposition: form-data; name=f; filename=\"y\"\r\n\r\n",
      "Content-Disposition: form-data; name=f; filename=\"\"\r\n\r\n",
      "Content-Type: multipart/mixed\r\n",
      "a longer piece of some content"};
  std::size_t accepted = 0;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    Random random(seed);
    std::string text;
    if (random.one_in(2)) {
      const std::size_t parts = random.below(5);
      for (std::size_t i = 0; i < parts; ++i) {
        std::string content;
        while (!random.one_in(3)) content.append(random.pick(kPieces));
        text += random.one_in(2) ? field(content) : file(content);
      }
      text += kEnd;
    } else {
      text = "--B\r\n";
      while (!random.one_in(12)) text.append(random.pick(kPieces));
      if (random.one_in(2)) text.append("\r\n").append(kEnd);
    }
    const Verdict verdict = check_multipart_stream(text, "B", seed);
    ASSERT_EQ(verdict.complaint, "") << seed << ": " << text;
    accepted += verdict.accepted ? 1U : 0U;
  }
  EXPECT_GT(accepted, 500U);
}

}  // namespace
}  // namespace paravent::proxy::body::test
